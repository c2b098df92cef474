"""What an answer comes to: the number, the choice, the yes or no. Read from texts as models write them."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.aggregation.extract import Extracted, Kind, conclusion, extract, extract_all

KINDS: list[Kind | None] = ["number", "choice", "yes or no", "boxed", None]


def told(text: str, kind: Kind | None = None, *, plain: bool = False) -> tuple[str, str] | None:
    found = extract(text, kind, plain=plain)
    return (found.kind, found.value) if found else None


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("Anna picks 3 + 4 = <<3+4=7>>7 pears.\n#### 7", "7"),
            ("She has 5 pears and eats 2.\n\nTherefore, 5 - 2 = $3 is left every day", "3"),
            ("**Answer:** 18 eggs, sold at 2 dollars each", "18"),
            ("The final answer is: **$1,250.50**.", "2501/2"),
            ("The answer is 4 * 6 = 24 chairs.", "24"),
            ("First I thought the answer is 5. Wait: the answer is 6.", "6"),
            ("It takes 3/4 of 8 = 6 hours.", "6"),
            (r"Adding up, \boxed{12} apples. That is 3 times 4.", "12"),
            (r"$$x = \boxed{x = 18\text{ cm}}$$", "18"),
            (r"\[ \boxed{-\dfrac{3}{4}} \]", "-3/4"),
            (r"\boxed{50\%}", "50%"),
            ("Die Antwort lautet 12,5 Meter.", "25/2"),
            ("Das Ergebnis ist 1.234,50 €.", "2469/2"),
            ("La réponse est 1 234,5 euros.", "2469/2"),
            ("La respuesta es 7.", "7"),
            ("The train leaves at 10:30", "10:30"),
        ],
    )
    def test_a_number_is_found_where_an_answer_states_it(self, text: str, value: str) -> None:
        assert told(text) == ("number", value)

    def test_without_a_mark_it_is_the_last_one(self) -> None:
        assert told("From 3 boxes of 4 she gets 12 pieces in all.") == ("number", "12")

    def test_no_number_is_none(self) -> None:
        assert told("I cannot tell.") is None
        assert told("") is None
        assert told("It is 1/0.") is None

    @pytest.mark.parametrize(
        "text", [r"\boxed{2\sqrt{3}}, so about 3", r"\boxed{(1, 2)}", r"\boxed{2x}", r"\boxed{3\pi}"]
    )
    def test_a_box_that_holds_more_than_a_number_is_compared_as_it_is_written(self, text: str) -> None:
        assert told(text, "number") is None
        found = extract(text)
        assert found
        assert found.kind == "boxed"

    def test_spaces_and_typesetting_make_no_difference_in_a_box(self) -> None:
        assert told(r"\boxed{\left( 1,  2 \right)}") == told(r"\boxed{( 1, 2 )}")
        assert told(r"\boxed{\text{Paris}}") == ("boxed", "Paris")

    def test_a_box_that_is_never_closed_holds_nothing(self) -> None:
        assert told(r"\boxed{\frac{1}{2") == ("number", "2")


class TestPlainNumbers:
    @pytest.mark.parametrize(
        "text", ["It was founded in 1876.", "The answer is a matter of taste, says page 7.", "1, 2, 3"]
    )
    def test_a_number_in_passing_does_not_count(self, text: str) -> None:
        assert told(text, plain=True) is None

    @pytest.mark.parametrize(
        "text", ["42", "So:\n\n= 42", "#### 42", r"\boxed{42}", "The answer is about 42 metres.", "x = 6 * 7 = 42"]
    )
    def test_a_number_that_is_stated_or_stands_alone_counts(self, text: str) -> None:
        assert told(text, plain=True) == ("number", "42")


class TestChoices:
    @pytest.mark.parametrize(
        "text",
        [
            "B",
            "(B)",
            "B.",
            "**B**",
            "Answer: B",
            "B) Paris",
            "B. Because the others do not follow from the text.",
            "The correct answer is (B).",
            "The answer is **B. The witness was elsewhere.**",
            "A is wrong and C is not implied.\n\nThe best answer is B.",
            "Option A is incorrect. Option B is correct.",
            "Choice (B) is the correct answer, since A assumes too much.",
            "I would choose B.",
            r"\boxed{B}",
            r"\boxed{\text{B}}",
            "the answer is (b)",
            "Die richtige Antwort ist B.",
            "La réponse est (B).",
            "Let us go through it.\n\nA says too little.\n\nB",
        ],
    )
    def test_a_letter_is_found_where_an_answer_chooses_it(self, text: str) -> None:
        assert told(text) == ("choice", "B")

    @pytest.mark.parametrize("letter", "ABCDEFGHIJ")
    def test_ten_letters_can_be_chosen(self, letter: str) -> None:
        assert told(f"The answer is {letter}.") == ("choice", letter)

    @pytest.mark.parametrize(
        "text",
        [
            "The answer is a matter of taste.",
            "The answer is: I do not know.",
            "A cat sat on the mat.",
            "A. red\nB. green\nC. blue",
            "I went home",
        ],
    )
    def test_an_article_a_pronoun_and_a_list_are_no_choice(self, text: str) -> None:
        assert told(text) is None


class TestYesOrNo:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("Yes.", "yes"),
            ("No, it is not.", "no"),
            ("**Yes** - because the clause covers it.", "yes"),
            ("Yes, the clause covers it.\n\nIt names three cases, and this is the 2nd.", "yes"),
            ("The clause names two cases.\n\nSo the answer is no.", "no"),
            ("This is false.", "no"),
            ("The statement is true.", "yes"),
            ("Ja, das stimmt.", "yes"),
            ("Nein.", "no"),
            ("Oui, bien sûr.", "yes"),
        ],
    )
    def test_it_is_found_at_the_start_of_a_line_or_where_it_is_marked(self, text: str, value: str) -> None:
        assert told(text) == ("yes or no", value)

    def test_it_is_found_at_the_start_of_a_long_answer(self) -> None:
        assert told("Yes, it does.\n\n" + "This is how it came about. " * 400, "yes or no") == ("yes or no", "yes")

    @pytest.mark.parametrize("text", ["No apples are left, so 4", "There is no reason for it. 4", "Nobody knows: 4"])
    def test_another_no_is_none(self, text: str) -> None:
        assert told(text) == ("number", "4")


class TestAllTogether:
    def test_answers_are_read_in_the_kind_that_most_of_them_have(self) -> None:
        assert extract_all(["#### 4", "The answer is 4, I think", "The answer is (B)"]) == [
            Extracted("number", "4"),
            Extracted("number", "4"),
            None,
        ]

    def test_a_kind_that_is_asked_for_is_the_only_one(self) -> None:
        assert extract_all(["(B)", "4"], "number") == [None, Extracted("number", "4")]

    def test_nothing_is_nothing(self) -> None:
        assert extract_all([]) == []
        assert extract_all(["hm", ""]) == [None, None]

    @given(st.lists(st.sampled_from(["#### 4", "(B)", "Yes.", "5", "hm", r"\boxed{2x}"])), st.randoms())
    def test_the_order_of_the_answers_makes_no_difference(self, texts: list[str], random: object) -> None:
        shuffled = sorted(texts, key=lambda _: random.random())  # type: ignore[attr-defined]
        assert dict(zip(texts, extract_all(texts), strict=True)) == dict(
            zip(shuffled, extract_all(shuffled), strict=True)
        )


@given(st.text(), st.sampled_from(KINDS), st.booleans())
def test_any_text_can_be_read(text: str, kind: Kind | None, plain: bool) -> None:  # noqa: FBT001
    found = extract(text, kind, plain=plain)
    assert found is None or (found.value and kind in {None, found.kind})


PARTS = [
    "answer",
    " is ",
    ":",
    "*",
    "(",
    "A",
    "B)",
    "yes",
    "1",
    ",",
    "000",
    ".",
    "/",
    " ",
    "\n",
    "-",
    "{",
    r"\boxed{",
    r"\frac{",
]


@given(st.lists(st.sampled_from(PARTS), max_size=300).map("".join), st.sampled_from(KINDS))
def test_any_text_made_of_what_is_looked_for_can_be_read(text: str, kind: Kind | None) -> None:
    found = extract(text, kind)
    assert found is None or found.value


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1,000",
        "1 ",
        "1/",
        "1:",
        "-",
        " ",
        "*",
        "(",
        "answer ",
        "answer is ",
        r"\boxed{",
        r"\frac{1}{",
        "A",
        "(A",
        "no ",
        "1.000",
    ],
)
def test_a_megabyte_of_one_thing_is_read_at_once(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    before = process_time()
    for kind in KINDS:
        extract(text, kind)
        extract(text, kind, plain=True)
    conclusion(text)
    assert process_time() - before < 2


class TestConclusions:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Lima", "Lima"),
            ("Peru lies in South America.\n\nThe answer is **Lima**.", "Lima"),
            ("Answer: the Adriatic Sea", "the Adriatic Sea"),
            ("**Answer:**\n\nLima.\n", "Lima"),
            ('The answer is: "red".', "red"),
            (r"So it is \boxed{\text{Lima}}, as the answer is clear.", "Lima"),
            ("Work.\n#### 42", "42"),
            ("The answer is (A).", "(A)"),
            ("First the answer is 3. Then no: the answer is 4", "4"),
            ("I looked it up.\n\nLima, I think…", "Lima, I think…"),
            ("", ""),
            (" \n ", ""),
            ("…", "…"),
        ],
    )
    def test_are_what_is_boxed_or_marked_or_said_last(self, text: str, words: str) -> None:
        assert conclusion(text) == words

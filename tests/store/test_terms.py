"""What somebody types into a search: words, phrases, and anything else."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.store.terms import Query, folded, spaced


def words(typed: str) -> list[tuple[str, ...]]:
    return [term.words for term in Query.of(typed).terms]


def test_words_and_phrases() -> None:
    assert words('Prime  "below thirty" numbers') == [("prime",), ("below", "thirty"), ("numbers",)]


def test_only_the_last_word_may_be_the_beginning_of_a_longer_one() -> None:
    assert [term.beginning for term in Query.of("prime num").terms] == [False, True]
    assert [term.beginning for term in Query.of('num "prime"').terms] == [False, False]
    assert [term.beginning for term in Query.of('num "prime nu').terms] == [False, True]


@pytest.mark.parametrize("typed", ["n", "prime?", "C++", "海王"])
def test_a_letter_a_sign_or_an_ideograph_begins_no_longer_word(typed: str) -> None:
    assert not Query.of(typed).terms[-1].beginning


def test_case_and_accents_do_not_matter() -> None:
    assert words("CAFÉ Ångström") == [("cafe",), ("angstrom",)]
    assert words("cafe\u0301") == [("cafe",)]


def test_each_ideograph_and_symbol_is_a_word() -> None:
    assert words("海王星 C++ 🎉#x") == [("海", "王", "星"), ("c", "+", "+"), ("🎉", "#", "x")]


def test_signs_between_words_are_passed_over_and_signs_alone_are_kept() -> None:
    assert words("a -> b") == [("a",), (">",), ("b",)]  # an arrow head is a symbol of mathematics
    assert words("yes ?! no") == [("yes",), ("no",)]
    assert [term.text for term in Query.of("?! …").terms] == ["?!", "…"]
    assert not Query.of("?!").indexed


def test_nothing_typed_is_nothing_searched() -> None:
    assert Query.of(" \n ").terms == Query.of('""').terms == ()


def test_not_more_words_are_taken_than_anybody_types() -> None:
    assert len(Query.of("word " * 1000).terms) == 24


@given(st.text())
def test_a_folded_text_is_as_long_as_it_was(text: str) -> None:
    assert len(folded(text)) == len(text)


@given(st.text())
def test_a_folded_text_stays_as_it_is_when_it_is_folded_again(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet="abcäñ 海星カ한+#🎉$"))
def test_what_goes_into_the_index_has_a_space_around_each_character_that_is_a_word(text: str) -> None:
    pieces = spaced(text).split()
    assert all(len(piece) == 1 or piece.isascii() or piece.isalpha() for piece in pieces)
    assert [piece for piece in pieces if piece in set("海星カ한")] == [char for char in text if char in set("海星カ한")]
    assert sum(piece.startswith("u") for piece in pieces) == sum(char in set("+#🎉$") for char in text)


@given(st.text())
def test_whatever_is_typed_is_an_expression_that_fts5_takes(typed: str) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    query = Query.of(typed)
    if query.terms and query.indexed:
        database.execute("SELECT * FROM t WHERE t MATCH ?", (query.expression,)).fetchall()
    database.close()


@given(st.text(), st.text())
def test_whatever_is_typed_can_be_looked_for_in_any_text(typed: str, text: str) -> None:
    query = Query.of(typed)
    assert isinstance(query.occurs_in(text), bool)
    for match in query.pattern.finditer(folded(text)):
        assert match.end() > match.start()


@given(st.lists(st.sampled_from(["prime", "number", "海", "🎉", "C++", "été"]), min_size=1, max_size=6))
def test_a_text_is_found_by_any_of_its_words_and_by_all_of_it(parts: list[str]) -> None:
    text = " ".join(parts)
    assert all(Query.of(part).occurs_in(text) for part in parts)
    assert Query.of(f'"{text}"').occurs_in(text)


def test_a_word_is_not_found_within_another_one() -> None:
    assert not Query.of("rime").occurs_in("prime")
    assert not Query.of('"rim"').occurs_in("prime")
    assert not Query.of('"prim"').occurs_in("prime")
    assert Query.of("prim").occurs_in("prime")

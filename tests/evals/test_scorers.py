"""Scorers: what counts as right, in tables; bad targets are errors of the suite, never wrong answers."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import ScoringError, SuiteError
from moa.evals.sample import Sample
from moa.evals.sandbox import finding
from moa.evals.score import Scorer
from moa.evals.scorers import SCORERS, named, prepare
from moa.messages import Conversation
from tests.fakes.backend import ScriptedModel


def sample(target: Any, /, **metadata: Any) -> Sample:
    return Sample("s1", Conversation.of("What is it?"), target, metadata)


async def value(scorer: Scorer, target: Any, output: str, /, **metadata: Any) -> float:
    return (await scorer.score(sample(target, **metadata), output)).value


class TestNames:
    def test_a_name_tells_the_settings_that_are_not_the_usual_ones(self) -> None:
        assert named("numeric").name == "numeric"
        assert named("numeric", tolerance=0.01, relative=0.0).name == "numeric(tolerance=0.01)"
        assert named("regex", pattern=r"(\d+)", whole=True).name == r"regex(pattern=(\d+), whole=True)"

    @pytest.mark.parametrize("name", SCORERS)
    def test_each_is_a_scorer_with_its_own_name(self, name: str) -> None:
        options = {"model": "openai/gpt-4o-mini"} if name == "judge" else {}
        scorer = named(name, **options)
        assert isinstance(scorer, Scorer)
        assert scorer.name.partition("(")[0] == name

    @pytest.mark.parametrize(
        ("name", "options", "told"),
        [
            ("exakt", {}, "no scorer 'exakt'. Did you mean exact?"),
            ("numeric", {"tolerence": 1}, "no setting 'tolerence'. It has relative, tolerance."),
            ("numeric", {"tolerance": -1}, "must be 0 or more"),
            ("judge", {}, "cannot be made"),
            ("regex", {"_process": None}, "no setting '_process'"),
            ("none.py:f", {}, "no file none.py"),
        ],
    )
    def test_a_wrong_one_is_told(self, name: str, options: dict[str, Any], told: str) -> None:
        with pytest.raises(SuiteError, match=told):
            named(name, **options)

    @pytest.mark.parametrize("name", ["exact", "contains", "f1", "numeric", "choice", "math", "code", "regex", "auto"])
    @pytest.mark.parametrize("target", [None, [], [None]])
    async def test_without_a_target_there_is_no_score(self, name: str, target: Any) -> None:
        with pytest.raises(ScoringError, match="'s1'"):
            await named(name).score(sample(target), "something: def f(): pass")


class TestExact:
    @pytest.mark.parametrize(
        ("target", "output"),
        [
            ("Lima", "Lima"),
            ("Lima", " lima.\n"),
            ("Lima", "**Lima**"),
            ("Lima", "Peru is in South America.\n\nThe answer is **Lima**."),
            ("Lima", "Thinking…\nAnswer: Lima"),
            ("Lima", "Answer:\n\nLima"),
            ("Lima", r"So it is \boxed{\text{Lima}}."),
            (["Adriatic Sea", "Adriatic"], "the Adriatic"),
            ("(A)", "So the answer is (A)."),
            ("True", "true"),
            (12, "12"),
            ("] )", "] )"),
            ("ﬁne", "fine"),
        ],
    )
    async def test_the_answer_is_the_text_or_what_it_comes_to(self, target: Any, output: str) -> None:
        assert await value(named("exact"), target, output) == 1

    @pytest.mark.parametrize(
        ("target", "output"),
        [("Lima", "Quito"), ("Lima", ""), ("Lima", "Not Lima"), ("] )", ") ]"), ("Lima", "Lima or Quito"), ("-3", "3")],
    )
    async def test_anything_else_is_wrong(self, target: Any, output: str) -> None:
        assert await value(named("exact"), target, output) == 0

    async def test_case_counts_where_it_is_asked_for(self) -> None:
        assert await value(named("exact", case=True), "pH", "ph") == 0

    @given(st.text(min_size=1).filter(lambda text: bool(text.strip())))
    async def test_every_text_is_itself(self, text: str) -> None:
        assert await value(named("exact"), text, text) == 1


class TestContains:
    @pytest.mark.parametrize(
        ("output", "expected"), [("It is Lima, I think.", 1), ("Limassol", 0), ("LIMA", 1), ("", 0), ("a lima-bean", 1)]
    )
    async def test_whole_words_anywhere(self, output: str, expected: float) -> None:
        assert await value(named("contains"), ["Lima", "Ciudad de los Reyes"], output) == expected


class TestF1:
    @pytest.mark.parametrize(
        ("target", "output", "expected"),
        [
            ("the cat sat", "The cat sat!", 1),
            ("a cat", "cat", 1),
            ("cat sat", "cat ran", 0.5),
            (["dog", "cat sat"], "cat", 2 / 3),
            ("cat", "dog", 0),
            ("cat", "", 0),
            ("cat", "Long story.\nAnswer: the cat", 1),
        ],
    )
    async def test_shared_words(self, target: Any, output: str, expected: float) -> None:
        assert await value(named("f1"), target, output) == pytest.approx(expected)

    @given(st.text(), st.text())
    async def test_is_between_0_and_1_and_the_same_both_ways(self, one: str, other: str) -> None:
        there, back = await value(named("f1"), one, other), await value(named("f1"), other, one)
        assert 0 <= there <= 1
        if "\n" not in one + other and not any(
            mark in (one + other).casefold() for mark in (":", "=", "#", "boxed", "is")
        ):
            assert there == pytest.approx(back)


class TestNumeric:
    @pytest.mark.parametrize(
        ("target", "output"),
        [
            (42, "The answer is 42."),
            ("42", "6 * 7 = 42"),
            (1000, "$1,000"),
            ("1,000.50", "1000.5"),
            (0.5, "1/2"),
            ("1/3", r"\boxed{\frac{1}{3}}"),
            (-3, "x = -3"),
            (-3, "\u22123"),
            (50, "50%"),
            ("#### 72", "#### 72"),
            ("10:30", "At 10:30"),
            ([3, 5], "5"),
            (1e-7, "0.0000001"),
            (10**20, "100000000000000000000"),
        ],
    )
    async def test_equal_numbers_are_equal_however_they_are_written(self, target: Any, output: str) -> None:
        assert await value(named("numeric"), target, output) == 1

    @pytest.mark.parametrize(
        ("target", "output"),
        [(42, "43"), (42, "none"), (42, ""), (0.5, "50%"), ("10:30", "10:31"), (3, "-3"), (3.14, "3.141")],
    )
    async def test_others_are_not(self, target: Any, output: str) -> None:
        assert await value(named("numeric"), target, output) == 0

    @pytest.mark.parametrize(
        ("options", "metadata", "output", "expected"),
        [
            ({"tolerance": 0.01}, {}, "3.141", 1),
            ({"tolerance": 0.0001}, {}, "3.141", 0),
            ({"relative": 0.01}, {}, "3.11", 1),
            ({}, {"tolerance": 0.01}, "3.141", 1),
            ({"tolerance": 1}, {"tolerance": 0}, "3.141", 0),
            ({}, {"tolerance": "0.01"}, "3.141", 1),
        ],
    )
    async def test_a_tolerance_is_the_samples_or_the_scorers(
        self, options: dict[str, Any], metadata: dict[str, Any], output: str, expected: float
    ) -> None:
        assert await value(named("numeric", **options), 3.14, output, **metadata) == expected

    @given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
    async def test_every_number_equals_itself_in_a_sentence(self, number: Any) -> None:
        assert await value(named("numeric"), str(number), f"So the answer is {number:,}.") == 1

    @pytest.mark.parametrize("target", ["many", float("nan")])
    async def test_a_target_must_be_a_number(self, target: Any) -> None:
        with pytest.raises(ScoringError, match="target"):
            await named("numeric").score(sample(target), "1")


class TestChoice:
    @pytest.mark.parametrize("target", ["B", "b", "(B)", "B.", 1, "Quito"])
    @pytest.mark.parametrize(
        "output", ["B", "(B)", "The answer is B.", "**B**", "B) Quito", "Quito", "The answer is: Quito"]
    )
    async def test_the_letter_its_place_and_its_words_are_the_same(self, target: Any, output: str) -> None:
        assert await value(named("choice"), target, output, choices=["Lima", "Quito", "La Paz"]) == 1

    @pytest.mark.parametrize("output", ["A", "", "It could be A or B.", "I do not know"])
    async def test_others_are_wrong(self, output: str) -> None:
        assert await value(named("choice"), "B", output, choices=["Lima", "Quito", "La Paz"]) == 0

    async def test_a_target_must_be_one_of_the_choices(self) -> None:
        with pytest.raises(ScoringError, match="none of its choices"):
            await named("choice").score(sample("Bogotá", choices=["Lima"]), "A")


class TestRegex:
    @pytest.mark.parametrize(
        ("options", "target", "output", "expected"),
        [
            ({}, r"\bcat(s?)\b", "two cats", 1),
            ({}, r"\bcat\b", "two cats", 0),
            ({}, [r"dog", r"cat"], "a cat", 1),
            ({"ignore_case": True}, "CAT", "cat", 1),
            ({"whole": True}, r"\d+", "12\n", 1),
            ({"whole": True}, r"\d+", "is 12", 0),
            ({"pattern": r"Result: (\w+)"}, "red", "Result: blue … Result: Red", 1),
            ({"pattern": r"Result: (\w+)"}, "red", "Result: blue", 0),
            ({"pattern": r"Result: (\w+)"}, "red", "red", 0),
        ],
    )
    async def test_the_target_is_the_pattern_or_what_the_pattern_finds(
        self, options: dict[str, Any], target: Any, output: str, expected: float
    ) -> None:
        assert await value(named("regex", **options), target, output) == expected

    async def test_a_search_without_end_is_ended_and_the_next_one_works(self) -> None:
        scorer = named("regex", seconds=0.5)
        score = await scorer.score(sample(r"(a+)+$"), "a" * 40 + "!")
        assert (score.value, "took more than 0.5 s" in score.explanation) == (0, True)
        assert await value(scorer, "a", "a") == 1

    @pytest.mark.parametrize(("target", "told"), [("(", "no regular expression"), (5, "no regular expression")])
    async def test_a_bad_expression_is_an_error_of_the_suite(self, target: Any, told: str) -> None:
        with pytest.raises(ScoringError, match=told):
            await named("regex").score(sample(target), "x")


class TestJsonSchema:
    SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("output", "expected"),
        [('{"n": 1}', 1), ('```json\n{"n": 1}\n```', 1), ('{"n": "1"}', 0), ('{"n": 1} there', 0), ("", 0), ("[", 0)],
    )
    async def test_json_that_fits(self, output: str, expected: float) -> None:
        assert await value(named("json_schema", schema=self.SCHEMA), None, output) == expected
        assert await value(named("json_schema"), self.SCHEMA, output) == expected
        assert (
            await value(
                named("json_schema"),
                '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}',
                output,
            )
            == expected
        )

    @pytest.mark.parametrize("target", [None, "{", {"type": "no such"}, 5])
    async def test_a_target_must_be_a_schema(self, target: Any) -> None:
        with pytest.raises(ScoringError, match="schema"):
            await named("json_schema").score(sample(target), "{}")


@pytest.mark.skipif(find_spec("math_verify") is None, reason="math-verify is of the extra `eval`")
class TestMath:
    @pytest.fixture(scope="class")
    def scorer(self) -> Scorer:
        return named("math")

    @pytest.mark.parametrize(
        ("target", "output", "expected"),
        [
            (r"\frac{\sqrt{2}}{2}", r"\boxed{\frac{1}{\sqrt{2}}}", 1),
            (r"x^2+2x+1", r"The answer is $(x+1)^2$", 1),
            (r"\left( 3, \frac{\pi}{2} \right)", r"\boxed{(3, \pi/2)}", 1),
            ("p - q", r"So \boxed{p-q}", 1),
            ("9", "The answer is 9.", 1),
            ("1/2", r"\boxed{0.5}", 1),
            (r"\{1,2\}", r"\boxed{\{2, 1\}}", 1),
            ("9", "The answer is 8.", 0),
            ("p - q", r"\boxed{q-p}", 0),
            (r"\frac{\pi}{2}", "I do not know", 0),
            ("9", "", 0),
        ],
    )
    async def test_equality_is_of_mathematics(self, scorer: Scorer, target: str, output: str, expected: float) -> None:
        assert await value(scorer, target, output) == expected

    async def test_algebra_without_end_is_ended_and_the_next_comparison_works(self) -> None:
        quick = named("math", seconds=1)
        assert await value(quick, "x", r"\boxed{9^{9^{9^{9^{9}}}}}") == 0
        assert await value(quick, r"\frac{\pi}{4}", r"\boxed{\pi/4}") == 1


class TestAUsersFunction:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("def f(sample, output):\n    return sample.target in output", 1),
            ("def f(sample, output):\n    return 0.25", 0.25),
            ("async def f(sample, output):\n    return False", 0),
            ("from moa.evals.score import Score\ndef f(sample, output):\n    return Score(1.0, 'x', 'because')", 1),
        ],
    )
    async def test_is_named_by_file_and_function(self, tmp_path: Path, source: str, expected: float) -> None:
        (tmp_path / "mine.py").write_text(source)
        scorer = named(f"{tmp_path}/mine.py:f")
        assert scorer.name == f"{tmp_path}/mine.py:f"
        assert await value(scorer, "Lima", "It is Lima") == expected

    @pytest.mark.parametrize("given", ["'yes'", "2", "None", "float('nan')"])
    async def test_must_give_a_score(self, tmp_path: Path, given: str) -> None:
        (tmp_path / "mine.py").write_text(f"def f(sample, output):\n    return {given}")
        with pytest.raises(ScoringError, match="must be a Score"):
            await named(f"{tmp_path}/mine.py:f").score(sample("x"), "y")

    def test_must_be_there(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text("g = 1")
        with pytest.raises(SuiteError, match="no function 'f'"):
            named(f"{tmp_path}/mine.py:f")


class TestTakingAnother:
    @pytest.mark.parametrize(
        ("target", "output", "expected"),
        [
            (42, "It is 42.0", 1),
            ("$1,200", "1200", 1),
            ("B", "The answer is B", 1),
            ("Lima", "Lima.", 1),
            ("Lima", "42", 0),
        ],
    )
    async def test_auto_looks_at_the_target(self, target: Any, output: str, expected: float) -> None:
        assert await value(named("auto"), target, output) == expected

    async def test_each_does_as_the_sample_says(self) -> None:
        each = named("each")
        assert await value(each, 3.14, "3.1", scorer="numeric", scorer_options={"tolerance": 0.1}) == 1
        assert await value(each, "B", "**B**", scorer="choice") == 1
        assert await value(each, "Lima", "lima") == 1
        with pytest.raises(ScoringError, match="only scorers of moa"):
            await each.score(sample(1, scorer="mine.py:f"), "1")
        with pytest.raises(ScoringError, match="'s1': There is no scorer 'numerik'"):
            await each.score(sample(1, scorer="numerik"), "1")


class TestBeforeAnybodyIsAsked:
    def test_what_cannot_score_here_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "_tried", lambda: (None, (("bubblewrap", "bwrap is not installed"),)))
        for name, metadata in (("code", {}), ("each", {"scorer": "code"})):
            with pytest.raises(ScoringError, match="no sandbox"):
                prepare(named(name), [sample("assert f()", **metadata)])
        prepare(named("code", unsafe=True), [sample("assert f()")])
        prepare(named("exact"), [sample("x")])
        prepare(object(), [sample("x")])


class TestTheJudge:
    @pytest.mark.parametrize(
        ("verdicts", "expected", "told"),
        [
            (("first", "second"), 1, "better than the reference; 4 characters against 9."),
            (("second", "first"), 0, "worse than the reference"),
            (("tie", "tie"), 0.5, "as good as"),
            (("first", "first"), 0.5, "prefers the same place"),
        ],
    )
    async def test_is_asked_both_ways_round(self, verdicts: tuple[str, str], expected: float, told: str) -> None:
        said = {True: verdicts[0], False: verdicts[1]}
        model = ScriptedModel(
            lambda request: f'{{"better": "{said[_mine_first(request.messages[-1].content)]}"}}', reference="test/judge"
        )
        score = await named("judge", model=model).score(sample("reference"), "mine")
        assert (score.value, told in score.explanation) == (expected, True)

    async def test_one_that_does_not_decide_gives_no_score(self) -> None:
        with pytest.raises(ScoringError, match="judge"):
            await named("judge", model=ScriptedModel("I like both.")).score(sample("reference"), "mine")

    async def test_an_empty_answer_needs_no_judge(self) -> None:
        assert (await named("judge", model=ScriptedModel("?")).score(sample("reference"), " ")).value == 0


def _mine_first(shown: str) -> bool:
    return shown.index("mine") < shown.index("reference")

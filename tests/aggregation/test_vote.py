"""Vote returns a draft that comes to what most come to, word for word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.aggregation import Vote
from moa.aggregation.running import Limits
from moa.aggregation.vote import count
from moa.contract import OutputContract
from moa.events import AnswerDelta
from tests.aggregation.asking import ask, mixture
from tests.fakes.router import FixedRouter

ADDS = "Here:\n```python\ndef add(a, b):\n    return a + b\n```"
SUBTRACTS = "```python\ndef add(a, b):\n    return a - b\n```"
LOOPS = "```python\ndef add(a, b):\n    while True: pass\n```"
TESTS = ("assert add(1, 2) == 3",)


async def voted(drafts: dict[str, str], vote: Vote | None = None, weights: dict[str, float] | None = None) -> Any:
    asked = mixture(drafts, vote or Vote())
    if weights:
        asked.router = FixedRouter(**weights)
    return await ask(asked)


class TestExtractedAnswers:
    async def test_the_majority_wins_over_the_weightiest(self) -> None:
        heard = await voted(
            {"math": "#### 5", "code": "It is 4.\n#### 4", "law": "4", "general": "the answer is 4.0"},
            weights={"math": 0.4, "code": 0.2, "law": 0.2, "general": 0.2},
        )
        assert heard.answer.text == "It is 4.\n#### 4"
        assert [delta.draft for delta in heard.of(AnswerDelta)] == ["code.1"]
        assert (heard.answer.aggregator.ran, heard.answer.aggregator.why) == ("vote", "3 of 4 say 4")
        assert heard.degraded == []
        assert heard.answer.spent.calls == 4

    async def test_votes_are_weighted_by_probability(self) -> None:
        heard = await voted(
            {"math": "#### 5", "code": "#### 4", "law": "#### 4"}, weights={"math": 0.9, "code": 0.3, "law": 0.3}
        )
        assert (heard.answer.text, heard.answer.aggregator.why) == ("#### 5", "1 of 3 says 5")

    async def test_the_weightiest_draft_of_the_winners_is_returned(self) -> None:
        heard = await voted(
            {"math": "#### 5", "code": "so 4", "law": "thus 4"}, weights={"math": 0.3, "code": 0.3, "law": 0.4}
        )
        assert heard.answer.text == "thus 4"

    async def test_a_draft_that_comes_to_nothing_does_not_vote(self) -> None:
        heard = await voted({"math": "I cannot tell.", "code": "#### 4"})
        assert (heard.answer.text, heard.answer.aggregator.why) == ("#### 4", "1 of 2 says 4")

    async def test_choices_can_be_voted_on(self) -> None:
        heard = await voted(
            {"math": "(A)", "code": "The answer is B.", "law": "B"}, weights=dict.fromkeys(("math", "code", "law"), 0.3)
        )
        assert heard.answer.text == "The answer is B."

    async def test_the_kind_can_be_given(self) -> None:
        heard = await voted({"math": "(B) because of 3", "code": "3"}, Vote(kind="number"))
        assert heard.answer.aggregator.why == "2 of 2 say 3"


class TestNothingDecided:
    async def test_if_nobody_votes_agreement_decides_and_the_answer_says_so(self) -> None:
        heard = await voted({"law": "gamma delta", "math": "alpha beta", "code": "alpha beta too"})
        assert heard.answer.text == "alpha beta"
        [(what, why)] = heard.degraded
        assert what == "aggregator"
        assert why.startswith("No draft comes to anything that can be counted")

    async def test_if_all_differ_the_weightiest_wins_and_the_answer_says_so(self) -> None:
        heard = await voted({"math": "#### 1", "code": "#### 2", "law": "#### 3"})
        assert heard.answer.text == "#### 1"
        assert heard.degraded == [
            ("aggregator", "No two drafts come to the same, so the one with the most weight is taken.")
        ]


class TestCode:
    async def test_code_that_passes_wins_over_a_majority_that_does_not(self) -> None:
        heard = await voted({"math": SUBTRACTS, "code": SUBTRACTS, "law": ADDS}, Vote(tests=TESTS))
        assert (heard.answer.text, heard.answer.aggregator.why) == (ADDS, "1 of 3 passes the tests")
        assert heard.degraded == []

    async def test_the_tests_of_the_contract_count_where_there_are_no_others(self) -> None:
        asked = mixture({"math": SUBTRACTS, "code": ADDS}, Vote())
        heard = await ask(asked, output=OutputContract(code="python", tests=TESTS))
        assert heard.answer.text == ADDS

    async def test_code_that_never_ends_fails(self) -> None:
        heard = await voted({"math": LOOPS, "code": ADDS}, Vote(tests=TESTS, limits=Limits(seconds=3)))
        assert heard.answer.text == ADDS

    async def test_if_none_passes_the_weightiest_is_returned_and_the_answer_says_so(self) -> None:
        heard = await voted({"math": SUBTRACTS, "code": LOOPS}, Vote(tests=TESTS, limits=Limits(seconds=3)))
        assert (heard.answer.text, heard.answer.aggregator.why) == (SUBTRACTS, "none of 2 passes its tests")
        assert [what for what, _ in heard.degraded] == ["aggregator"]

    async def test_what_is_no_code_does_not_vote(self) -> None:
        heard = await voted({"math": "I would rather not.", "code": SUBTRACTS}, Vote(tests=TESTS))
        assert heard.answer.text == SUBTRACTS

    def test_a_single_test_may_stand_without_a_list(self) -> None:
        assert Vote(tests="assert f() == 1").tests == ("assert f() == 1",)


VOTES = st.lists(
    st.tuples(st.sampled_from(["4", "5", "6", None]), st.floats(0.001, 1), st.floats(0, 1)), min_size=1, max_size=8
)


class TestCount:
    def test_of_equal_sums_the_weight_decides(self) -> None:
        assert count(["4", "5"], [0.5, 0.5], [0.4, 0.6]).winner == "5"
        assert count(["5", "4"], [0.5, 0.5], [0.6, 0.4]).winner == "5"

    def test_sums_that_differ_only_by_rounding_are_equal(self) -> None:
        tally = count(["5", "4", "4", "4"], [0.3, 0.1, 0.1, 0.1], [0.9, 0.0, 0.0, 0.1])
        assert tally.winner == "5"

    @given(VOTES, st.data())
    def test_the_order_of_the_drafts_changes_nothing_but_full_ties(
        self, votes: list[tuple[str | None, float, float]], data: st.DataObject
    ) -> None:
        tally = count(*zip(*votes, strict=True))
        again = count(*zip(*data.draw(st.permutations(votes)), strict=True))
        assert dict(again.shares) == pytest.approx(dict(tally.shares))
        if tally.winner != again.winner:
            assert tally.winner is not None
            assert again.winner is not None
            assert tally.shares[tally.winner] == pytest.approx(tally.shares[again.winner], abs=1e-8)

    @given(VOTES)
    def test_the_winner_has_the_largest_share(self, votes: list[tuple[str | None, float, float]]) -> None:
        tally = count(*zip(*votes, strict=True))
        assert (tally.winner is None) == all(value is None for value, _, _ in votes)
        assert tally.winner is None or tally.shares[tally.winner] == max(tally.shares.values())

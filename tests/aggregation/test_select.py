"""Select returns the best draft word for word, whatever becomes of the judge."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from moa.agent import Agent
from moa.aggregation import Judge, Select
from moa.backends.base import Request
from moa.budget import Budget
from moa.errors import AgentError, BackendError
from moa.events import AnswerDelta
from moa.mixture import Mixture
from tests.aggregation.asking import agent, ask, mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

DRAFTS = {"math": "alpha beta one", "code": "alpha beta two", "law": "gamma delta"}
HANGS = ScriptedModel([asyncio.Event()])


def prefers(*texts: str) -> Callable[[Request], str]:
    """Judge by a ranking: whichever text stands earlier in it is better."""

    def said(request: Request) -> str:
        shown: dict[str, str] = dict(
            re.findall(r'name="(first|second)">\n(.*?)\n</answer', request.messages[-1].content, re.DOTALL)
        )
        return min(shown, key=lambda place: texts.index(shown[place]))

    return said


def crowd(count: int, aggregator: Select) -> Mixture:
    """Return a mixture of so many agents, a0 with the most weight; each says its own name."""
    names = [f"a{number}" for number in range(count)]
    agents: list[Agent] = [agent(name, name) for name in names]
    weights = {name: (count - place) / 100 for place, name in enumerate(names)}
    return Mixture(agents, router=FixedRouter(**weights), aggregator=aggregator)


class TestByJudge:
    async def test_the_draft_that_wins_most_pairs_is_returned_untouched(self) -> None:
        judge = ScriptedModel(prefers("gamma delta", "alpha beta two", "alpha beta one"))
        heard = await ask(mixture(DRAFTS, Select(model=judge)))
        assert heard.answer.text == "gamma delta"
        assert [delta.draft for delta in heard.of(AnswerDelta)] == ["law.1"]
        assert (heard.answer.aggregator.ran, heard.answer.aggregator.why) == ("select", "the draft of law: by judge")
        assert heard.degraded == []
        assert len(judge.requests) == 6  # three pairs, both ways round

    async def test_without_a_model_the_weightiest_agents_own_judges(self) -> None:
        own = ScriptedModel(lambda request: "tie" if len(request.messages) > 1 else "alpha beta one")
        heard = await ask(mixture({**DRAFTS, "math": own}, Select()))
        assert len(own.requests) == 7
        assert heard.answer.text == "alpha beta one"

    async def test_a_judge_may_bring_its_own_instructions(self) -> None:
        model = ScriptedModel("tie")
        await ask(mixture(DRAFTS, Select(model=Judge(model, instructions="Brevity counts."))))
        assert model.requests[0].messages[0].content == "Brevity counts."

    async def test_of_more_than_four_drafts_the_best_so_far_meets_the_next(self) -> None:
        judge = ScriptedModel(prefers("a3", "a0", "a1", "a2", "a4", "a5"))
        heard = await ask(crowd(6, Select(model=judge)))
        assert heard.answer.text == "a3"
        assert len(judge.requests) == 10  # five meetings, both ways round

    async def test_drafts_that_are_the_same_need_no_judge(self) -> None:
        judge = ScriptedModel("first")
        heard = await ask(mixture({"math": "4", "code": " 4 "}, Select(model=judge)))
        assert heard.answer.text == "4"
        assert judge.requests == []


class TestBadJudges:
    @pytest.mark.parametrize(
        ("judge", "why"),
        [
            (ScriptedModel("banana"), "did not say which answer is better, but: 'banana'"),
            (ScriptedModel("first"), "preferred the same place, whatever stood there"),
            (ScriptedModel("second"), "preferred the same place, whatever stood there"),
            (HANGS, "did not decide within 0.05 s"),
            (ScriptedModel([BackendError("The line broke.")]), "The line broke."),
            (ScriptedModel([RuntimeError("oops")]), "failed: RuntimeError: oops"),
        ],
        ids=["nonsense", "first place", "second place", "hangs", "fails", "breaks"],
    )
    async def test_agreement_decides_in_place_of_a_bad_judge_and_the_answer_says_so(
        self, judge: ScriptedModel, why: str
    ) -> None:
        heard = await ask(mixture(DRAFTS, Select(model=judge, seconds=0.05)))
        assert heard.answer.text == "alpha beta one"  # as near to the second as the second to it, and weightier
        [(what, told)] = heard.degraded
        assert what == "judge"
        assert why in told
        assert told.endswith("Agreement of the drafts, then the routing, decided instead.")
        assert heard.answer.aggregator.why == "the draft of math: it agrees most with the others"
        assert judge.open_calls == 0

    async def test_if_some_comparisons_fail_the_others_decide_and_the_answer_says_so(self) -> None:
        fair = prefers("gamma delta", "alpha beta two", "alpha beta one")

        def moody(request: Request) -> Any:
            return "banana" if "gamma" not in request.messages[-1].content else fair(request)

        heard = await ask(mixture(DRAFTS, Select(model=ScriptedModel(moody))))
        assert heard.answer.text == "gamma delta"
        [(what, told)] = heard.degraded
        assert what == "judge"
        assert told.startswith("1 of 3 comparisons failed: ")
        assert told.endswith("The rest decided.")

    async def test_of_many_drafts_a_judge_that_hangs_costs_its_time_once(self) -> None:
        judge = ScriptedModel([asyncio.Event()])
        heard = await ask(crowd(6, Select(model=judge, seconds=0.05)))
        assert heard.answer.text == "a0"
        assert len(judge.requests) == 2
        assert [what for what, _ in heard.degraded] == ["judge"]

    async def test_a_budget_that_allows_no_judge_is_told_of_as_such(self) -> None:
        heard = await ask(mixture(DRAFTS, Select(model=ScriptedModel("first"))), budget=Budget(calls=3))
        assert heard.answer.text == "alpha beta one"
        assert [what for what, _ in heard.degraded] == ["budget"]


class TestByScore:
    async def test_the_best_grade_wins(self) -> None:
        grader = ScriptedModel(lambda request: "9/10" if "gamma" in request.messages[-1].content else '{"grade": 3}')
        heard = await ask(mixture(DRAFTS, Select("score", grader)))
        assert heard.answer.text == "gamma delta"
        assert heard.answer.aggregator.why == "the draft of law: by score"

    async def test_of_equal_grades_agreement_decides(self) -> None:
        heard = await ask(mixture(DRAFTS, Select("score", ScriptedModel("5"))))
        assert heard.answer.text == "alpha beta one"

    async def test_a_function_of_your_own_may_grade(self) -> None:
        async def shortness(question: str, text: str) -> float:
            assert question == "What is 17 * 23?"
            return -len(text)

        assert (await ask(mixture(DRAFTS, Select("score", shortness)))).answer.text == "gamma delta"

    @pytest.mark.parametrize(
        ("grade", "why"),
        [(math.nan, "returned nan"), (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"), (None, "TypeError")],
    )
    async def test_a_draft_that_cannot_be_graded_is_last_and_the_answer_says_so(self, grade: Any, why: str) -> None:
        async def scorer(_: str, text: str) -> float:
            if "gamma" not in text:
                return -1.0
            if isinstance(grade, Exception):
                raise grade
            return float(grade)

        heard = await ask(mixture(DRAFTS, Select("score", scorer)))
        assert heard.answer.text == "alpha beta one"
        [(what, told)] = heard.degraded
        assert what == "judge"
        assert told.startswith("1 of 3 drafts could not be graded: ")
        assert why in told

    async def test_a_function_that_hangs_is_given_up(self) -> None:
        async def scorer(_: str, __: str) -> float:
            await asyncio.Event().wait()
            return 1.0

        heard = await ask(mixture(DRAFTS, Select("score", scorer, seconds=0.05)))
        assert heard.answer.text == "alpha beta one"
        assert "did not grade within 0.05 s" in heard.degraded[0][1]


class TestByAgreement:
    async def test_the_draft_that_says_what_the_others_say_is_returned_with_no_call(self) -> None:
        drafts = {"law": "gamma delta", "math": "alpha beta one", "code": "alpha beta one two"}
        heard = await ask(mixture(drafts, Select("agreement")))
        assert heard.answer.text == "alpha beta one"
        assert heard.answer.spent.calls == 3
        assert heard.degraded == []


class TestSettings:
    @pytest.mark.parametrize("settings", [{"by": "luck"}, {"seconds": 0}, {"by": "judge", "model": print}])
    def test_what_cannot_work_is_refused_at_once(self, settings: dict[str, Any]) -> None:
        with pytest.raises(AgentError):
            Select(**settings)

"""The guard: what another aggregator made is given only if it is no worse than the best draft."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from moa.aggregation import Auto, Escalate, Guard, Judge, Refine, SelfMix, Solo, Synthesize
from moa.answers import Draft
from moa.backends.base import Delta, Request
from moa.budget import Budget
from moa.errors import AgentError, BackendError, ModelReferenceError
from moa.events import AnswerDelta, AnswerReplaced
from tests.aggregation.asking import agent, ask, mixture, model
from tests.fakes.backend import ScriptedModel

SUMS = {"math": "17 * 20 = 340, and 17 * 3 = 51.\n#### 391", "code": "It is 391.\n#### 391"}


def synthesis(script: str | list[object], **guard: object) -> Guard:
    return Guard(Synthesize(model(script)), **guard)  # type: ignore[arg-type]


def prefers(text: str) -> ScriptedModel:
    """Return a judge that prefers the answer that holds a text, wherever it stands."""

    def verdict(request: Request) -> str:
        first = request.messages[-1].content.partition('name="second"')[0]
        return '{"better": "first"}' if text in first else '{"better": "second"}'

    return ScriptedModel(verdict, "scripted:judge")


class TestWhatPasses:
    async def test_a_good_answer_streams_as_provisional_and_stays(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("17 times 23 is 391.\n#### 391")))
        assert heard.answer.text == "17 times 23 is 391.\n#### 391"
        assert all(delta.provisional for delta in heard.of(AnswerDelta))
        assert heard.of(AnswerReplaced) == []
        assert heard.answer.aggregator.ran == "guard(synthesize)"
        assert heard.answer.degraded == ()

    async def test_an_answer_that_says_the_number_without_a_mark_does_not_contradict(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("Altogether you get 391 of them, which is a lot.")))
        assert heard.answer.text.startswith("Altogether")

    async def test_drafts_that_differ_bind_nobody(self) -> None:
        heard = await ask(mixture({"math": "#### 391", "code": "#### 381"}, synthesis("#### 390")))
        assert heard.answer.text == "#### 390"

    async def test_short_drafts_allow_a_few_sentences(self) -> None:
        heard = await ask(mixture({"math": "Yes indeed.", "code": "Perhaps so."}, synthesis("x" * 600)))
        assert heard.answer.text == "x" * 600


class TestWhatIsRejected:
    async def test_a_contradiction_of_what_all_drafts_come_to(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("I think it is 381.\n#### 381")))
        assert heard.answer.text == SUMS["math"]
        assert heard.answer.aggregator.ran == "solo"
        assert "all drafts come to 391, and it comes to 381" in heard.answer.aggregator.why
        assert heard.degraded == [("aggregator", heard.answer.aggregator.why)]

    async def test_it_is_replaced_before_the_readers_eyes(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("#### 381")))
        [replaced] = heard.of(AnswerReplaced)
        assert replaced.text == SUMS["math"]
        assert "391" in replaced.why

    async def test_an_empty_answer(self) -> None:
        async def nothing(_: str, __: Sequence[Draft]) -> str:
            return " \n"

        heard = await ask(mixture(SUMS, Guard(nothing)))
        assert heard.answer.text == SUMS["math"]
        assert "it is empty" in heard.answer.aggregator.why

    async def test_one_that_is_much_longer_than_every_draft(self) -> None:
        drafts = {"math": "a" * 300, "code": "b" * 100}
        heard = await ask(mixture(drafts, synthesis("c" * 901)))
        assert heard.answer.text == "a" * 300
        assert "3.0 times as long" in heard.answer.aggregator.why
        assert (await ask(mixture(drafts, synthesis("c" * 900)))).answer.text == "c" * 900
        assert (await ask(mixture(drafts, synthesis("c" * 901, longest=4)))).answer.text == "c" * 901

    async def test_one_that_breaks_the_form_where_a_draft_keeps_it(self) -> None:
        class Sum(BaseModel):
            value: int

        drafts = {"math": "It is 391.", "code": '{"value": 391}'}
        heard = await ask(mixture(drafts, synthesis("The value is 391.")), output=Sum)
        assert heard.answer.text == '{"value": 391}'
        assert "The draft of code" in heard.answer.aggregator.why

    async def test_where_no_draft_keeps_the_form_the_repair_has_its_chance(self) -> None:
        class Sum(BaseModel):
            value: int

        def math(request: Request) -> str:
            return '{"value": 391}' if "What is wrong with its form" in request.messages[-1].content else "391!"

        heard = await ask(mixture({"math": ScriptedModel(math), "code": "391."}, synthesis("It is 391.")), output=Sum)
        assert heard.answer.text == '{"value": 391}'
        assert [what for what, _ in heard.degraded] == ["contract"]


class TestTheJudge:
    async def test_who_prefers_the_draft_both_ways_round_has_it_returned(self) -> None:
        judge = prefers("drafted")
        heard = await ask(mixture({"math": "drafted one", "code": "two"}, synthesis("merged", judge=judge)))
        assert heard.answer.text == "drafted one"
        assert "scripted:judge prefers it" in heard.answer.aggregator.why
        assert len(judge.requests) == 2

    async def test_who_prefers_the_answer_or_whatever_comes_first_changes_nothing(self) -> None:
        for judge, told in ((prefers("merged"), []), (ScriptedModel('{"better": "first"}'), ["judge"])):
            heard = await ask(mixture({"math": "drafted", "code": "two"}, synthesis("merged", judge=judge)))
            assert heard.answer.text == "merged"
            assert [what for what, _ in heard.degraded] == told

    @pytest.mark.parametrize(
        ("script", "cause"),
        [
            ("Bananas are yellow.", "did not say which answer is better"),
            ([BackendError("no line")], "no line"),
            ([ZeroDivisionError("oops")], "oops"),
        ],
    )
    async def test_who_fails_is_told_of_and_the_answer_stands(self, script: list[object], cause: str) -> None:
        heard = await ask(mixture({"math": "m", "code": "c"}, synthesis("merged", judge=model(script))))
        assert heard.answer.text == "merged"
        [(what, why)] = heard.degraded
        assert what == "judge"
        assert cause in why

    async def test_who_hangs_is_waited_for_so_long_and_no_longer(self) -> None:
        judge = Judge(ScriptedModel([asyncio.Event()]), seconds=0.01)
        heard = await ask(mixture({"math": "m", "code": "c"}, synthesis("merged", judge=judge)))
        assert heard.answer.text == "merged"
        assert "did not decide within 0.01 s" in heard.degraded[0][1]

    async def test_who_is_not_within_the_budget_is_not_asked(self) -> None:
        judge = prefers("m")
        heard = await ask(mixture({"math": "m", "code": "c"}, synthesis("merged", judge=judge)), budget=Budget(calls=3))
        assert heard.answer.text == "merged"
        assert heard.degraded[0][0] == "budget"
        assert judge.requests == []


class TestAReaderWhoCannotTakeAnythingBack:
    async def test_gets_a_good_answer_once_it_is_judged(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("It is\n#### 391")), replaceable=False)
        [delta] = heard.of(AnswerDelta)
        assert (delta.text, delta.provisional) == ("It is\n#### 391", False)

    async def test_never_sees_a_rejected_one(self) -> None:
        heard = await ask(mixture(SUMS, synthesis("It is\n#### 381")), replaceable=False)
        assert [delta.text for delta in heard.of(AnswerDelta)] == [SUMS["math"]]
        assert heard.of(AnswerReplaced) == []

    async def test_never_sees_what_broke_off(self) -> None:
        broken = synthesis([Delta("Half an ans"), BackendError("The line broke.")])
        heard = await ask(mixture(SUMS, broken), replaceable=False)
        assert [delta.text for delta in heard.of(AnswerDelta)] == [SUMS["math"]]


class TestWhatItWraps:
    async def test_an_aggregator_that_fails_gives_way_to_the_best_draft(self) -> None:
        heard = await ask(mixture(SUMS, synthesis([Delta("Half"), BackendError("no line")])))
        assert heard.answer.text == SUMS["math"]
        assert "no line" in heard.degraded[0][1]

    async def test_one_that_chooses_another_for_each_turn(self) -> None:
        heard = await ask(mixture(SUMS, Guard(Auto(writer=model("#### 391")))))
        assert heard.answer.aggregator.asked == "guard(auto)"
        assert heard.answer.aggregator.ran == "guard(guard(synthesize))"

    async def test_one_that_says_who_opens(self) -> None:
        guarded = Guard(Escalate("cheap", confident=0.9))
        heard = await ask(mixture({"math": "The strong draft. " * 60}, guarded, agent("cheap", "Unsure.")))
        assert [draft.agent for draft in heard.answer.drafts] == ["cheap", "math"]
        assert heard.answer.text == "The strong draft. " * 60, "it is not held against the cheap draft"

    async def test_one_that_samples_an_agent(self) -> None:
        samples = iter(["#### 391", "#### 381", "#### 391"])
        math = ScriptedModel(lambda _: next(samples))
        heard = await ask(mixture({"math": math}, Guard(SelfMix(n=3))))
        assert heard.answer.text == "#### 391"
        assert len(heard.answer.drafts) == 3

    async def test_the_best_draft_is_one_of_the_last_layer(self) -> None:
        drafts = iter(["early one", "late one"])
        guarded = Guard(Refine(then=Synthesize(model("x" * 700))))
        heard = await ask(mixture({"math": ScriptedModel(lambda _: next(drafts)), "code": "other"}, guarded))
        assert heard.answer.text == "late one"

    async def test_an_answer_that_is_the_best_draft_is_asked_nobody_about(self) -> None:
        judge = prefers("nothing")
        heard = await ask(mixture({"math": "m", "code": "c"}, Guard(Solo(), judge=judge)))
        assert heard.answer.text == "m"
        assert judge.requests == []


class TestMistakes:
    def test_of_settings(self) -> None:
        with pytest.raises(AgentError, match=r"longest of a Guard is 0\.5"):
            Guard(Solo(), longest=0.5)
        with pytest.raises(AgentError, match="Did you mean Synthesize"):
            Guard(Synthesize)  # type: ignore[arg-type]
        with pytest.raises(ModelReferenceError):
            Guard(Solo(), judge="nothing")

"""Escalate asks a cheap agent first, and more only where it is not sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from moa.aggregation import Escalate, Verifier, Vote
from moa.backends.base import Delta, Finish
from moa.budget import Budget
from moa.errors import AgentError, AllDraftsFailed, BackendError
from moa.messages import Usage
from moa.mixture import Mixture
from tests.aggregation.asking import ask, mixture
from tests.fakes.backend import ScriptedModel

BROKE = [BackendError("The line broke.")]


def sure(probability: float | None, text: str = "cheap") -> list[Any]:
    return [Delta(text), Finish(Usage(5, 2), "stop", 0.0, confidence=probability)]


def cascade(escalate: Escalate, cheap: Any, strong: Any = "strong", **more: Any) -> Mixture:
    """Return a mixture whose router prefers the strong agent."""
    return mixture({"strong": strong, "small": cheap, **more}, escalate)


class TestByProbability:
    async def test_a_cheap_agent_that_is_sure_enough_answers_alone(self) -> None:
        strong = ScriptedModel("strong")
        heard = await ask(cascade(Escalate("small", confident=0.8), sure(0.8), strong))
        assert heard.answer.text == "cheap"
        assert heard.answer.aggregator.why == "the draft of small: mean token probability 0.80"
        assert strong.requests == []
        assert heard.degraded == []

    async def test_one_that_is_not_is_not_heard(self) -> None:
        heard = await ask(cascade(Escalate("small", then="strong", confident=0.8), sure(0.79)))
        assert heard.answer.text == "strong"
        assert heard.answer.aggregator.why == "went on to strong: mean token probability 0.79, and 0.80 was wanted"
        assert [draft.agent for draft in heard.answer.drafts] == ["small", "strong"]

    async def test_a_model_that_does_not_tell_counts_as_unsure_and_the_answer_says_so(self) -> None:
        heard = await ask(cascade(Escalate("small"), sure(None)))
        assert heard.answer.text == "strong"
        [(what, why)] = heard.degraded
        assert what == "aggregator"
        assert why == "The draft counts as unsure, for scripted:small does not tell how sure it is."

    async def test_the_probabilities_are_asked_for(self) -> None:
        cheap = ScriptedModel(sure(0.95))
        await ask(cascade(Escalate("small"), cheap))
        assert cheap.requests[0].sampling.confidence


class TestByAgreement:
    async def test_two_samples_that_agree_are_enough(self) -> None:
        cheap = ScriptedModel("#### 4")
        heard = await ask(cascade(Escalate("small", by="agreement"), cheap))
        assert heard.answer.text == "#### 4"
        assert [draft.id for draft in heard.answer.drafts] == ["small.1", "small.2"]
        assert [request.sampling.temperature for request in cheap.requests] == [None, 0.7]

    async def test_two_that_do_not_are_not(self) -> None:
        answers = iter(["#### 4", "#### 5"])
        heard = await ask(cascade(Escalate("small", by="agreement"), ScriptedModel(lambda _: next(answers))))
        assert heard.answer.text == "strong"
        assert "its two samples agree by 0.00" in heard.answer.aggregator.why

    async def test_one_that_failed_agrees_with_nobody(self) -> None:
        answers: Iterator[Any] = iter(["#### 4", BROKE])
        heard = await ask(cascade(Escalate("small", by="agreement"), ScriptedModel(lambda _: next(answers))))
        assert heard.answer.text == "strong"
        assert "one of its two samples failed" in heard.answer.aggregator.why


class TestByVerifier:
    @pytest.mark.parametrize(("said", "text"), [("true", "cheap"), ("false", "strong")])
    async def test_it_decides(self, said: str, text: str) -> None:
        heard = await ask(cascade(Escalate("small", by=Verifier(ScriptedModel(said))), "cheap"))
        assert heard.answer.text == text
        assert heard.degraded == []

    async def test_one_that_fails_means_unsure_and_the_answer_says_so(self) -> None:
        heard = await ask(cascade(Escalate("small", by=Verifier(ScriptedModel("banana"))), "cheap"))
        assert heard.answer.text == "strong"
        [(what, why)] = heard.degraded
        assert what == "judge"
        assert "was not verified" in why


class TestBars:
    @pytest.mark.parametrize("by", ["probability", "agreement"])
    async def test_a_bar_of_0_stays_with_the_cheap_agent(self, by: Any) -> None:
        heard = await ask(cascade(Escalate("small", confident=0, by=by), "cheap"))
        assert (heard.answer.text, heard.answer.spent.calls) == ("cheap", 1)

    async def test_a_bar_of_1_goes_straight_to_the_strong_one(self) -> None:
        heard = await ask(cascade(Escalate("small", then="strong", confident=1), "cheap"))
        assert (heard.answer.text, heard.answer.spent.calls) == ("strong", 1)

    @pytest.mark.parametrize(
        ("bars", "text"),
        [({"strong": 0.0, "*": 1.0}, "cheap"), ({"small": 0.0, "*": 1.0}, "strong"), ({"small": 0.0}, "strong")],
    )
    async def test_the_field_decides_which_bar_it_is(self, bars: Mapping[str, float], text: str) -> None:
        """The field is the agent that the router finds the most probable: `strong`."""
        heard = await ask(cascade(Escalate("small", confident=bars), sure(0.5)))
        assert heard.answer.text == text


class TestFailures:
    async def test_if_the_cheap_one_fails_the_strong_one_answers_though_it_is_not_on_the_panel(self) -> None:
        mix = mixture({"small": BROKE, "strong": "strong"}, Escalate("small", then="strong"), fallback="small")
        mix.router.weights = {"small": 1.0}  # type: ignore[attr-defined]
        heard = await ask(mix)
        assert heard.answer.text == "strong"
        assert heard.degraded == [("draft", "The line broke."), ("panel", "Answers in place of small.")]

    async def test_if_the_strong_one_fails_the_cheap_draft_is_returned_and_the_answer_says_so(self) -> None:
        heard = await ask(cascade(Escalate("small"), sure(0.2), BROKE))
        assert heard.answer.text == "cheap"
        assert [what for what, _ in heard.degraded] == ["draft", "panel"]
        assert "nobody stronger answered: its draft is returned" in heard.degraded[1][1]

    async def test_if_the_strong_one_that_a_field_goes_to_fails_the_cheap_one_is_asked(self) -> None:
        heard = await ask(cascade(Escalate("small", then="strong", confident=1), "cheap", BROKE))
        assert heard.answer.text == "cheap"
        assert "panel" in [what for what, _ in heard.degraded]

    async def test_a_budget_that_allows_no_escalation_is_told_of_as_such(self) -> None:
        heard = await ask(cascade(Escalate("small"), sure(0.2)), budget=Budget(calls=1))
        assert heard.answer.text == "cheap"
        assert {what for what, _ in heard.degraded} == {"budget"}

    async def test_if_both_fail_it_is_an_error(self) -> None:
        with pytest.raises(AllDraftsFailed):
            await ask(cascade(Escalate("small"), BROKE, BROKE))


class TestThePanel:
    async def test_without_a_strong_agent_it_goes_on_to_the_panel(self) -> None:
        heard = await ask(cascade(Escalate("small", inner=Vote()), sure(0.2, "#### 4"), "so 4", law="4", code="5"))
        assert heard.answer.text == "so 4"  # the weightiest of the three that say so, the cheap one counted
        assert heard.answer.aggregator.ran == "escalate, then vote"
        assert heard.answer.aggregator.why.endswith("3 of 4 say 4")

    async def test_with_nothing_to_make_one_answer_the_weightiest_is_returned(self) -> None:
        heard = await ask(cascade(Escalate("small"), sure(0.2), "strong", law="law"))
        assert heard.answer.text == "strong"

    async def test_where_the_cheap_one_is_the_whole_panel_it_answers(self) -> None:
        heard = await ask(mixture({"small": sure(0.1)}, Escalate("small")))
        assert heard.answer.text == "cheap"
        assert heard.answer.aggregator.why == "the draft of small: there is nobody stronger on the panel"


class TestSettings:
    @pytest.mark.parametrize(
        "settings", [{"confident": 1.1}, {"confident": {"math": -0.1}}, {"then": "small"}], ids=str
    )
    def test_what_cannot_work_is_refused_at_once(self, settings: dict[str, Any]) -> None:
        with pytest.raises(AgentError, match="Escalate"):
            Escalate("small", **settings)

    @pytest.mark.parametrize("escalate", [Escalate("chess"), Escalate("small", then="chess")])
    async def test_an_agent_that_does_not_exist_is_an_error(self, escalate: Escalate) -> None:
        with pytest.raises(AgentError, match="Escalate names the agent 'chess'"):
            await ask(cascade(escalate, "cheap"))

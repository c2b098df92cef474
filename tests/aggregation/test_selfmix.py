"""SelfMix asks one agent several times, and stops when the vote is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from moa.agent import Agent
from moa.aggregation import Select, SelfMix, Vote
from moa.aggregation.selfmix import _chance
from moa.backends.base import Request
from moa.budget import Budget
from moa.errors import AgentError, AllDraftsFailed, BackendError
from moa.mixture import Mixture
from tests.aggregation.asking import Heard, ask, mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter


def by_seed(*answers: Any) -> ScriptedModel:
    """Say for each seed what stands in its place."""

    def said(request: Request) -> Any:
        assert request.sampling.seed is not None
        answer = answers[request.sampling.seed]
        return [answer] if isinstance(answer, Exception) else answer

    return ScriptedModel(said)


async def asked(mix: SelfMix, answers: Sequence[Any], **given: Any) -> tuple[Heard, ScriptedModel]:
    model = by_seed(*answers)
    return await ask(mixture({"math": model}, mix, **given)), model


class TestSampling:
    async def test_one_agent_drafts_several_times_with_other_seeds(self) -> None:
        heard, model = await asked(SelfMix(n=3), ["#### 4", "#### 5", "so 4"])
        assert [(draft.id, draft.status) for draft in heard.answer.drafts] == [
            ("math.1", "ok"),
            ("math.2", "ok"),
            ("math.3", "ok"),
        ]
        assert [(each.sampling.seed, each.sampling.temperature) for each in model.requests] == [
            (0, 0.7),
            (1, 0.7),
            (2, 0.7),
        ]
        assert heard.answer.text == "#### 4"
        assert heard.answer.aggregator.ran == "self_mix, then vote"
        assert heard.answer.aggregator.why == "3 of 3 samples of math; 2 of 3 say 4"

    async def test_the_agent_with_the_most_weight_is_asked_or_the_one_that_is_named(self) -> None:
        drafts = {"math": "#### 1", "code": "#### 2"}
        assert (await ask(mixture(drafts, SelfMix(n=2)))).answer.text == "#### 1"
        assert (await ask(mixture(drafts, SelfMix("code", n=2)))).answer.text == "#### 2"

    async def test_an_agent_that_may_write_one_at_a_time_writes_one_after_the_other(self) -> None:
        busiest = 0

        def said(_: Request) -> str:
            nonlocal busiest
            busiest = max(busiest, model.open_calls)
            return "#### 4"

        model = ScriptedModel(said)
        mix = Mixture([Agent("math", model=model, capacity=1)], router=FixedRouter(math=1.0), aggregator=SelfMix(n=4))
        assert (await ask(mix)).answer.text == "#### 4"
        assert busiest == 1

    async def test_any_aggregator_may_end_it_and_then_all_samples_are_drawn_at_once(self) -> None:
        heard, _ = await asked(SelfMix(n=4, wave=1, then=Select("agreement")), ["a b", "a b c", "x", "y"])
        assert len(heard.answer.drafts) == 4
        assert (
            heard.answer.aggregator.why == "4 of 4 samples of math; the draft of math: it agrees most with the others"
        )


class TestStopping:
    async def test_it_stops_when_the_rest_cannot_catch_up(self) -> None:
        heard, model = await asked(SelfMix(n=5, wave=3, sure=1), ["#### 4"] * 5)
        assert len(model.requests) == 3
        assert heard.answer.aggregator.why == "3 of 5 samples of math, then the vote was decided; 3 of 3 say 4"

    async def test_it_goes_on_while_the_rest_could(self) -> None:
        heard, model = await asked(SelfMix(n=5, wave=2, sure=1), ["#### 4", "#### 4", "#### 5", "#### 5", "#### 5"])
        assert len(model.requests) == 5
        assert heard.answer.text == "#### 5"

    async def test_it_stops_when_the_lead_is_sure_enough(self) -> None:
        _, model = await asked(SelfMix(n=16, wave=4, sure=0.95), ["#### 4"] * 16)
        assert len(model.requests) == 4  # 31/32 of Beta(5, 1) lies above one half
        _, model = await asked(SelfMix(n=16, wave=4, sure=1), ["#### 4"] * 16)
        assert len(model.requests) == 12

    async def test_samples_that_come_to_nothing_decide_nothing(self) -> None:
        _, model = await asked(SelfMix(n=6, wave=2), ["hm"] * 6)
        assert len(model.requests) == 6

    async def test_a_vote_by_tests_stops_too(self) -> None:
        code = "```python\ndef f(): return 1\n```"
        _, model = await asked(SelfMix(n=5, wave=3, then=Vote(tests=("assert f() == 1",))), [code] * 5)
        assert len(model.requests) == 3

    @given(st.integers(0, 40), st.integers(0, 40))
    def test_the_chance_is_the_mass_of_the_beta_distribution_above_one_half(self, lead: int, second: int) -> None:
        assert _chance(lead, second) == pytest.approx(float(beta.sf(0.5, lead + 1, second + 1)))


class TestFailures:
    async def test_a_sample_that_fails_leaves_the_others(self) -> None:
        heard, _ = await asked(SelfMix(n=3), [BackendError("The line broke."), "#### 4", "#### 4"])
        assert heard.answer.text == "#### 4"
        assert heard.answer.aggregator.why == "2 of 3 samples of math; 2 of 2 say 4"
        assert heard.degraded == [("draft", "The line broke.")]

    async def test_if_a_whole_wave_fails_no_other_is_drawn_and_the_answer_says_so(self) -> None:
        broke = BackendError("The line broke.")
        heard, model = await asked(SelfMix(n=9, wave=3), ["#### 4", "#### 5", "#### 6", *[broke] * 6])
        assert len(model.requests) == 6
        assert heard.degraded[-2] == ("draft", "None of the next 3 samples succeeded. So 3 of 9 samples count.")

    async def test_a_budget_that_ends_midway_leaves_what_was_drawn(self) -> None:
        heard, _ = await asked(SelfMix(n=9, wave=3), ["#### 4", "#### 5", "#### 6"] * 3, budget=Budget(calls=3))
        assert heard.answer.text == "#### 4"
        assert heard.answer.aggregator.why == "3 of 9 samples of math; 1 of 3 says 4"
        assert "budget" in [what for what, _ in heard.degraded]

    async def test_if_all_samples_fail_the_rest_of_the_panel_answers_and_is_not_sampled(self) -> None:
        broke = ScriptedModel([BackendError("The line broke.")])
        others = ScriptedModel("#### 7")
        heard = await ask(mixture({"math": broke, "code": others, "law": "#### 7"}, SelfMix()))
        assert heard.answer.text == "#### 7"
        assert len(others.requests) == 1
        assert "panel" in [what for what, _ in heard.degraded]

    async def test_if_nobody_answers_it_is_an_error(self) -> None:
        with pytest.raises(AllDraftsFailed):
            await asked(SelfMix(n=2), [BackendError("The line broke.")] * 2)

    async def test_an_agent_that_does_not_exist_is_an_error(self) -> None:
        with pytest.raises(AgentError, match="SelfMix names the agent 'chess', and there are only math"):
            await asked(SelfMix("chess"), [])


@pytest.mark.parametrize(
    "settings", [{"n": 1}, {"wave": 0}, {"temperature": 0}, {"temperature": 2.5}, {"sure": 0.4}, {"sure": 1.1}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(AgentError, match="they must be"):
        SelfMix(**settings)

"""Every fault of a real server in every position of a run: what comes of it, and what the answer says of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moa import Agent, Breaker, Budget, Endpoint, Escalate, Guard, Judge, Mixture, Retries, Select, Synthesize, Verifier
from moa.aggregation import Aggregator
from moa.backends.timeouts import Timeouts
from moa.errors import AllDraftsFailed
from tests.aggregation.asking import Heard, ask
from tests.fakes.openai_server import FakeOpenAI, Say
from tests.fakes.router import FixedRouter
from tests.faults.faults import FAULTS, LIMIT_SECONDS, Fault

EVERY = pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS.items()])
WEIGHTS = {"math": 0.6, "code": 0.4}
BEST, OTHER, WRITTEN = "It is 391.", "Three hundred and ninety-one.", "The answer is 391."


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    """Give a server on which everything works until a test breaks something."""
    async with FakeOpenAI() as server:
        for model, text in (("math", BEST), ("code", OTHER), ("writer", WRITTEN), ("general", "Here instead.")):
            server.replies(model, text)
        before = asyncio.all_tasks()
        yield server
        left = asyncio.all_tasks() - before - server._handlers - {asyncio.current_task()}
        assert left == set(), "no fault leaves a task behind"


class House:
    """A mixture on that server."""

    def __init__(self, server: FakeOpenAI) -> None:
        self.server = server
        self.broken: dict[str, Fault] = {}

    def breaks(self, name: str, fault: Fault) -> None:
        """Have a model misbehave from now on. Only with such a one is anybody impatient."""
        self.server.replies(name, fault.script)
        self.broken[name] = fault

    def model(self, name: str) -> Endpoint:
        timeouts = self.broken[name].timeouts if name in self.broken else Timeouts()
        return Endpoint(self.server.base_url, name, timeouts=timeouts)

    def agent(self, name: str, **settings: Any) -> Agent:
        fault = self.broken.get(name)
        return Agent(name, model=self.model(name), timeout=fault.patience if fault else None, **settings)

    def mixture(self, aggregator: Aggregator | None = None, *more: Agent, **settings: Any) -> Mixture:
        agents = [self.agent(name) for name in WEIGHTS]
        return Mixture(
            [*agents, *more],
            router=FixedRouter(**settings.get("weights", WEIGHTS)),
            aggregator=aggregator or Synthesize(self.model("writer")),
            retries=Retries(first_wait_seconds=0),
            breaker=Breaker(failures=99),
            unreviewed=settings.get("unreviewed", "pass"),
        )

    def tries(self, model: str) -> int:
        return sum(received.body["model"] == model for received in self.server.requests)


@pytest.fixture
def house(server: FakeOpenAI) -> House:
    return House(server)


def tells(heard: Heard, what: str, who: str, fault: Fault) -> None:
    """Expect exactly one degradation, of this kind, with the cause in it."""
    [degradation] = heard.answer.degraded
    assert (degradation.what, degradation.who) == (what, who)
    assert re.search(fault.told, degradation.why), degradation.why


@EVERY
class TestADraft:
    async def test_one_of_two_the_other_is_the_answer(self, house: House, fault: Fault) -> None:
        house.breaks("math", fault)
        heard = await ask(house.mixture())
        assert heard.answer.text == OTHER
        tells(heard, "draft", "math", fault)
        assert house.tries("math") == fault.tries
        [failed, _] = heard.answer.drafts
        assert failed.status == "failed"
        assert failed.text.startswith(fault.said)

    async def test_the_only_one_the_fallback_agent_answers(self, house: House, fault: Fault) -> None:
        house.breaks("math", fault)
        asked = house.mixture(None, house.agent("general"), weights={"math": 1.0})
        heard = await ask(asked)
        assert heard.answer.text == "Here instead."
        draft, panel = heard.answer.degraded
        assert (draft.what, draft.who) == ("draft", "math")
        assert re.search(fault.told, draft.why)
        assert (panel.what, panel.who, panel.why) == ("panel", "general", "Answers in place of math.")

    async def test_all_of_them_the_error_lists_every_cause(self, house: House, fault: Fault) -> None:
        for model in WEIGHTS:
            house.breaks(model, fault)
        with pytest.raises(AllDraftsFailed) as caught:
            await house.mixture().ask("What is 17 * 23?")
        assert list(caught.value.causes) == list(WEIGHTS)
        for name, cause in caught.value.causes.items():
            assert re.search(fault.told, str(cause))
            assert f"\n  - {name}: {cause}" in str(caught.value)


@EVERY
class TestTheJudge:
    async def test_of_a_selection_agreement_and_routing_decide(self, house: House, fault: Fault) -> None:
        house.breaks("judge", fault)
        heard = await ask(house.mixture(Select(model=Judge(house.model("judge"), seconds=fault.patience))))
        assert heard.answer.text == BEST
        tells(heard, "judge", "select", fault)

    async def test_that_grades_agreement_and_routing_decide(self, house: House, fault: Fault) -> None:
        house.breaks("judge", fault)
        heard = await ask(house.mixture(Select("score", house.model("judge"), seconds=fault.patience)))
        assert heard.answer.text == BEST
        tells(heard, "judge", "select", fault)

    async def test_of_a_guard_the_answer_is_given_unjudged(self, house: House, fault: Fault) -> None:
        house.breaks("judge", fault)
        judge = Judge(house.model("judge"), seconds=fault.patience)
        heard = await ask(house.mixture(Guard(Synthesize(house.model("writer")), judge)))
        assert heard.answer.text == WRITTEN
        tells(heard, "judge", "guard(synthesize)", fault)

    async def test_that_verifies_the_cheap_draft_counts_as_unsure(self, house: House, fault: Fault) -> None:
        house.breaks("judge", fault)
        verifier = Verifier(house.model("judge"), seconds=fault.patience)
        heard = await ask(house.mixture(Escalate("code", then="math", by=verifier)))
        assert heard.answer.text == BEST
        tells(heard, "judge", "escalate", fault)


@EVERY
class TestTheAggregator:
    async def test_the_best_draft_is_the_answer(self, house: House, fault: Fault) -> None:
        house.breaks("writer", fault)
        limit = Budget(seconds=LIMIT_SECONDS) if fault.endless else None
        heard = await ask(house.mixture(), budget=limit)
        assert heard.answer.text == BEST
        [degradation] = heard.answer.degraded
        assert (degradation.what, degradation.who) == ("budget" if limit else "aggregator", "synthesize")
        assert degradation.why.startswith("The draft of math is returned instead: ")
        assert limit or re.search(fault.told, degradation.why)
        assert house.tries("writer") == fault.tries
        assert heard.answer.aggregator.ran == "solo"

    async def test_under_guard_as_well(self, house: House, fault: Fault) -> None:
        house.breaks("writer", fault)
        limit = Budget(seconds=LIMIT_SECONDS) if fault.endless else None
        heard = await ask(house.mixture(Guard(Synthesize(house.model("writer")))), budget=limit)
        assert heard.answer.text == BEST
        [degradation] = heard.answer.degraded
        assert (degradation.what, degradation.who) == ("budget" if limit else "aggregator", "guard(synthesize)")

    async def test_a_reader_who_takes_nothing_back_sees_no_half_answer(self, house: House, fault: Fault) -> None:
        house.breaks("writer", fault)
        limit = Budget(seconds=LIMIT_SECONDS) if fault.endless else None
        asked = house.mixture(Guard(Synthesize(house.model("writer"))))
        heard = await ask(asked, budget=limit, replaceable=False)
        assert heard.answer.text == BEST
        assert not any(event.type == "answer_replaced" for event in heard.events)


@EVERY
class TestTheReviewer:
    async def test_the_answer_is_given_and_says_that_it_was_not_reviewed(self, house: House, fault: Fault) -> None:
        house.breaks("safety", fault)
        heard = await ask(house.mixture(None, house.agent("safety", reviews=True)))
        assert heard.answer.text == WRITTEN
        tells(heard, "reviewer", "safety", fault)
        [review] = heard.answer.reviews
        assert (review.agent, review.verdict) == ("safety", "failed")
        assert house.tries("safety") == fault.tries

    async def test_or_it_is_held_back_where_the_mixture_wants_that(self, house: House, fault: Fault) -> None:
        house.breaks("safety", fault)
        safety = house.agent("safety", reviews=True)
        heard = await ask(house.mixture(None, safety, unreviewed="block"))
        assert heard.answer.text.startswith("This answer was held back because safety could not review it: ")
        tells(heard, "reviewer", "safety", fault)


async def test_a_drip_that_ends_in_time_is_an_answer_like_any_other(house: House) -> None:
    gates = asyncio.Semaphore(0)
    house.server.replies("writer", Say(WRITTEN, gate=gates))
    asking = asyncio.create_task(ask(house.mixture()))
    await house.server.until(lambda: house.tries("writer") == 1)
    for _ in WRITTEN.split():
        gates.release()
        await asyncio.sleep(0)
    assert (await asking).answer.degraded == ()


async def test_everything_at_once_still_gives_the_best_draft_and_says_all_of_it(house: House) -> None:
    for model, name in (("code", "500"), ("safety", "a page"), ("general", "429")):
        house.breaks(model, FAULTS[name])
    house.breaks("writer", FAULTS["reset after the first token"])
    weights = {"math": 0.5, "code": 0.3, "law": 0.2}
    house.server.replies("law", "391, I say.")
    reviewer = house.agent("safety", reviews=True)
    heard = await ask(house.mixture(None, house.agent("law"), house.agent("general"), reviewer, weights=weights))
    assert heard.answer.text == BEST
    assert [(item.what, item.who) for item in heard.answer.degraded] == [
        ("draft", "code"),
        ("aggregator", "synthesize"),
        ("reviewer", "safety"),
    ]

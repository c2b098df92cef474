"""The panel against real sockets: hedges, fallbacks, deadlines, quorum, windows, breakers and limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moa.agent import Agent
from moa.aggregation import Solo, Synthesize
from moa.answers import Answer, Degradation
from moa.backends.base import Delta, Finish, Price
from moa.backends.breaker import Breaker
from moa.backends.endpoint import Endpoint
from moa.backends.limits import Limits
from moa.budget import Budget, Ledger, Reservation
from moa.errors import AgentError, AllDraftsFailed, BudgetExceeded, ContextTooLong
from moa.events import AnswerDelta, AnswerReplaced, DraftDelta, DraftNotice, RunFinished
from moa.messages import Conversation, Message, Usage
from moa.mixture import Mixture
from moa.panel import Brief, Drafting, Hedge, draft_all
from moa.session import Session
from moa.turn import Turn
from tests.fakes.backend import ScriptedModel
from tests.fakes.openai_server import Break, FakeOpenAI, Refuse, Say, Scripted
from tests.fakes.router import FixedRouter

TOO_LONG = Refuse(400, {"error": {"message": "This model's maximum context length is 300 tokens", "code": "x"}})


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as started:
        yield started


def shut() -> asyncio.Semaphore:
    return asyncio.Semaphore(0)


def model(server: FakeOpenAI, name: str) -> Endpoint:
    return Endpoint(server.base_url, name, price=Price(1, 1))


def mixture(server: FakeOpenAI, weights: dict[str, float], drafting: Drafting | None = None, **more: Any) -> Mixture:
    """Agents called like their models; the first draft is the answer."""
    agents = [Agent(name, model=model(server, name)) for name in weights]
    more = {"aggregator": Solo(), "router": FixedRouter(**weights), **more}
    return Mixture(agents, drafting=drafting, **more)


def said(answer: Answer, what: str = "draft") -> list[tuple[str, str]]:
    return [(each.who, each.why) for each in answer.degraded if each.what == what]


class TestQuorum:
    async def test_stragglers_are_cancelled_and_the_answer_says_who_when_and_why(self, server: FakeOpenAI) -> None:
        server.replies("strong", "From the strong one.")
        server.replies("slow", Say("Late.", gate=shut()))
        panel = mixture(server, {"strong": 0.7, "slow": 0.3}, Drafting(quorum=0.6))
        answer = await asyncio.wait_for(panel.ask("?"), 10)
        assert answer.text == "From the strong one."
        assert [draft.status for draft in answer.drafts] == ["ok", "cancelled"]
        [(who, why)] = said(answer)
        assert who == "slow"
        assert re.fullmatch(
            r"Cancelled after \d+\.\d s, unfinished, because strong carried 70% of the weight; 60% make a quorum\.", why
        )
        assert (answer.spent.calls, answer.spent.cancelled) == (2, 1)
        assert (answer.tokens, answer.cost_usd) == (Usage(None, None), None)
        await asyncio.wait_for(server.until(lambda: server.open_connections <= 1), 5)

    async def test_the_strongest_agent_is_waited_for(self, server: FakeOpenAI) -> None:
        gate = shut()
        server.replies("strong", Say("Worth it.", gate=gate))
        server.replies("quick", "Quick.")
        panel = mixture(server, {"strong": 0.4, "quick": 0.3, "other": 0.3}, Drafting(quorum=0.5, patience=60))
        server.replies("other", "Other.")
        asked = asyncio.create_task(panel.ask("?"))
        await server.until(lambda: len(server.requests) == 3)
        for _ in range(50):
            await asyncio.sleep(0)
        assert not asked.done()
        gate.release()
        gate.release()
        answer = await asyncio.wait_for(asked, 10)
        assert answer.text == "Worth it."
        assert answer.degraded == ()

    async def test_but_not_for_ever(self, server: FakeOpenAI) -> None:
        server.replies("strong", Say("Too late.", gate=shut()))
        server.replies("a", "A.")
        server.replies("b", "B.")
        panel = mixture(server, {"strong": 0.4, "a": 0.3, "b": 0.3}, Drafting(quorum=0.5, patience=0.01))
        answer = await asyncio.wait_for(panel.ask("?"), 10)
        [(who, why)] = said(answer)
        assert who == "strong"
        assert "a and b carried 60% of the weight" in why
        assert "most weight it was given 0.01 s more" in why

    async def test_a_strongest_agent_that_fails_holds_nobody_up(self, server: FakeOpenAI) -> None:
        server.replies("strong", Refuse(400))
        server.replies("a", "A.")
        server.replies("b", Say("B.", gate=shut()))
        panel = mixture(server, {"strong": 0.4, "a": 0.35, "b": 0.25}, Drafting(quorum=0.3, patience=60))
        answer = await asyncio.wait_for(panel.ask("?"), 10)
        assert answer.text == "A."
        assert {draft.agent: draft.status for draft in answer.drafts} == {
            "strong": "failed",
            "a": "ok",
            "b": "cancelled",
        }


class TestHedging:
    """`samples=1` and a first question make the usual known; the second question is the slow one."""

    HEDGE = Drafting(hedge=Hedge(samples=1, share=1))

    async def test_the_second_call_answers_and_the_first_is_cancelled(self, server: FakeOpenAI) -> None:
        server.replies("m", "Quick.", Say("Slow.", gate=shut()), "Rescued.")
        panel = mixture(server, {"m": 1.0}, self.HEDGE)
        await panel.ask("first?")
        answer = await asyncio.wait_for(panel.ask("second?"), 10)
        assert answer.text == "Rescued."
        assert (answer.spent.calls, answer.spent.hedges, answer.spent.cancelled) == (2, 1, 1)
        assert (answer.tokens, answer.cost_usd) == (Usage(None, None), None)
        [draft] = answer.drafts
        assert draft.tokens == Usage(7, 1)
        await asyncio.wait_for(server.until(lambda: server.open_connections <= 1), 5)

    async def test_the_first_call_still_wins_if_it_speaks_first(self, server: FakeOpenAI) -> None:
        gate = shut()
        server.replies("m", "Quick.", Say("Slow but first.", gate=gate), Say("Never.", gate=shut()))
        panel = mixture(server, {"m": 1.0}, self.HEDGE)
        await panel.ask("first?")
        asked = asyncio.create_task(panel.ask("second?"))
        await asyncio.wait_for(server.until(lambda: len(server.requests) == 3), 10)
        for _ in range(3):
            gate.release()
        answer = await asyncio.wait_for(asked, 10)
        assert answer.text == "Slow but first."
        assert (answer.spent.hedges, answer.spent.cancelled) == (1, 1)

    async def test_a_second_call_that_fails_harms_nobody(self, server: FakeOpenAI) -> None:
        gate = shut()
        server.replies("m", "Quick.", Say("Slow.", gate=gate), Refuse(400))
        panel = mixture(server, {"m": 1.0}, self.HEDGE)
        await panel.ask("first?")
        asked = asyncio.create_task(panel.ask("second?"))
        await asyncio.wait_for(server.until(lambda: len(server.requests) == 3), 10)
        gate.release()
        assert (await asyncio.wait_for(asked, 10)).text == "Slow."

    async def test_nothing_is_hedged_before_the_usual_is_known_or_by_default(self, server: FakeOpenAI) -> None:
        gate = shut()
        server.replies("m", Say("Slow.", gate=gate))
        for drafting in (Drafting(hedge=Hedge()), None):
            asked = asyncio.create_task(mixture(server, {"m": 1.0}, drafting).ask("?"))
            gate.release()
            assert (await asyncio.wait_for(asked, 10)).spent.hedges == 0


class TestFallbackModels:
    def agent(self, server: FakeOpenAI, *stand_ins: str) -> Agent:
        return Agent("math", model=model(server, "first"), fallbacks=[model(server, name) for name in stand_ins])

    async def test_the_next_model_answers_and_the_answer_says_so(self, server: FakeOpenAI) -> None:
        server.replies("first", Refuse(400))
        server.replies("third", "Here I am.")
        agent = self.agent(server, "missing", "third")
        answer = await Mixture([agent]).ask("?")
        assert answer.text == "Here I am."
        assert answer.drafts[0].model.endswith("#third")
        remarks = said(answer)
        assert [who for who, _ in remarks] == ["math", "math"]
        assert "#missing is asked in place of" in remarks[0][1]
        assert "refused the request (400" in remarks[0][1]

    async def test_a_model_that_broke_off_after_it_spoke_is_not_replaced(self, server: FakeOpenAI) -> None:
        server.replies("first", Break("reset", after=["Half an "]))
        server.replies("second", "Unasked.")
        with pytest.raises(AllDraftsFailed, match="middle of its answer"):
            await Mixture([self.agent(server, "second")]).ask("?")
        assert [request.body["model"] for request in server.requests] == ["first"]

    async def test_if_all_fail_every_cause_is_told(self, server: FakeOpenAI) -> None:
        server.replies("first", Refuse(400, {"error": "bad one"}))
        server.replies("second", Refuse(400, {"error": "bad two"}))
        with pytest.raises(AllDraftsFailed, match=r"(?s)bad two.*Before that.*bad one"):
            await Mixture([self.agent(server, "second")]).ask("?")

    async def test_an_open_breaker_is_a_reason_to_ask_the_next(self, server: FakeOpenAI) -> None:
        server.replies("second", "Second.")
        panel = Mixture([self.agent(server, "second")], breaker=Breaker(failures=1))
        server.replies("first", Refuse(501))
        await panel.ask("?")
        asked = len(server.requests)
        answer = await panel.ask("again?")
        assert answer.text == "Second."
        assert [request.body["model"] for request in server.requests[asked:]] == ["second"]
        assert "is not asked for now, because its last calls failed" in said(answer)[0][1]


class TestBreaker:
    async def test_it_opens_shows_itself_and_says_when_it_tries_again(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(501))
        panel = mixture(server, {"m": 1.0}, breaker=Breaker(failures=1, cool_down=30))
        with pytest.raises(AllDraftsFailed):
            await panel.ask("?")
        [state] = panel.traffic.states().values()
        assert (state.state, state.failures) == ("open", 1)
        assert 29 < state.retry_in <= 30
        asked = len(server.requests)
        with pytest.raises(AllDraftsFailed, match=r"not asked for now.*501.*tried again in (29|30) s"):
            await panel.ask("?")
        assert len(server.requests) == asked

    async def test_the_trial_closes_it(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(501), Refuse(501), Refuse(501), "Back.")
        panel = mixture(server, {"m": 1.0}, breaker=Breaker(failures=1, cool_down=0))
        with pytest.raises(AllDraftsFailed):
            await panel.ask("?")
        server.replies("m", "Back.")
        assert (await panel.ask("?")).text == "Back."
        assert panel.traffic.states()[f"{server.base_url}#m"].state == "closed"

    async def test_a_refused_question_says_nothing_about_the_backend(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(400))
        panel = mixture(server, {"m": 1.0}, breaker=Breaker(failures=1))
        with pytest.raises(AllDraftsFailed):
            await panel.ask("?")
        assert panel.traffic.states()[f"{server.base_url}#m"].state == "closed"


class TestLimits:
    async def test_drafts_beyond_the_limit_wait_and_tell_so(self, server: FakeOpenAI) -> None:
        gate = shut()
        server.replies("a", Say("A.", gate=gate))
        server.replies("b", Say("B.", gate=gate))
        panel = mixture(server, {"a": 0.6, "b": 0.4}, limits={server.base_url: Limits(concurrency=1)})
        notices: list[DraftNotice] = []

        async def listen() -> Answer:
            async for event in panel.stream("?"):
                if isinstance(event, DraftNotice):
                    notices.append(event)
                    gate.release()
                    gate.release()
                if isinstance(event, RunFinished):
                    return event.answer
            raise AssertionError

        answer = await asyncio.wait_for(listen(), 10)
        assert [draft.status for draft in answer.drafts] == ["ok", "ok"]
        assert [(notice.draft, notice.state) for notice in notices] == [("b.1", "queued")]
        assert f"{server.base_url} is at its limit" in notices[0].text

    async def test_the_longest_beginning_counts_and_others_are_free(self, server: FakeOpenAI) -> None:
        panel = mixture(server, {"a": 1.0}, limits={"http": Limits(concurrency=9), server.base_url: Limits()})
        lane = panel.traffic.lane(f"{server.base_url}#a")
        assert lane.limiter is not None
        assert lane.limiter.name == server.base_url
        assert panel.traffic.lane("local:x").limiter is None


class TestDeadlines:
    async def test_a_draft_that_takes_too_long_fails_alone(self, server: FakeOpenAI) -> None:
        server.replies("a", "A.")
        server.replies("b", Say("B.", gate=shut()))
        answer = await mixture(server, {"a": 0.6, "b": 0.4}, Drafting(deadline=0.05)).ask("?")
        assert answer.text == "A."
        assert "No complete answer within 0.05 s" in said(answer)[0][1]

    async def test_the_aggregator_has_its_share_of_the_turn(self, server: FakeOpenAI) -> None:
        server.replies("a", "A.")
        server.replies("b", Say("B.", gate=shut()))
        writer = ScriptedModel("Written in time.")
        panel = mixture(server, {"a": 0.6, "b": 0.4, "c": 0.0}, Drafting(reserve=0.9), aggregator=Synthesize(writer))
        server.replies("c", "C.")
        answer = await panel.ask("?", budget=Budget(seconds=5))
        assert answer.text == "Written in time."
        assert answer.drafts[1].seconds < 1.5

    async def test_a_single_draft_may_take_all_of_it(self, server: FakeOpenAI) -> None:
        server.replies("a", Break("hang", after=["So ", "far."]))
        answer = await mixture(server, {"a": 1.0}, Drafting(reserve=0.9)).ask("?", budget=Budget(seconds=0.3))
        assert answer.text == "So far."
        assert answer.seconds >= 0.3

    async def test_what_was_written_is_the_answer_if_the_turn_left_time_for_no_more(self, server: FakeOpenAI) -> None:
        for name in ("a", "b"):
            server.replies(name, Break("hang", after=["So ", "far."]))
        panel = mixture(server, {"a": 0.6, "b": 0.4})
        answer = await panel.ask("?", budget=Budget(seconds=0.3))
        assert answer.text == "So far."
        assert any(each.what == "budget" for each in answer.degraded)


class TestReasoning:
    async def test_it_is_split_off_whatever_the_backend(self, server: FakeOpenAI) -> None:
        server.replies("m", "<think>Two and two.</think> It is 4.")
        events = [event async for event in mixture(server, {"m": 1.0}).stream("2 + 2?")]
        finished = events[-1]
        assert isinstance(finished, RunFinished)
        assert finished.answer.text == "It is 4."
        assert finished.answer.drafts[0].reasoning == "Two and two."
        assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == "It is 4."
        thought = [event.text for event in events if isinstance(event, DraftDelta) and event.reasoning]
        assert "".join(thought) == "Two and two."

    async def test_nothing_but_reasoning_is_a_failure(self, server: FakeOpenAI) -> None:
        server.replies("m", "<think>Never closed.")
        with pytest.raises(AllDraftsFailed, match="no visible text"):
            await mixture(server, {"m": 1.0}).ask("?")

    async def test_reasoning_without_a_beginning_is_taken_back(self, server: FakeOpenAI) -> None:
        server.replies("m", "Two and two.\n</think>\n\nIt is 4.")
        events = [event async for event in mixture(server, {"m": 1.0}).stream("2 + 2?")]
        assert [event.text for event in events if isinstance(event, AnswerReplaced)] == ["It is 4."]
        assert isinstance(events[-1], RunFinished)
        assert events[-1].answer.text == "It is 4."


class TestWindows:
    LONG = Conversation(
        (
            Message("user", "An old question. " * 60),
            Message("assistant", "An old answer. " * 60),
            Message("user", "A later question."),
            Message("assistant", "A later answer."),
            Message("user", "And now?"),
        )
    )

    def texts(self, asked: ScriptedModel | None) -> list[str]:
        assert asked is not None
        return [message.content for message in asked.requests[-1].messages]

    async def test_each_agent_sees_what_fits_its_window_and_nothing_is_lost(self) -> None:
        small, large = ScriptedModel("Small.", "scripted:small"), ScriptedModel("Large.", "scripted:large")
        agents = [Agent("small", model=small, context=200, instructions="Be brief."), Agent("large", model=large)]
        panel = Mixture(agents, router=FixedRouter(small=0.6, large=0.4), aggregator=Solo())
        answer = await panel.ask(self.LONG)
        assert self.texts(small) == ["Be brief.", "A later question.", "A later answer.", "And now?"]
        assert self.texts(large) == [message.content for message in self.LONG.messages]
        assert answer.degraded == (
            Degradation(
                "context",
                "small",
                "The 2 oldest messages were left out to fit scripted:small's window of 200 tokens.",
            ),
        )

    async def test_a_refusal_is_tried_once_more_with_less(self, server: FakeOpenAI) -> None:
        server.replies("m", TOO_LONG, "Now it fits.")
        answer = await mixture(server, {"m": 1.0}).ask(self.LONG)
        assert answer.text == "Now it fits."
        assert [len(request.body["messages"]) for request in server.requests] == [5, 3]
        [(who, why)] = said(answer, "context")
        assert who == "m"
        assert "2 oldest messages were left out" in why

    async def test_a_second_refusal_is_a_failure(self, server: FakeOpenAI) -> None:
        server.replies("m", TOO_LONG)
        with pytest.raises(AllDraftsFailed) as caught:
            await mixture(server, {"m": 1.0}).ask(self.LONG)
        assert isinstance(caught.value.causes["m"], ContextTooLong)
        assert len(server.requests) == 2

    async def test_a_question_that_is_too_long_itself_is_not_cut(self, server: FakeOpenAI) -> None:
        server.replies("m", TOO_LONG)
        with pytest.raises(AllDraftsFailed, match="too long"):
            await mixture(server, {"m": 1.0}).ask("word " * 1000)
        assert len(server.requests) == 1


class TestHedgingWithinABudget:
    """The budget has the last word on a second call, and a call that was cancelled has cost something."""

    @staticmethod
    async def panel(server: FakeOpenAI, *slow: Scripted) -> tuple[Mixture, int]:
        """Return a mixture whose next call is slow to speak, and the tokens that one call is expected to use."""
        server.replies("m", "Quick.", *slow)
        agent = Agent("m", model=model(server, "m"), max_tokens=100)
        made = Mixture([agent], drafting=TestHedging.HEDGE, aggregator=Solo(), router=FixedRouter(m=1.0))
        await made.ask("first?")
        expected = (await made.estimate("second?")).tokens.total
        assert expected is not None
        return made, expected

    @pytest.mark.parametrize("limit", ["calls", "tokens", "usd"])
    async def test_no_second_call_is_made_that_it_does_not_allow(
        self, server: FakeOpenAI, limit: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate, refused, open_call = shut(), asyncio.Event(), Ledger.open_call

        def watched(ledger: Ledger, who: str, **more: Any) -> Reservation:
            try:
                return open_call(ledger, who, **more)
            except BudgetExceeded:
                refused.set()
                raise

        monkeypatch.setattr(Ledger, "open_call", watched)
        panel, expected = await self.panel(server, Say("Slow.", gate=gate), "Never asked.")
        one_and_a_half = int(1.5 * expected)
        budget = {
            "calls": Budget(calls=1),
            "tokens": Budget(tokens=one_and_a_half),
            "usd": Budget(usd=one_and_a_half / 1e6),
        }[limit]
        asked = asyncio.create_task(panel.ask("second?", budget=budget))
        await asyncio.wait_for(refused.wait(), 10)
        gate.release()
        answer = await asyncio.wait_for(asked, 10)
        assert answer.text == "Slow."
        assert (answer.spent.calls, answer.spent.hedges, answer.spent.cancelled) == (1, 0, 0)
        assert answer.tokens == Usage(7, 1)
        assert answer.cost_usd == pytest.approx(8e-6)
        assert answer.degraded == ()
        assert len(server.requests) == 2

    @pytest.mark.parametrize("limit", ["calls", "tokens", "usd"])
    async def test_the_call_that_lost_counts_with_what_it_was_expected_to_use(
        self, server: FakeOpenAI, limit: str
    ) -> None:
        panel, expected = await self.panel(server, Say("Slow.", gate=shut()), "Rescued.", "Once more.")
        just_two = 2 * expected + 5  # the winner used 8 tokens, so that another call does not fit beside the loser
        budget = {
            "calls": Budget(calls=2),
            "tokens": Budget(tokens=just_two),
            "usd": Budget(usd=just_two / 1e6),
        }[limit]
        session = Session(budget)
        answer = await asyncio.wait_for(panel.ask("second?", session=session), 10)
        assert answer.text == "Rescued."
        assert (answer.spent.calls, answer.spent.hedges, answer.spent.cancelled) == (2, 1, 1)
        assert (answer.tokens, answer.cost_usd) == (Usage(None, None), None), "nobody reported what the loser used"
        with pytest.raises(BudgetExceeded):
            await panel.ask("third?", session=session)
        assert len(server.requests) == 3


async def test_the_wall_clock_may_jump(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter(range(10**9, 0, -(10**7)))
    monkeypatch.setattr("time.time", lambda: float(next(jumps)))
    server.replies("a", "A.")
    server.replies("b", "B.")
    panel = mixture(server, {"a": 0.6, "b": 0.4}, Drafting(quorum=1.0, hedge=Hedge(samples=1)))
    events = [event async for event in panel.stream("?", budget=Budget(seconds=30))]
    times = [event.at for event in events]
    assert times == sorted(times)
    assert isinstance(events[-1], RunFinished)
    assert 0 <= events[-1].answer.seconds < 30
    assert events[-1].answer.degraded == ()


async def test_one_agent_several_times_shares_its_weight() -> None:
    gate = asyncio.Event()
    scripts = iter([[Delta("one"), Finish(Usage(1, 1))], [Delta("two"), Finish(Usage(1, 1))], [gate]])
    sampled = ScriptedModel(lambda _: next(scripts))  # type: ignore[arg-type,return-value]
    agent = Agent("m", model=sampled)
    turn = Turn(lambda _: None, Ledger(Budget()))
    brief = Brief(Conversation.of("?"), weights={"m": 1.0})
    outcomes = await asyncio.wait_for(draft_all([agent] * 3, brief, turn, drafting=Drafting(quorum=0.6)), 10)
    assert [outcome.draft.status for outcome in outcomes] == ["ok", "ok", "cancelled"]


@pytest.mark.parametrize(
    "wrong", [{"deadline": 0}, {"reserve": 1.0}, {"quorum": 0.0}, {"quorum": 1.1}, {"patience": -1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(AgentError):
        Drafting(**wrong)  # type: ignore[arg-type]

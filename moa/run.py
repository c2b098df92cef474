"""One question on its way through a mixture: route, draft, aggregate, check, review. The order of work is here."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from moa.acting import MOST_CALLS, Acting, Ask, proposes
from moa.aggregation import Aggregator, Chooses, Opening, Opens, Work
from moa.aggregation.base import best_first
from moa.aggregation.provenance import supported
from moa.aggregation.repair import conforming
from moa.answers import Aggregation, Answer, Draft, Review, Routing, Support
from moa.choosing import routing_of
from moa.contract import ANYTHING, OutputContract
from moa.errors import BackendError, BudgetExceeded, MoaError
from moa.events import (
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    Reviewed,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
)
from moa.forecast import backends_told, insist_on_prices
from moa.messages import Conversation
from moa.oversight import blocking, review_all
from moa.panel import Brief, Outcome, draft_all
from moa.telling import Telling
from moa.turn import Turn
from moa.unfinished import cut_off, failure_of, longest_of

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.mixture import Mixture
    from moa.routing.balancer import Admission
    from moa.routing.wishes import Wishes


@dataclass(slots=True)
class Run:
    """One question on its way. `answer` does the work; everything that happens is told through the turn's events."""

    mixture: Mixture
    conversation: Conversation
    wishes: Wishes
    turn: Turn
    contract: OutputContract = ANYTHING
    id: str = field(default_factory=lambda: f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}")
    outcomes: list[Outcome] = field(default_factory=list)
    acting: Acting = field(default_factory=Acting)
    telling: Telling = field(init=False)

    def __post_init__(self) -> None:
        # A guard holds back by itself what it has to judge.
        may_change = bool(self.mixture.reviewers) or self.contract is not ANYTHING
        self.telling = Telling(self.turn, held=may_change and not self.turn.replaceable)

    async def answer(self) -> None:
        """Emit the run's events from first to last.

        Raises:
            MoaError: there is no answer; `RunFailed` was emitted.
        """
        try:
            answer = await self._answer()
        except MoaError as error:
            self.turn.emit(RunFailed(self.turn.at(), str(error)))
            raise
        except Exception as error:
            self.turn.emit(RunFailed(self.turn.at(), f"{type(error).__name__}: {error}"))
            raise
        self.turn.emit(RunFinished(self.turn.at(), answer))

    async def _answer(self) -> Answer:
        turn, mixture = self.turn, self.mixture
        models = {agent.name: agent.backend.reference for agent in (*mixture.agents, *mixture.reviewers)}
        turn.emit(RunStarted(turn.at(), self.id, time.time(), mixture.name, self.conversation.messages, models))
        turn.ledger.insist_on_something()
        admission = mixture.balancer.admit(await routing_of(mixture, self.conversation, self.wishes))
        try:
            turn.emit(Routed(turn.at(), admission.routing))
            insist_on_prices(mixture, self.conversation, admission.routing, turn.ledger)
            async with backends_told(mixture, self.conversation, admission.routing):
                text, aggregation = await self._written(admission)
        finally:
            admission.close()
        given, reviews = await self._reviewed(text)
        if self.telling.held:
            turn.emit(AnswerDelta(turn.at(), given))
        support = await self._support(text) if given == text else ()
        return Answer(
            text=given,
            routing=admission.routing,
            drafts=tuple(outcome.draft for outcome in self.outcomes),
            aggregator=aggregation,
            tokens=turn.ledger.tokens,
            cost_usd=turn.ledger.usd,
            seconds=turn.at(),
            degraded=tuple(self.telling.degraded),
            run=self.id,
            spent=turn.ledger.spent,
            reviews=reviews,
            support=support,
        )

    async def _written(self, admission: Admission) -> _Answered:
        """Have drafts written and made into one answer of the form that was asked for."""
        asked = self.mixture.aggregator
        aggregator, why = asked.chosen(admission.routing) if isinstance(asked, Chooses) else (asked, "")
        panel = self._panel(admission.routing)
        by_name = {agent.name: agent for agent in self.mixture.agents}
        opening = aggregator.opening(panel, by_name, admission.routing) if isinstance(aggregator, Opens) else None
        answered = await self._draft(panel, opening, admission)
        work = self._work(panel, by_name, admission)
        if answered is None:
            answered = await self._aggregate(aggregator, why, work, alone=opening is None)
        return await self._conforming(answered, work)

    def _panel(self, routing: Routing) -> list[Agent]:
        """Return the chosen agents, the one with the most weight first."""
        by_name = {agent.name: agent for agent in self.mixture.agents}
        return [by_name[name] for name in sorted(routing.panel, key=lambda name: -routing[name].weight)]

    async def _draft(self, panel: Sequence[Agent], opening: Opening | None, admission: Admission) -> _Answered | None:
        """Have the panel draft, or whom the aggregator wants first. If all of them fail, ask others, and say so.

        Next are those whom the aggregator wants instead, or else those of the panel who were not asked yet; last is the
        fallback agent.

        Returns:
            The answer, if it is one draft passed through; None if there are drafts to aggregate.

        Raises:
            AllDraftsFailed: nobody answered.
            BudgetExceeded: nobody could be asked within the budget.
        """
        turn, first = self.turn, opening or Opening(tuple(panel))
        answered = await self._ask(first, "one draft", admission, alone=opening is None)
        asked = {agent.name for agent in first.agents}
        rest = Opening(tuple(agent for agent in first.instead or panel if agent.name not in asked))
        fallback = Opening(tuple(agent for agent in self.mixture.agents if agent.name == self.mixture.fallback))
        for others, why in ((rest, "the panel's draft"), (fallback, "the fallback agent's draft")):
            names = {agent.name for agent in others.agents}
            if self._successful() or not names or names & (asked | set(self.wishes.exclude)):
                continue
            if turn.steering.hurried and longest_of(self.outcomes):
                break
            self.telling.degrade("panel", _listed(names), f"Answers in place of {_listed(asked)}.")
            asked |= names
            answered = await self._ask(others, why, admission, alone=True)
        return answered if self._successful() else answered or self._cut_off()

    async def _ask(self, opening: Opening, why: str, admission: Admission, *, alone: bool) -> _Answered | None:
        """Collect drafts; a single one is passed through as the answer while it streams."""
        turn, alone = self.turn, alone and len(opening.agents) == 1
        aggregation = Aggregation(self.mixture.aggregator.name, "solo", why)
        if alone:
            turn.emit(AggregationStarted(turn.at(), aggregation))
        outcomes = await self._drafted(opening, admission, passthrough=alone and not self.telling.held)
        if not alone:
            return None
        [outcome] = outcomes
        if outcome.cause is None:
            return outcome.draft.text, aggregation
        if turn.steering.hurried and longest_of([outcome]):
            return self._cut_off(shown=self._streams(opening.agents) and not self.telling.held)
        if outcome.draft.text and not self.telling.held:
            turn.emit(AnswerReplaced(turn.at(), "", f"{outcome.draft.agent} failed before its answer was complete."))
        return None

    async def _drafted(
        self,
        opening: Opening,
        admission: Admission,
        *,
        conversation: Conversation | None = None,
        passthrough: bool = False,
    ) -> list[Outcome]:
        """Have agents draft. Calls of tools that they propose are made, and they go on with the results."""
        agents = opening.agents
        brief = Brief(conversation or self.conversation, self.contract, opening.confidence, _weights(admission.routing))
        streams = passthrough and self._streams(agents)
        outcomes = await self._outcomes(agents, brief, admission=admission, passthrough=streams)
        if any(map(proposes, outcomes)):
            ask = partial(self._outcomes, admission=admission, passthrough=passthrough)
            return await self._gone_on(agents, outcomes, brief, ask, passthrough=passthrough)
        if passthrough and not streams and outcomes[0].cause is None:
            self.telling.add(outcomes[0].draft.text, outcomes[0].draft.id)
        return outcomes

    def _streams(self, agents: Sequence[Agent]) -> bool:
        """Return whether a draft can be shown while it is written: calls of tools may have to take it back."""
        return self.turn.replaceable or not any(agent.tools for agent in agents)

    async def _outcomes(
        self, agents: Sequence[Agent], brief: Brief, *, admission: Admission, passthrough: bool
    ) -> list[Outcome]:
        """Ask agents, and keep what came of it, good or bad."""
        outcomes = await draft_all(
            agents,
            brief,
            self.turn,
            drafting=self.mixture.drafting,
            passthrough=passthrough,
            place=admission.place,
        )
        self.outcomes += outcomes
        as_it_is = longest_of(outcomes) if self.turn.steering.hurried and not self._successful() else None
        for outcome in outcomes:
            if outcome.cause and outcome.draft is not as_it_is:
                what = "budget" if isinstance(outcome.cause, BudgetExceeded) else "draft"
                self.telling.degrade(what, outcome.draft.agent, str(outcome.cause))
            for what, why in outcome.remarks:
                self.telling.degrade(what, outcome.draft.agent, why)
        return outcomes

    async def _gone_on(
        self, agents: Sequence[Agent], outcomes: Sequence[Outcome], brief: Brief, ask: Ask, *, passthrough: bool
    ) -> list[Outcome]:
        """Make the calls of tools that drafts propose, and have their agents write them anew with the results."""
        turn = self.turn
        if left := await self.acting.act(agents, outcomes, brief.weights, turn):
            why = f"{len(left)} calls were not made: one answer may have {MOST_CALLS}."
            self.telling.degrade("tools", _listed(set(left)), why)
        if passthrough and turn.replaceable and outcomes[0].draft.text:
            self.telling.replace("", "Its tools were called, and it goes on with their results.")
        settled = await self.acting.go_on(agents, outcomes, brief, ask)
        if passthrough and settled[0] is outcomes[0]:
            why = "It could not go on with the results of its tools."
            self.telling.replace(settled[0].draft.text, why)
        return settled

    def _work(self, panel: Sequence[Agent], by_name: dict[str, Agent], admission: Admission) -> Work:
        weights = _weights(admission.routing)

        async def more(
            agents: Sequence[Agent], conversation: Conversation | None = None, *, confidence: bool = False
        ) -> tuple[Draft, ...]:
            if self.turn.steering.hurried:
                return ()
            asked = Opening(tuple(agents), confidence)
            outcomes = await self._drafted(asked, admission, conversation=conversation)
            refused = [outcome.cause for outcome in outcomes if isinstance(outcome.cause, BudgetExceeded)]
            if refused and len(refused) == len(outcomes):
                raise refused[0]
            return tuple(outcome.draft for outcome in outcomes if outcome.cause is None)

        return Work(
            self.acting.with_results(self.conversation),
            tuple(sorted(self._successful(), key=lambda draft: -weights.get(draft.agent, 0.0))),
            weights,
            by_name,
            self.turn,
            more,
            admission.routing,
            tuple(panel),
            self.contract,
        )

    async def _aggregate(self, aggregator: Aggregator, why: str, work: Work, *, alone: bool) -> _Answered:
        """Make one answer of the drafts; if that fails, the best draft is the answer, and the run says so."""
        turn, asked = self.turn, self.mixture.aggregator.name
        if alone and len(work.drafts) == 1:
            aggregation = Aggregation(asked, "solo", f"one of {len(self.outcomes)} drafts succeeded")
            turn.emit(AggregationStarted(turn.at(), aggregation))
            self.telling.add(work.best.text)
            return work.best.text, aggregation
        count = len(work.drafts)
        drafts = "1 draft" if count == 1 else f"{count} drafts"
        aggregation = Aggregation(asked, aggregator.name, f"{why}; {drafts}" if why else drafts)
        turn.emit(AggregationStarted(turn.at(), aggregation))
        text, judged, deadline = "", True, asyncio.timeout(turn.ledger.seconds_left())
        try:
            async with deadline, aclosing(aggregator.aggregate(work)) as events, turn.steering.hurrying(deadline):
                async for event in events:
                    if isinstance(event, AggregationStarted):
                        aggregation = replace(event.aggregation, asked=asked)
                        self.telling.show(AggregationStarted(turn.at(), aggregation))
                        continue
                    self.telling.show(event)
                    match event:
                        case AnswerDelta(text=more):
                            text, judged = text + more, not event.provisional
                        case AnswerReplaced(text=instead):
                            text, judged = instead, True
                        case Degraded(degradation=degradation):
                            self.telling.degraded.append(degradation)
            _insist_on_text(text, aggregator)
        except Exception as error:  # noqa: BLE001  (an aggregator may be the user's own; the drafts are paid for)
            [best, *_] = best_first(self._successful(), work.weights)
            hurried = turn.steering.hurried and turn.ledger.seconds_left() != 0
            told = error
            if isinstance(error, TimeoutError) and deadline.expired():
                if hurried and judged and text.strip():
                    return self._broken_off(text, aggregation)
                told = MoaError(_AT_ONCE) if hurried else BudgetExceeded(_TIME_UP)
            return self._best_draft(best, shown=text, instead_of=aggregation, error=told)
        return text, aggregation

    def _broken_off(self, text: str, aggregation: Aggregation) -> _Answered:
        why = f"The answer was asked for before {aggregation.ran} had finished: this is what it had written."
        self.telling.degrade("aggregator", aggregation.ran, why)
        return text, replace(aggregation, why=why)

    def _best_draft(self, best: Draft, *, shown: str, instead_of: Aggregation, error: Exception) -> _Answered:
        cause = "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        why = f"The draft of {best.agent} is returned instead: {cause}"
        self.telling.degrade("budget" if isinstance(error, BudgetExceeded) else "aggregator", instead_of.asked, why)
        if shown:
            self.telling.replace(best.text, why)
        else:
            self.telling.add(best.text)
        return best.text, Aggregation(instead_of.asked, "solo", why)

    def _cut_off(self, *, shown: bool = False) -> _Answered:
        """Return what the turn's time, or the wish for an answer at once, allowed of a draft, marked as such.

        Raises:
            AllDraftsFailed: there is nothing to show.
            BudgetExceeded: there is nothing to show, and only because of the budget.
        """
        if not (longest := longest_of(self.outcomes)):
            raise failure_of(self.outcomes)
        told = cut_off(longest, hurried=self.turn.steering.hurried)
        self.telling.degrade(told.what, told.who, told.why)
        if not shown:
            self.telling.add(longest.text)
        return longest.text, Aggregation(self.mixture.aggregator.name, "solo", told.why)

    async def _conforming(self, answered: _Answered, work: Work) -> _Answered:
        """Hold the answer against the form that was asked for, and mend it or replace it if it breaks it."""
        text, aggregation = answered
        if self.contract is ANYTHING or not work.drafts:
            return answered
        written = best_first(self._successful(), work.weights)
        mended, degradation = await conforming(text, replace(work, drafts=written))
        if degradation:
            self.telling.degrade(degradation.what, degradation.who, degradation.why)
        if mended != text:
            self.telling.replace(mended, degradation.why if degradation else _UNFENCED)
        return mended, aggregation

    async def _reviewed(self, text: str) -> tuple[str, tuple[Review, ...]]:
        """Have every reviewer look at the answer; one that is blocked is not given."""
        reviewers, turn = self.mixture.reviewers, self.turn
        if not reviewers:
            return text, ()
        reviews = await review_all(reviewers, self.conversation, text, turn)
        for review in reviews:
            turn.emit(Reviewed(turn.at(), review))
            if review.verdict == "failed":
                self.telling.degrade("reviewer", review.agent, review.text)
        if refusal := blocking(reviews, unreviewed=self.mixture.unreviewed):
            self.telling.replace(refusal, "A reviewer blocked the answer.")
            text = refusal
        return text, reviews

    async def _support(self, text: str) -> tuple[Support, ...]:
        drafts = self._successful()
        if len(drafts) < 2 or any(draft.text == text for draft in drafts):  # noqa: PLR2004
            return ()
        try:
            return await supported(text, drafts, self.mixture.embed)
        except MoaError as error:
            self.telling.degrade("support", "answer", f"What supports it was told by words alone: {error}")
            return await supported(text, drafts)

    def _successful(self) -> list[Draft]:
        written = [outcome.draft for outcome in self.outcomes if outcome.cause is None]
        return [draft for draft in written if draft.id not in self.acting.replaced]


_TIME_UP = "the time was up before the aggregator had finished."
_AT_ONCE = "the answer was asked for before the aggregator had said anything that counts."
_UNFENCED = "The JSON was taken out of its block of code."
_Answered = tuple[str, Aggregation]
"""The text of an answer, and how it came about."""


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))


def _weights(routing: Routing) -> dict[str, float]:
    return {agent.name: agent.weight for agent in routing.agents if agent.chosen}


def _insist_on_text(text: str, aggregator: Aggregator) -> None:
    if not text.strip():
        raise BackendError(f"The aggregator {aggregator.name} returned no visible text.")

"""What an aggregator will probably ask for, before anything is asked: the calls behind an estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa.aggregation.auto import Auto
from moa.aggregation.base import Aggregator
from moa.aggregation.escalate import Escalate
from moa.aggregation.guard import Guard
from moa.aggregation.judge import Judge
from moa.aggregation.refine import Refine
from moa.aggregation.select import EVERY_PAIR, Select
from moa.aggregation.selfmix import SelfMix
from moa.aggregation.synthesize import Synthesize
from moa.aggregation.verifier import Verifier
from moa.answers import Routing
from moa.backends.base import Backend
from moa.backends.references import backend_for
from moa.context import tokens_in
from moa.estimate import ExpectedCall, Lengths, expected_usage
from moa.messages import Conversation, Usage

if TYPE_CHECKING:
    from moa.agent import Agent

_VERDICT_TOKENS = 40
"""What a judge, a grader or a verifier may write."""
_INSTRUCTIONS_TOKENS = 200
"""What a judge or a writer is told beside what it reads."""

Calls = tuple[ExpectedCall, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a turn before anybody was asked."""

    conversation: Conversation
    panel: tuple[Agent, ...]
    """Who was chosen, the one with the most weight first."""
    agents: Mapping[str, Agent]
    """Agent name → agent, for every agent that drafts."""
    routing: Routing
    lengths: Lengths
    """How much everybody usually writes."""

    def drafts(self, agents: Iterable[Agent], *, beside: int = 0) -> Calls:
        """Return the calls in which agents draft.

        Args:
            agents: who drafts.
            beside: tokens that each reads beside the conversation, such as the drafts of the layer before.
        """
        calls = []
        for agent in agents:
            usage = expected_usage(agent.request(self.conversation), self.lengths.usual(agent.name))
            calls.append(ExpectedCall(agent.name, agent.backend, usage + Usage(beside, 0)))
        return tuple(calls)

    def reads(self, who: str, backend: Backend, tokens: int, most: int | None = None) -> ExpectedCall:
        """Return a call in which a model reads the conversation and something more.

        Args:
            who: who asks, for messages.
            backend: the model.
            tokens: what it reads beside the conversation.
            most: what it may write; None for what it usually writes.
        """
        asked = tokens_in(self.conversation.messages) + _INSTRUCTIONS_TOKENS + tokens
        return ExpectedCall(who, backend, Usage(asked, most or self.lengths.usual(who)))

    @property
    def heaviest(self) -> Backend:
        """The model of the agent with the most weight, which writes and judges where no other is named."""
        return self.panel[0].backend


def calls_after(aggregator: Aggregator, drafts: Calls, outlook: Outlook) -> Calls:
    """Return the calls that an aggregator will probably make of some drafts, rather too many than too few.

    Of an aggregator of your own nothing is known but its `backend`, if it has one.

    Args:
        aggregator: what makes one answer.
        drafts: the calls in which the drafts are written that it gets.
        outlook: what is known of the turn.
    """
    for kind, calls in _KINDS.items():
        if isinstance(aggregator, kind):
            return tuple(calls(aggregator, drafts, outlook))
    backend = getattr(aggregator, "backend", None)
    return (outlook.reads("the aggregator", backend, _written(drafts)),) if isinstance(backend, Backend) else ()


def _written(calls: Iterable[ExpectedCall]) -> int:
    return sum(call.usage.output or 0 for call in calls)


def _auto(auto: Auto, drafts: Calls, outlook: Outlook) -> Calls:
    return calls_after(auto.chosen(outlook.routing)[0], drafts, outlook)


def _synthesize(synthesize: Synthesize, drafts: Calls, outlook: Outlook) -> Calls:
    backend = synthesize.backend or outlook.heaviest
    call = outlook.reads("the aggregator", backend, _written(drafts), synthesize.max_tokens)
    return (call, call) if synthesize.analyse else (call,)


def _guard(guard: Guard, drafts: Calls, outlook: Outlook) -> Calls:
    inner = calls_after(guard.guarded, drafts, outlook)
    if guard.judge is None:
        return inner
    answers = max((call.usage.output or 0 for call in (*drafts, *inner)), default=0)
    judging = outlook.reads("the judge", _model(guard.judge, outlook), 2 * answers, _VERDICT_TOKENS)
    return (*inner, judging, judging)


def _select(select: Select, drafts: Calls, outlook: Outlook) -> Calls:
    if select.by == "agreement" or (callable(select.model) and not isinstance(select.model, Judge)):
        return ()
    count, backend = len(drafts), _model(select.model, outlook)
    each = _written(drafts) // max(count, 1)
    if select.by == "score":
        return (outlook.reads("the judge", backend, each, _VERDICT_TOKENS),) * count
    pairs = count * (count - 1) // 2 if count <= EVERY_PAIR else count - 1
    return (outlook.reads("the judge", backend, 2 * each, _VERDICT_TOKENS),) * (2 * pairs)


def _self_mix(mix: SelfMix, drafts: Calls, outlook: Outlook) -> Calls:
    more = drafts[:1] * (mix.n - len(drafts))
    return (*more, *calls_after(mix.then, (*drafts, *more), outlook))


def _refine(refine: Refine, drafts: Calls, outlook: Outlook) -> Calls:
    calls: list[ExpectedCall] = []
    for layer in range(refine.layers):
        named = refine.panels[layer] if layer < len(refine.panels) else ()
        agents = [outlook.agents[name] for name in named] or outlook.panel
        drafts = outlook.drafts(agents, beside=_written(drafts))
        calls += drafts
    return (*calls, *calls_after(refine.last, drafts, outlook))


def _escalate(escalate: Escalate, drafts: Calls, outlook: Outlook) -> Calls:
    strong = [outlook.agents[escalate.then]] if escalate.then else outlook.panel
    asked = {call.who for call in drafts} | {escalate.first}
    further = outlook.drafts(agent for agent in strong if agent.name not in asked)
    calls = list(further)
    if further and isinstance(escalate.by, Verifier):
        verifier = outlook.reads("the verifier", _model(escalate.by.model, outlook), _written(drafts), _VERDICT_TOKENS)
        calls.append(verifier)
    if escalate.inner and len(strong) > 1:
        calls += calls_after(escalate.inner, (*drafts, *further), outlook)
    return tuple(calls)


def _model(model: object, outlook: Outlook) -> Backend:
    if isinstance(model, Judge):
        return model.backend
    if isinstance(model, str):
        return backend_for(model)
    return model if isinstance(model, Backend) else outlook.heaviest


_KINDS: Mapping[type, Callable[..., Sequence[ExpectedCall]]] = {
    Auto: _auto,
    Escalate: _escalate,
    Guard: _guard,
    Refine: _refine,
    Select: _select,
    SelfMix: _self_mix,
    Synthesize: _synthesize,
}
"""Aggregator → its calls; all others make none, or are of the user's own making."""

"""A mixture as one request wants it: the same agents, encoder, limits and load; other settings, for this one run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, cast

from moa.agent import Agent
from moa.aggregation import (
    Aggregator,
    Auto,
    Chooses,
    Guard,
    Opens,
    Refine,
    Select,
    SelfMix,
    Solo,
    Synthesize,
    Vote,
)
from moa.aggregation.base import AggregationEvent, Sizes, Work
from moa.answers import Routing
from moa.backends.base import Backend
from moa.mixture import Mixture
from moa.routing import Router
from moa.routing.policy import Mode
from moa.server.refusal import Refusal
from moa.server.shaping import Shaped, Shaping

AGGREGATORS = ("auto", "solo", "synthesize", "select", "vote", "refine", "self_mix")
"""What a request may ask for by name. The models that they use are the mixture's own."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a mixture should be for a request."""

    only: str | None = None
    """The one agent that answers."""
    mode: Mode | None = None
    k: int | None = None
    threshold: float | None = None
    aggregator: str | None = None
    temperature: float | None = None

    @property
    def sizes(self) -> bool:
        """Whether it says how many answer."""
        return self.mode is not None or self.k is not None


def tailored(mixture: Mixture, fit: Fit, shaping: Shaping) -> Mixture:
    """Return a mixture that does what a request wants, sharing all else with the one that it is made of.

    Raises:
        Refusal: it cannot be as it is wanted.
    """
    made = copy(mixture)
    inner = _aggregator(mixture, fit.aggregator)
    if fit.only is not None:
        made.agents = tuple(agent for agent in mixture.agents if agent.name == fit.only)
        made.fallback, made.router = fit.only, Router()
        inner = Solo()
    elif fit.sizes or fit.threshold is not None:
        made.router = _router(mixture.router, fit)
    made.agents = tuple(_agent(agent, fit, shaping) for agent in made.agents)
    made.aggregator = Tailored(inner, fit, shaping)
    if not shaping.asks_nothing:
        made.cache = None  # it keeps answers by what the agents ask for, and this request asks for more
    return made


def _agent(agent: Agent, fit: Fit, shaping: Shaping) -> Agent:
    if shaping.asks_nothing and fit.temperature is None:
        return agent
    made = copy(agent)
    if fit.temperature is not None:
        object.__setattr__(made, "temperature", fit.temperature)
    if not shaping.asks_nothing:
        object.__setattr__(made, "backend", Shaped(agent.backend, shaping))
        object.__setattr__(made, "stand_ins", tuple(Shaped(each, shaping) for each in agent.stand_ins))
    return made


def _router(router: Router, fit: Fit) -> Router:
    policy = getattr(router, "policy", None)
    if policy is None:
        raise Refusal(400, "This mixture has a router of its own, which takes no k and no threshold.", param="moa")
    changes: dict[str, Any] = {
        name: value
        for name, value in (("mode", fit.mode), ("k", fit.k), ("threshold", fit.threshold))
        if value is not None
    }
    if fit.mode is not None:
        changes["k_max"] = None
    made = copy(router)
    made.policy = policy.but(**changes)
    return made


def _aggregator(mixture: Mixture, name: str | None) -> Aggregator:
    """Return the aggregator that a request names, with the mixture's own writer."""
    if name is None:
        return mixture.aggregator
    writer = _writer_of(mixture.aggregator).model
    made: dict[str, Aggregator] = {
        "auto": Auto(writer=writer),
        "solo": Solo(),
        "synthesize": Synthesize(writer),
        "select": Select(by="agreement"),
        "vote": Vote(),
        "refine": Refine(then=Synthesize(writer)),
        "self_mix": SelfMix(),
    }
    if name not in made:
        told = f"There is no aggregator {name[:100]!r}. There are {', '.join(made)}."
        raise Refusal(400, told, code="invalid_value", param="moa.aggregator")
    return made[name]


def _writer_of(aggregator: Aggregator) -> Synthesize:
    """Return what writes an answer from several drafts where this aggregator does, or would if it had to."""
    match aggregator:
        case Synthesize():
            return aggregator
        case Guard(guarded=inner) | Refine(last=inner):
            return _writer_of(inner)
        case Auto(writer=writer):
            return Synthesize(writer)
    return Synthesize()


@dataclass(frozen=True)
class Tailored:
    """Another aggregator, with what one request wants of the answer."""

    inner: Aggregator
    fit: Fit
    shaping: Shaping

    @property
    def name(self) -> str:
        """The inner one's."""
        return self.inner.name

    @property
    def backend(self) -> Backend | None:
        """The model that will write, if it is known before a question is."""
        return _writer_of(self.inner).backend

    def panel_size(self, routing: Routing) -> int | None:
        """Return how many agents draft, as the inner one says, unless the request does."""
        return self.inner.panel_size(routing) if isinstance(self.inner, Sizes) and not self.fit.sizes else None

    def chosen(self, routing: Routing) -> tuple[Aggregator, str]:
        """Return the aggregator for this run. Whether drafts will be answers is settled here, before they are written.

        With tools of the client's, several drafts are always synthesized: calls cannot be voted on.
        """
        # What everybody has is asked for first: Python takes long to find out whether an object fits a protocol.
        inner = self.inner
        chooses = isinstance(inner, Auto) or (not isinstance(inner, Solo | Synthesize) and isinstance(inner, Chooses))
        chosen, why = cast("Chooses", inner).chosen(routing) if chooses else (inner, "")
        several = len(routing.panel) > 1
        writer = _written_by(chosen)
        if self.shaping.tools and several and not isinstance(chosen, Solo):
            writer, chosen = writer or _writer_of(chosen), _writer_of(chosen)
        alone = not several and (isinstance(chosen, Solo | Synthesize) or not isinstance(chosen, Opens))
        self.shaping.drafts_are_answers = alone or writer is None
        return (_finalizing(chosen, self.fit, self.shaping) if writer else chosen), why

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the chosen aggregator yields.

        Raises:
            MoaError: it failed.
        """
        chosen, _ = self.chosen(work.routing)
        async with aclosing(chosen.aggregate(work)) as events:
            async for event in events:
                yield event


def _written_by(aggregator: Aggregator) -> Synthesize | None:
    """Return what writes the answer anew; None if the answer is one of the drafts."""
    match aggregator:
        case Synthesize():
            return aggregator
        case Guard(guarded=inner) | Refine(last=inner):
            return _written_by(inner)
    return None


def _finalizing(aggregator: Aggregator, fit: Fit, shaping: Shaping) -> Aggregator:
    """Return an aggregator whose last writer does what the request wants."""
    match aggregator:
        case Synthesize():
            return Finalizing(
                model=aggregator.model,
                instructions=aggregator.instructions,
                temperature=aggregator.temperature if fit.temperature is None else fit.temperature,
                max_tokens=aggregator.max_tokens,
                analyse=aggregator.analyse,
                shaping=shaping,
            )
        case Guard(guarded=inner):
            return replace(aggregator, inner=_finalizing(inner, fit, shaping))
        case Refine(last=inner):
            return replace(aggregator, then=_finalizing(inner, fit, shaping))
    return aggregator


@dataclass(frozen=True)
class Finalizing(Synthesize):
    """Synthesizes as another one would, with a model that does what one request wants of the answer."""

    shaping: Shaping | None = None

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the answer as it is written.

        Raises:
            MoaError: the model failed, or wrote nothing.
        """
        backend = self.backend or work.agents[work.best.agent].backend
        while isinstance(backend, Shaped):
            backend = backend.inner
        shaped = Shaped(backend, self.shaping or Shaping(), writes=True)
        writer = Synthesize(shaped, self.instructions, self.temperature, self.max_tokens, self.analyse)
        async with aclosing(writer.aggregate(work)) as events:
            async for event in events:
                yield event

"""The aggregator that picks the aggregator, from evidence where there is some."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from moa.aggregation.base import AggregationEvent, Aggregator, Work
from moa.aggregation.guard import Guard
from moa.aggregation.policy_file import AggregationPolicy, load_policy
from moa.aggregation.solo import Solo
from moa.aggregation.synthesize import Synthesize
from moa.answers import Routing

if TYPE_CHECKING:
    from moa.backends.base import Backend


@dataclass(frozen=True)
class Auto:
    """Picks an aggregator for each kind of question.

    The kind is the field of a question: the name of the agent that the router finds most probable. What pays for which
    kind is written in a policy, which the evaluations make from evidence. Without one, a single draft is passed
    through, and several are synthesized under guard, so that the answer is no worse than the best draft as far as that
    can be told without a further call.

    Example:
        >>> Auto().name
        'auto'
    """

    policy: AggregationPolicy | str | Path | None = None
    """A policy, or the file that holds one; the file is read when the first question comes."""
    writer: str | Backend | None = None
    """The model that synthesizes where there is no policy; None takes the model of the agent with the most weight."""
    name: str = field(default="auto", init=False)

    @cached_property
    def _policy(self) -> AggregationPolicy | None:
        return load_policy(self.policy) if isinstance(self.policy, str | Path) else self.policy

    def chosen(self, routing: Routing) -> tuple[Aggregator, str]:
        """Return the aggregator for a turn, and why.

        Raises:
            LoadError: the file of the policy cannot be read, or is wrong.
        """
        if self._policy and (found := self._policy.of(routing.field)):
            return found, f"the policy for {routing.field}"
        if len(routing.panel) == 1:
            return Solo(), ""
        return Guard(Synthesize(self.writer)), ""

    def panel_size(self, routing: Routing) -> int | None:
        """Return how many agents the policy wants for the kind of question; None where it does not say.

        Raises:
            LoadError: as `chosen`.
        """
        return self._policy.size(routing.field) if self._policy else None

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the chosen aggregator yields.

        Raises:
            MoaError: it failed.
        """
        aggregator, _ = self.chosen(work.routing)
        async with aclosing(aggregator.aggregate(work)) as events:
            async for event in events:
                yield event

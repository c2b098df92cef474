"""What would be decided otherwise: agents pinned, agents excluded, another threshold. Nothing is asked or spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, floor

from moa.answers import Routing

STEP = 0.05
"""Of the threshold, from one key press to the next."""
_ROUNDING = 1e-6  # 0.15 / 0.05 is a little less than 3


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What a person wants of a decision, whatever the scores say."""

    pin: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    threshold: float | None = None
    """The threshold to try, 0 … 1; None leaves the router's own."""

    def __bool__(self) -> bool:
        return bool(self.pin or self.exclude or self.threshold is not None)

    def pinned(self, name: str) -> Otherwise:
        """Return this with an agent pinned, or no longer pinned if it was."""
        without = tuple(each for each in self.pin if each != name)
        pin = without if name in self.pin else (*self.pin, name)
        return replace(self, pin=pin, exclude=tuple(each for each in self.exclude if each != name))

    def excluded(self, name: str, names: Iterable[str]) -> Otherwise:
        """Return this with an agent excluded, or no longer excluded if it was. The last one cannot be."""
        if name in self.exclude:
            return replace(self, exclude=tuple(each for each in self.exclude if each != name))
        if set(names) <= {*self.exclude, name}:
            return self
        return replace(self, exclude=(*self.exclude, name), pin=tuple(each for each in self.pin if each != name))

    def only(self, chosen: Iterable[str], names: Iterable[str]) -> Otherwise:
        """Return this with exactly these agents of all of them."""
        chosen = tuple(chosen)
        return Otherwise(chosen, tuple(name for name in names if name not in chosen))

    def moved(self, routing: Routing, steps: int) -> Otherwise:
        """Return this with the threshold so many steps higher or lower, on the grid of steps."""
        at = (routing.threshold if self.threshold is None else self.threshold) / STEP
        place = (floor(at + _ROUNDING) if steps > 0 else ceil(at - _ROUNDING)) + steps
        return replace(self, threshold=round(min(1.0, max(0.0, place * STEP)), 4))


def decided(routing: Routing, otherwise: Otherwise) -> Routing:
    """Return what would have been decided, from the figures that the routing holds.

    Agents that the question itself names stay pinned unless they are excluded. With a threshold to try, all agents
    have to reach that one, also those that have one of their own.
    """
    if not otherwise or not routing.agents:
        return routing
    from moa.routing.decision import policy_of, redecide, wishes_of

    policy, wishes = policy_of(routing), wishes_of(routing)
    if otherwise.threshold is not None:
        policy = policy.but(threshold=otherwise.threshold, thresholds={})
        if policy.fallback_threshold is not None:
            policy = policy.but(fallback_threshold=min(policy.fallback_threshold, otherwise.threshold))
    here = {agent.name for agent in routing.agents}
    pin = dict.fromkeys(name for name in (*wishes.pin, *otherwise.pin) if name in here)
    exclude = dict.fromkeys(name for name in (*wishes.exclude, *otherwise.exclude) if name in here)
    for name in otherwise.pin:
        exclude.pop(name, None)
    for name in otherwise.exclude:
        pin.pop(name, None)
    mentioned = tuple(name for name in wishes.mentioned if name in pin)
    return redecide(
        routing, policy, wishes=replace(wishes, pin=tuple(pin), exclude=tuple(exclude), mentioned=mentioned)
    )

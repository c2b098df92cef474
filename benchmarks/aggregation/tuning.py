"""Which agent should be asked first in each field, and how sure it must be, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 4
"""Questions of a field from which it gets a route of its own; the others share one."""
ANY = "*"
"""The fields that share one."""


@dataclass(frozen=True, slots=True)
class Try:
    """What one agent did with a question."""

    right: bool
    work: float
    """Tokens times size."""
    sure: float = 0.0
    """How sure it was, 0 … 1."""
    failed: bool = False
    """Whether it gave no answer at all, so that the next one is asked."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What everybody did with one question."""

    field: str
    large: Try
    """The field's own agent, the large model."""
    others: Mapping[str, Try]
    """By name: whoever may be asked before it."""

    def outcome(self, route: Route) -> tuple[bool, float]:
        """Return whether the answer is right on a route, and the work: as `Escalate` does it."""
        if route.bar >= 1:
            return self.large.right, self.large.work
        first = self.others[route.first]
        if not first.failed and (route.bar <= 0 or first.sure >= route.bar):
            return first.right, first.work
        return self.large.right, first.work + self.large.work

    @property
    def least(self) -> float:
        """The work of whoever should have been asked: the cheapest that is right, or the cheapest where nobody is."""
        tries = [self.large, *self.others.values()]
        return min(each.work for each in ([one for one in tries if one.right] or tries))


@dataclass(frozen=True, slots=True)
class Route:
    """Who is asked first, and how sure it must be for nobody else to be asked."""

    first: str
    bar: float
    """0 stays with it in any case, 1 goes straight to the field's own agent."""

    def __str__(self) -> str:
        if self.bar >= 1:
            return "the large one"
        return f"{self.first} {f'if sure by {self.bar:.2f}' if self.bar > 0 else 'alone'}"


def tuned(trials: Sequence[Trial]) -> dict[str, Route]:
    """Return a route for each field, and one for all others as `*`."""
    fields: dict[str, list[Trial]] = {}
    for trial in trials:
        fields.setdefault(trial.field, []).append(trial)
    rest = [trial for some in fields.values() if len(some) < FEWEST for trial in some]
    routes = {name: route(some) for name, some in sorted(fields.items()) if len(some) >= FEWEST}
    return {**routes, ANY: route(rest)}


def route(trials: Sequence[Trial]) -> Route:
    """Return the route with the least work of those by which no fewer answers are right than the large model's.

    Without questions to tell it from, everything goes to the large model. Of routes that cost the same, the one with
    the highest bar is taken.
    """
    if not trials:
        return Route("", 1.0)
    wanted = sum(trial.large.right for trial in trials)
    found = []
    for first in sorted(trials[0].others):
        for bar in _bars(trial.others[first].sure for trial in trials):
            outcomes = [trial.outcome(Route(first, bar)) for trial in trials]
            if sum(right for right, _ in outcomes) >= wanted:
                found.append((sum(work for _, work in outcomes), -bar, first))
    _, bar, first = min(found)
    return Route(first, -bar)


def _bars(sure: Iterable[float]) -> list[float]:
    """Return everything that a bar can tell apart: 0, between any two confidences, and 1."""
    known = sorted({each for each in sure if 0 < each < 1})
    return [0.0, *((one + other) / 2 for one, other in pairwise(known)), 1.0]

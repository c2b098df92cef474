"""Who took which time of a run, and who was waited for. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

from moa.tui.spans import Span, spans
from moa.tui.state import DraftView, RunView

_TOGETHER_SECONDS = 0.05
"""Whatever ends so shortly after the next thing began was waited for all the same: events have a way to go."""
_WORTH_A_TRACK = 0.01
"""Share of the run, 0 … 1, from which on what an aggregator that only passed something through did is shown."""


@dataclass(frozen=True, slots=True)
class Track:
    """What one part of the run did, from when to when."""

    name: str
    agent: str
    """Whose it is; empty if it is no agent's."""
    spans: tuple[Span, ...]
    end: Literal["", "done", "failed", "cancelled"] = ""
    """How it ended; empty as long as it goes on."""
    critical: bool = False
    """Whether the answer had to wait for it."""

    @property
    def start_at(self) -> float:
        """Seconds from the start of the run until it began."""
        return self.spans[0].start

    @property
    def end_at(self) -> float:
        """Seconds from the start of the run until it ended, or until now."""
        return self.spans[-1].end


def tracks(view: RunView, now: float) -> tuple[Track, ...]:
    """Return what there is to see of a run until `now`: routing, drafts, aggregator, reviewers, in that order.

    The critical path is found backwards: what ended last, then what ended last before that began, and so on. While
    several drafts are under way, nobody knows yet which of them will be waited for.
    """
    now = _finite(now)
    routing = _routing(view, now)
    drafts = [track for track in (_draft(draft, now) for draft in view.drafts) if track.spans]
    aggregator, reviews = _aggregator(view, now), _reviews(view)
    waited_for = _critical(drafts, aggregator)
    drafts = [replace(track, critical=place in waited_for) for place, track in enumerate(drafts)]
    others = [replace(track, critical=True) for track in (aggregator, reviews) if track is not None]
    first = [replace(routing, critical=True)] if routing else []
    return (*first, *drafts, *others)


def length(view: RunView, now: float) -> float:
    """Return how long the run is, or has been until now, in seconds."""
    ends = [track.end_at for track in tracks(view, now)]
    return max([_finite(view.seconds or 0.0), *ends, 0.001])


def _routing(view: RunView, now: float) -> Track | None:
    if not view.run and view.routed_at is None:
        return None
    end = _finite(now if view.routed_at is None else view.routed_at)
    return Track("routing", "", (Span("route", 0.0, end),), "done" if view.routing else "")


def _draft(draft: DraftView, now: float) -> Track:
    end = _finite(now if draft.ended_at is None else draft.ended_at)
    held = spans(draft.marks, end)
    how: Literal["", "done", "failed", "cancelled"] = ""
    if draft.over:
        how = "failed" if draft.state == "failed" else "cancelled" if draft.state == "cancelled" else "done"
    return Track(draft.agent, draft.agent, held, how)


def _aggregator(view: RunView, now: float) -> Track | None:
    if view.aggregation is None or not view.marks or view.answer_draft is not None:
        return None
    end = _finite(view.answered_at if view.answered_at is not None and (view.over or view.reviews) else now)
    held = spans(view.marks, end)
    ran = view.aggregation.ran
    took = held[-1].end - held[0].start
    if ran == "solo" and took < _WORTH_A_TRACK * max(end, _TOGETHER_SECONDS):
        return None
    return Track(view.aggregation.asked if ran == "solo" else ran, "", held, "done" if view.over else "")


def _reviews(view: RunView) -> Track | None:
    if view.reviewed_at is None:
        return None
    end = _finite(view.reviewed_at)
    start = min(end, _finite(view.answered_at or view.reviewed_at))
    return Track("review", "", (Span("review", start, end),), "done")


def _critical(drafts: list[Track], aggregator: Track | None) -> set[int]:
    """Return the places of the drafts that the answer waited for."""
    under_way = [place for place, track in enumerate(drafts) if not track.end]
    if under_way and aggregator is None:
        return set(under_way) if len(under_way) == 1 else set()
    begun = float("inf") if aggregator is None else aggregator.start_at
    before = [place for place, track in enumerate(drafts) if track.start_at < begun]
    # What an aggregator asked for itself, it waited for too.
    later = [place for place in range(len(drafts)) if place not in before]
    found: set[int] = set()
    for group, limit in ((before, begun), (later, float("inf"))):
        ended = [place for place in group if drafts[place].end_at <= limit + _TOGETHER_SECONDS]
        if ended:
            found.add(max(ended, key=lambda place: drafts[place].end_at))
    return _with_predecessors(drafts, found)


def _with_predecessors(drafts: list[Track], found: set[int]) -> set[int]:
    """Return the places, and those of the drafts that had to end before these could begin."""
    waiting = list(found)
    while waiting:
        begun = drafts[waiting.pop()].start_at
        earlier = [
            place
            for place, track in enumerate(drafts)
            if place not in found and track.end_at <= begun + _TOGETHER_SECONDS and track.start_at < begun
        ]
        if earlier and not any(drafts[place].start_at < begun <= drafts[place].end_at for place in found):
            last = max(earlier, key=lambda place: drafts[place].end_at)
            found.add(last)
            waiting.append(last)
    return found


def _finite(seconds: float) -> float:
    return max(0.0, seconds) if isfinite(seconds) else 0.0

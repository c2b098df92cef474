"""Where a replay stands, and where its steps are. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from moa.events import AnswerDelta, DraftDelta, Event
from moa.tui.words import duration

_TOGETHER = 24
"""Pieces of text in one step: somebody who goes through a run step by step does not want every token."""


def steps(events: Sequence[Event]) -> tuple[int, ...]:
    """Return the places after which a replay stands still: after each event, but texts are taken together.

    A place is a number of events that have happened; the last one is all of them.
    """
    found: list[int] = []
    pieces = 0
    for place, event in enumerate(events):
        text = isinstance(event, AnswerDelta | DraftDelta)
        if (not text and pieces) or pieces >= _TOGETHER:
            found.append(place)
            pieces = 0
        if text:
            pieces += 1
        else:
            found.append(place + 1)
    return tuple(dict.fromkeys([*found, len(events)])) if events else (0,)


def following(places: Sequence[int], place: int, step: int) -> int:
    """Return the place one step on (1) or back (−1)."""
    if step > 0:
        return places[min(bisect_right(places, place), len(places) - 1)]
    at = bisect_left(places, place) - 1
    return places[at] if at >= 0 else 0


def happening(event: Event | None) -> str:
    """Return what an event is, in a few words."""
    if event is None:
        return "before the beginning"
    match event.type:
        case "draft_started" | "draft_delta" | "draft_notice" | "tool_called":
            who = getattr(event, "draft", "")
            said = {"draft_started": "is asked", "draft_delta": "writes", "tool_called": "called a tool"}
            return f"{who} {said.get(event.type, getattr(event, 'state', ''))}"
        case "draft_finished":
            return f"{event.draft.id} {event.draft.status}"
        case "answer_delta":
            return "the answer is written"
        case "aggregation_started":
            return f"{event.aggregation.ran} begins"
    return event.type.replace("_", " ")


def position(events: Sequence[Event], place: int) -> str:
    """Return where a replay stands: the time, of how much; the event, of how many; what happened there."""
    end = events[-1].at if events else 0.0
    now = events[place - 1].at if place else 0.0
    last = events[place - 1] if place else None
    return f"{duration(now)} of {duration(end)} · event {place} of {len(events)} · {happening(last)}"

"""When somebody waited, loaded, tried again, wrote or judged: what the timeline is drawn from. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal

Doing = Literal["wait", "load", "retry", "stream", "judge", "review", "route"]

OF_STATE: Final[dict[str, Doing]] = {
    "queued": "wait",
    "waiting": "wait",
    "downloading": "load",
    "loading": "load",
    "retrying": "retry",
    "thinking": "stream",
    "streaming": "stream",
}
"""What a state of a draft or of an aggregator is to the timeline."""

_MOST_MARKS = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """From when on somebody did something. What ends it is the next mark, or the end."""

    at: float
    """Seconds since the run started."""
    doing: Doing


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time."""

    doing: Doing
    start: float
    end: float
    """Seconds since the run started; not before `start`."""


def marked(marks: tuple[Mark, ...], doing: Doing, at: float) -> tuple[Mark, ...]:
    """Return the marks with another one, unless the same goes on.

    Marks stand in order, at finite times from 0 on: one that comes too late, or at no time, counts from the last.
    """
    if marks and (marks[-1].doing == doing or len(marks) >= _MOST_MARKS):
        return marks
    last = marks[-1].at if marks else 0.0
    return (*marks, Mark(max(at, last) if isfinite(at) else last, doing))


def spans(marks: Sequence[Mark], end: float) -> tuple[Span, ...]:
    """Return what went on between the marks, and from the last one to the end."""
    ends = [mark.at for mark in marks[1:]] + [end]
    return tuple(Span(mark.doing, mark.at, max(mark.at, until)) for mark, until in zip(marks, ends, strict=False))

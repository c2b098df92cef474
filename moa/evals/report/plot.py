"""Plots as inline SVG: accuracy against what it costs or takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 640, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 150, 16, 44
_TICKS = 5
_LINE = 13
"""Pixels that a label needs for itself."""


@dataclass(frozen=True, slots=True)
class Point:
    """One system in a plot."""

    name: str
    x: float
    y: float
    low: float
    high: float
    derived: bool
    """Whether it was computed and not run."""

    def beats(self, other: Point) -> bool:
        """Whether it is as good for no more, and better in one of the two."""
        return self.y >= other.y and self.x <= other.x and (self.y > other.y or self.x < other.x)


def scatter(points: Sequence[Point], across: str, title: str) -> str:
    """Return a plot of accuracy, upwards, against something that is better the less it is.

    Args:
        points: the systems.
        across: what stands under the axis, with its unit.
        title: for those who cannot see it.
    """
    most = _nice(max((point.x for point in points), default=1.0) or 1.0)
    low = max(0.0, floor(min((point.low for point in points), default=0.0) * 10) / 10)
    high = min(1.0, ceil(max((point.high for point in points), default=1.0) * 10) / 10)
    span = max(high - low, 0.1)
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x / most * wide, _TOP + (1 - (y - low) / span) * tall

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="plot"><title>{escape(title)}</title>',
        *_axes(most, low, span, across),
    ]
    real = [point for point in points if not point.derived]
    front = sorted((p for p in real if not any(other.beats(p) for other in real)), key=lambda point: point.x)
    if len(front) > 1:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(point.x, point.y) for point in front))
        parts.append(f'<polyline class="front" points="{line}"/>')
    labels: list[float] = []
    for point in sorted(points, key=lambda point: -point.y):
        x, y = place(point.x, point.y)
        _, top = place(point.x, point.high)
        _, bottom = place(point.x, point.low)
        kind = "derived" if point.derived else "best" if point in front else "system"
        beside = _free(y, labels)
        labels.append(beside)
        shown = f"{point.name}: {point.y:.3f} ({point.low:.3f} … {point.high:.3f}) at {point.x:.4g}"
        parts.append(
            f'<g class="{kind}"><title>{escape(shown)}</title>'
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
            f'<line class="lead" x1="{x + 5:.1f}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT + 8}" y2="{beside - 4:.1f}"/>'
            f'<text x="{_WIDTH - _RIGHT + 11}" y="{beside:.1f}">{escape(point.name[:24])}</text></g>'
        )
    return "".join(parts) + "</svg>"


def _axes(most: float, low: float, span: float, across: str) -> list[str]:
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    parts = []
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        y, x = _TOP + (1 - share) * tall, _LEFT + share * wide
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{low + share * span:.2f}</text>'
        )
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{_TOP + tall + 16}">{share * most:.3g}</text>'
        )
    middle = _LEFT + wide / 2
    parts.append(f'<text class="tick" text-anchor="middle" x="{middle:.0f}" y="{_HEIGHT - 8}">{escape(across)}</text>')
    return parts


def _free(wanted: float, taken: Sequence[float]) -> float:
    """Return a height for a label near the one that is wanted and below those that are taken."""
    place = wanted + 4
    for other in sorted(taken):
        if abs(other - place) < _LINE:
            place = other + _LINE
    return place


def _nice(value: float) -> float:
    """Return a round number that is at least as large."""
    unit: float = 10.0 ** floor(log10(value))
    return next(step * unit for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * unit >= value)

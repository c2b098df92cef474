"""The run as a timeline: a row for each who took time, and which of them the answer waited for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from moa.tui.card import heading, paragraph
from moa.tui.run_card import RunCard
from moa.tui.spans import Doing
from moa.tui.timeline import Track, length, tracks
from moa.tui.words import duration
from moa.untrusted import one_line

GLYPHS: Final[dict[Doing, str]] = {
    "route": "╌",
    "wait": "·",
    "load": "▒",
    "retry": "↻",
    "stream": "━",
    "judge": "═",
    "review": "╍",
}
"""Shapes, so that no colour is needed to tell them apart."""
_WORDS: Final[dict[Doing, str]] = {"stream": "write"}
"""Where they are other ones than the names."""
_ENDS: Final = {"failed": "✗", "cancelled": "■"}
_NAME_WIDTH = 12
_TIME_WIDTH = 8
_MOST_TRACKS = 9


class TimelineCard(RunCard):
    """Draws the timeline of a run."""

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading, a row a track, and what the shapes mean."""
        rows = tracks(self._view, self._now)
        if not rows:
            return []
        total = length(self._view, self._now)
        names = min(_NAME_WIDTH, max(len(one_line(row.name)) for row in rows))
        shown = rows[:_MOST_TRACKS]
        more = [Content.assemble((f"  and {len(rows) - len(shown)} more", "$quiet"))] if len(rows) > len(shown) else []
        return [
            heading("Timeline", f"→ waited for   {duration(total)}", width),
            *(self._row(row, total, names, width) for row in shown),
            *more,
            *paragraph(_legend(rows), "$quiet", width, most=2),
        ]

    def _row(self, row: Track, total: float, names: int, width: int) -> Content:
        room = max(1, width - names - _TIME_WIDTH - 3)
        colour = self._colours.of(row.agent) if row.agent else "$foreground"
        bright = colour if row.critical else f"{colour} 55%"
        cells = [" "] * room
        for span in row.spans:
            first = min(int(span.start / total * room), room - 1)
            last = max(first + 1, min(room, round(span.end / total * room)))
            cells[first:last] = [GLYPHS[span.doing]] * (last - first)
        if row.end in _ENDS:
            cells[min(int(row.end_at / total * room), room - 1)] = _ENDS[row.end]
        name = Content(one_line(row.name)).truncate(names, ellipsis=True, pad=True)
        return Content.assemble(
            ("→ " if row.critical else "  ", "$accent"),
            name.stylize(colour if row.critical else "$quiet"),
            " ",
            ("".join(cells), bright),
            (f"{duration(row.end_at - row.start_at):>{_TIME_WIDTH}}", "$foreground" if row.critical else "$quiet"),
        )


def _legend(rows: Sequence[Track]) -> str:
    there = {span.doing for row in rows for span in row.spans}
    said = [f"{glyph} {_WORDS.get(doing, doing)}" for doing, glyph in GLYPHS.items() if doing in there]
    return "  ".join(said)

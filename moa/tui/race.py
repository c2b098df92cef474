"""The drafts while they are written, side by side; where there is no room for that, under tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from moa.tui.card import Card, paragraph, spread
from moa.tui.draft_card import progress_bar, state, title
from moa.tui.state import DraftView, RunView
from moa.tui.tails import last_lines
from moa.tui.themes import Colours
from moa.tui.words import facts
from moa.untrusted import one_line

LEAST_COLUMN = 26
"""Cells that a column of text needs to be read."""
GAP = 2
_TABS_BELOW = 100
"""Columns of the terminal below which there are tabs."""
_TALL, _SHORT = 10, 5
"""Lines of text, in columns and under tabs."""
_NOTE_LINES = 3


class Race(Card, can_focus=True):
    """Drafts side by side, as far as they have come. With the focus, one can be chosen, and cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,shift+tab", "select(-1)", "previous draft", id="drafts.left", show=False),
        Binding("right,tab", "select(1)", "next draft", id="drafts.right", show=False),
        Binding("x,delete", "cancel", "cancel the draft", id="drafts.cancel", show=False),
        Binding("enter", "read", "read it in full", id="drafts.read", show=False),
        Binding("escape", "leave", "back", id="drafts.leave", show=False),
    ]

    class Left(Message):
        """The keys are to be given back."""

    @dataclass
    class Cancelled(Message):
        """A draft is to be given up."""

        draft: str

    @dataclass
    class Read(Message):
        """A draft is to be read in full."""

        draft: str

    def __init__(self) -> None:
        super().__init__()
        self._view = RunView()
        self._colours = Colours()
        self._figures: dict[str, str] = {}
        self._selected = 0

    def show(self, view: RunView, colours: Colours, now: float, *, figures: bool = True) -> None:
        """Show the drafts as they stand `now` (seconds since the run started).

        Args:
            view: the run.
            colours: of the agents.
            now: seconds since the run started.
            figures: whether their figures are brought up to date too: nobody reads those as fast as the texts.
        """
        if figures or len(self._figures) != len(view.drafts):
            self._figures = {draft.id: " · ".join(facts(draft, now)) for draft in view.drafts}
        self._view, self._colours = view, colours
        self.redraw()

    def on_focus(self) -> None:
        """Show which draft the keys are for."""
        self.redraw()

    def on_blur(self) -> None:
        """Show no draft selected."""
        self.redraw()

    @property
    def tabbed(self) -> bool:
        """Whether there is room for one draft only."""
        return self.app.size.width < _TABS_BELOW if self.is_attached else False

    def action_leave(self) -> None:
        """Give the keys back."""
        self.post_message(self.Left())

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return columns in as many rows as they need, or tabs and one draft."""
        drafts = self._view.drafts
        if not drafts:
            return []
        fit = max(1, (width + GAP) // (LEAST_COLUMN + GAP))
        if self.tabbed or fit == 1:
            return self._tabs(width)
        columns = min(fit, len(drafts))
        rows = -(-len(drafts) // columns)
        columns = -(-len(drafts) // rows)  # of equal length, as far as it goes
        each = (width - GAP * (columns - 1)) // columns
        height = max(3, _TALL // rows)
        lines: list[Content] = []
        for first in range(0, len(drafts), columns):
            cells = [self._column(place, each, height) for place in range(first, min(first + columns, len(drafts)))]
            lines += [Content()] if lines else []
            lines += [Content(" " * GAP).join(row) for row in zip(*cells, strict=True)]
        return lines

    def _column(self, place: int, width: int, height: int) -> list[Content]:
        draft = self._view.drafts[place]
        colour = self._colours.of(draft.agent)
        chosen = self.has_focus and place == self._chosen()
        head = spread(title(draft, colour), state(draft), width)
        figures = Content.assemble((self._figures.get(draft.id, ""), "$quiet"))
        rule = Content.assemble(("━" * width if chosen else "─" * width, colour if chosen else "$track"))
        model = Content.assemble((one_line(draft.model), "$quiet"))
        lines = [head, figures, model, rule, *self._voice(draft, width, height)]
        return [line.truncate(width, ellipsis=True, pad=True) for line in lines]

    def _tabs(self, width: int) -> list[Content]:
        chosen = self._chosen()
        tabs = Content()
        for place, draft in enumerate(self._view.drafts):
            colour = self._colours.of(draft.agent)
            tab = Content.assemble(" ", title(draft, colour), " ")
            if place == chosen:
                tab = tab.stylize("reverse" if self.has_focus else "on $panel")
            tabs = Content.assemble(tabs, tab)
        draft = self._view.drafts[chosen]
        figures = Content.assemble((self._figures.get(draft.id, ""), "$quiet"))
        return [
            tabs.truncate(width, ellipsis=True),
            spread(figures, state(draft), width),
            *self._voice(draft, width, _SHORT),
        ]

    def _voice(self, draft: DraftView, width: int, height: int) -> list[Content]:
        """Return exactly `height` lines: what is being written, what holds it up, or what went wrong."""
        lines: list[Content] = []
        if draft.state in {"failed", "cancelled"}:
            style = "$error" if draft.state == "failed" else "$warning"
            lines = paragraph(draft.note or "It was cut off.", style, width, most=min(height, _NOTE_LINES))
        elif not draft.over and draft.state not in {"thinking", "streaming"}:
            colour = self._colours.of(draft.agent)
            note = paragraph(draft.note, "$quiet", width, most=_NOTE_LINES)
            lines = [*progress_bar(draft, colour, width, indent=0), *note]
        text = draft.text or draft.reasoning
        style = "$foreground 85%" if draft.text else "$quiet italic"
        room = max(0, height - len(lines))
        written = [Content.assemble((line, style)) for line in last_lines(text, width, room)] if text and room else []
        return ([*lines, *written] + [Content()] * height)[:height]

    def _chosen(self) -> int:
        return min(self._selected, len(self._view.drafts) - 1)

    def action_select(self, step: int) -> None:
        """Go to another draft."""
        if self._view.drafts:
            self._selected = (self._chosen() + step) % len(self._view.drafts)
            self.redraw()

    def action_cancel(self) -> None:
        """Give the chosen draft up."""
        if self._view.drafts and not self._view.drafts[self._chosen()].over:
            self.post_message(self.Cancelled(self._view.drafts[self._chosen()].id))

    def action_read(self) -> None:
        """Read the chosen draft in full."""
        if self._view.drafts:
            self.post_message(self.Read(self._view.drafts[self._chosen()].id))


def racing(view: RunView) -> bool:
    """Whether there are drafts to be watched: several, and no answer yet."""
    return len(view.drafts) > 1 and not view.answer and not view.over

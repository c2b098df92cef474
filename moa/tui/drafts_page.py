"""The drafts in full: side by side, or under tabs where there is no room for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from moa.tui.card import Card
from moa.tui.dialogs import Page
from moa.tui.draft_card import state, title
from moa.tui.long_text import PlainText, head_length
from moa.tui.prose import Prose
from moa.tui.state import DraftView, RunView
from moa.tui.themes import Colours
from moa.tui.words import called, facts, proposal
from moa.untrusted import one_line, plain

_LEAST_COLUMN = 44
"""Cells that a column of Markdown needs: most code fits."""
_TABS_BELOW = 100
"""Columns of the terminal below which there are tabs whatever their number."""
_FRAME = 6


class DraftsPage(Page):
    """Every draft of a run, as it stood when the page was opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f6", "dismiss", "back", id="read.back", show=False),
        Binding("left,shift+tab", "select(-1)", "previous draft", id="read.left", show=False),
        Binding("right,tab", "select(1)", "next draft", id="read.right", show=False),
    ]

    def __init__(self, view: RunView, colours: Colours, now: float, first: str = "") -> None:
        super().__init__()
        self._view = view
        self._colours = colours
        self._now = now
        ids = [draft.id for draft in view.drafts]
        self._selected = ids.index(first) if first in ids else 0

    def compose(self) -> ComposeResult:
        """Make the page."""
        with Vertical(classes="page"):
            if not self._view.drafts:
                yield Static(Content.assemble(("There are no drafts yet.", "$quiet")), markup=False)
                return
            yield Tabs(self._view.drafts, self._colours)
            with Horizontal():
                for draft in self._view.drafts:
                    yield DraftColumn(draft, self._colours.of(draft.agent), self._now)

    def on_mount(self) -> None:
        """Begin with the draft that was asked for."""
        self._arrange()

    def on_resize(self) -> None:
        """Show as many as there is room for."""
        self._arrange()

    def action_select(self, step: int) -> None:
        """Go to another draft."""
        if self._view.drafts:
            self._selected = (self._selected + step) % len(self._view.drafts)
            self._arrange()

    def action_scroll(self, where: str) -> None:
        """Scroll the drafts that are to be seen."""
        for column in self.query(DraftColumn):
            if column.display:
                getattr(column, f"scroll_{where}")(animate=False)

    def _arrange(self) -> None:
        columns = list(self.query(DraftColumn))
        fit = max(1, (self.app.size.width - _FRAME) // _LEAST_COLUMN)
        if self.app.size.width < _TABS_BELOW:
            fit = 1
        first = min(self._selected, max(0, len(columns) - fit))
        shown = range(first, first + fit)
        for place, column in enumerate(columns):
            column.display = place in shown
        for tabs in self.query(Tabs):
            tabs.display = len(columns) > fit
            tabs.show(self._selected)


class Tabs(Card):
    """The names of all drafts, and which of them is looked at."""

    def __init__(self, drafts: Sequence[DraftView], colours: Colours) -> None:
        super().__init__()
        self._drafts = drafts
        self._colours = colours
        self._selected = 0

    def show(self, selected: int) -> None:
        """Show that another one is looked at."""
        self._selected = selected
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line of tabs, and a blank one."""
        tabs = Content()
        for place, draft in enumerate(self._drafts):
            tab = Content.assemble(" ", title(draft, self._colours.of(draft.agent)), " ")
            tabs = Content.assemble(tabs, tab.stylize("reverse") if place == self._selected else tab)
        keys = Content.assemble(("  ←→", "$primary"), (" another draft", "$quiet"))
        return [Content.assemble(tabs, keys).truncate(width, ellipsis=True), Content()]


class DraftColumn(VerticalScroll, can_focus=False):
    """One draft in full."""

    def __init__(self, draft: DraftView, colour: str, now: float) -> None:
        super().__init__()
        self._draft = draft
        self._colour = colour
        self._now = now

    def compose(self) -> ComposeResult:
        """Make the column: who it is and what it took, what went wrong, its tools, its text."""
        draft = self._draft
        yield _line(Content.assemble(title(draft, self._colour), "  ", state(draft)))
        yield _line(Content.assemble((" · ".join(facts(draft, self._now)), "$quiet")))
        yield _line(Content.assemble((one_line(draft.model), "$quiet")), "head")
        if draft.note and draft.state in {"failed", "cancelled"}:
            yield _line(
                Content.assemble((plain(draft.note), "$error" if draft.state == "failed" else "$warning")), "head"
            )
        if draft.result and (proposed := proposal(draft.result)):
            yield _line(Content.assemble((plain(proposed), "$quiet")), "head")
        for call in called(draft):
            yield _line(Content.assemble((plain(call), "$quiet")), "head")
        text = str(draft.text)
        head = head_length(text)
        yield Prose(text[:head])
        yield PlainText(plain(text[head:]))


def _line(content: Content, classes: str = "fact") -> Static:
    return Static(content, classes=classes, markup=False)

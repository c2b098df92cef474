"""Pages that lie over the chat: the help, and the drafts in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from moa.tui.card import Card, spread
from moa.tui.draft_card import state, title
from moa.tui.keys import KEYS
from moa.tui.state import RunView
from moa.tui.themes import Colours
from moa.tui.turn import Prose
from moa.tui.words import facts, proposal
from moa.untrusted import plain

_KEY_WIDTH = 22


class Page(ModalScreen[None]):
    """Something to read; Escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,f3,enter", "dismiss", "back", show=False),
        Binding("pageup", "scroll('page_up')", show=False),
        Binding("pagedown,space", "scroll('page_down')", show=False),
        Binding("up", "scroll('up')", show=False),
        Binding("down", "scroll('down')", show=False),
    ]

    def action_scroll(self, where: str) -> None:
        """Scroll the page."""
        getattr(self.query_one(VerticalScroll), f"scroll_{where}")(animate=False)


class HelpPage(Page):
    """The keys, and what the marks mean."""

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(classes="page", can_focus=False):
            yield KeyTable()


class KeyTable(Card):
    """The keys in two columns."""

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a line a key, and the legend."""
        back = Content.assemble(("Escape", "$primary"), (" goes back", "$quiet"))
        lines = [spread(Content.assemble(("Keys", "bold")), back, width), Content()]
        for keys, does in KEYS:
            told = Content.assemble((f"{keys:<{_KEY_WIDTH}}", "$primary"), does)
            if told.cell_length <= width:
                lines.append(told)
            else:
                lines += [Content.assemble((keys, "$primary")), Content(f"  {does}")]
        legend = (
            "● was asked   ○ was not   ◆ was asked as the fallback",
            "│ the probability from which an agent is asked",
            "~ an estimate",
        )
        lines += [Content(), *(Content.assemble((line, "$quiet")) for line in legend)]
        return [line.truncate(width, ellipsis=True) for line in lines]


class DraftsPage(Page):
    """Every draft of a run, as it stood when the page was opened."""

    def __init__(self, view: RunView, colours: Colours, now: float) -> None:
        super().__init__()
        self._view = view
        self._colours = colours
        self._now = now

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(classes="page", can_focus=False):
            if not self._view.drafts:
                yield Static(Content.assemble(("There are no drafts yet.", "$quiet")), markup=False)
            for draft in self._view.drafts:
                figures = " · ".join(facts(draft, self._now))
                head = Content.assemble(
                    title(draft, self._colours.of(draft.agent)), "  ", state(draft), (f"  {figures}", "$quiet")
                )
                yield Static(head, classes="head", markup=False)
                if draft.state == "failed":
                    yield Static(Content.assemble((plain(draft.note), "$error")), classes="head", markup=False)
                if draft.result and (proposed := proposal(draft.result)):
                    yield Static(Content.assemble((plain(proposed), "$quiet")), classes="head", markup=False)
                yield Prose(str(draft.text))

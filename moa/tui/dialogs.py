"""Pages that lie over the chat, and one of them: the help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from moa.tui.card import Card, spread
from moa.tui.keys import KEYS, MORE_KEYS

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
        lines += _table(KEYS, width)
        for title, keys in MORE_KEYS:
            lines += [Content(), Content.assemble((title, "bold")), *_table(keys, width)]
        legend = (
            "● was asked   ○ was not   ◆ was asked as the fallback",
            "│ the probability from which an agent is asked",
            "~ an estimate",
        )
        lines += [Content(), *(Content.assemble((line, "$quiet")) for line in legend)]
        return [line.truncate(width, ellipsis=True) for line in lines]


def _table(keys: Sequence[tuple[str, str]], width: int) -> list[Content]:
    lines: list[Content] = []
    for pressed, does in keys:
        told = Content.assemble((f"{pressed:<{_KEY_WIDTH}}", "$primary"), does)
        if told.cell_length <= width:
            lines.append(told)
        else:
            lines += [Content.assemble((pressed, "$primary")), Content(f"  {does}")]
    return lines

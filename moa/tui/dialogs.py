"""Pages that lie over the chat, and one of them: the help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from moa.tui.card import Card, paragraph, spread
from moa.tui.key_file import NO_KEYS, OwnKeys
from moa.tui.keys import KEYS, MORE_KEYS

_KEY_WIDTH = 22


class Page(ModalScreen[None]):
    """Something to read; Escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,f3,enter", "dismiss", "back", id="page.back", show=False),
        Binding("pageup", "scroll('page_up')", "a page up", id="page.page_up", show=False),
        Binding("pagedown,space", "scroll('page_down')", "a page down", id="page.page_down", show=False),
        Binding("up", "scroll('up')", "a line up", id="page.up", show=False),
        Binding("down", "scroll('down')", "a line down", id="page.down", show=False),
    ]

    def action_scroll(self, where: str) -> None:
        """Scroll the page."""
        getattr(self.query_one(VerticalScroll), f"scroll_{where}")(animate=False)


class HelpPage(Page):
    """The keys, and what the marks mean.

    Args:
        first: the heading of the table that stands first, where that is not the one of the chat.
    """

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(classes="page", can_focus=False):
            yield KeyTable(self._first)


class KeyTable(Card):
    """The keys in two columns."""

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self._first = first

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a line a key, and the legend."""
        back = Content.assemble(("Escape", "$primary"), (" goes back", "$quiet"))
        lines = [spread(Content.assemble(("Keys", "bold")), back, width), Content()]
        here = next(((title, keys) for title, keys in MORE_KEYS if title == self._first), None)
        if here:
            lines += [*self._titled(*here, width), Content(), Content.assemble(("In the chat", "bold"))]
        lines += _table(self._real(KEYS, "the chat"), width)
        for title, keys in MORE_KEYS:
            if title != self._first:
                lines += [Content(), *self._titled(title, keys, width)]
        lines += self._own()
        legend = (
            "● was asked   ○ was not   ◆ was asked as the fallback",
            "│ the probability from which an agent is asked",
            "~ an estimate",
        )
        lines += [Content(), *(Content.assemble((line, "$quiet")) for line in legend)]
        return [line.truncate(width, ellipsis=True) for line in lines]

    def _titled(self, title: str, keys: Sequence[tuple[str, str]], width: int) -> list[Content]:
        """Return a table under its heading."""
        real = self._real(keys, title.removeprefix("In ").partition(",")[0])
        return [Content.assemble((self._real_title(title), "bold")), *_table(real, width)]

    @property
    def _changed(self) -> OwnKeys:
        return getattr(self.app, "own_keys", NO_KEYS) if self.is_attached else NO_KEYS

    def _real(self, keys: Sequence[tuple[str, str]], name: str) -> Sequence[tuple[str, str]]:
        """Return a table with the keys as they are now."""
        if not self._changed.keys:
            return keys
        from moa.tui.key_ids import place_named, real_keys

        place = place_named(name)
        if place is None:
            return keys
        return [(real_keys(pressed, place, self._changed.keys), does) for pressed, does in keys]

    def _real_title(self, title: str) -> str:
        """Return a heading with the key in it as it is now."""
        head, after, key = title.partition(", after ")
        real = self._real([(key, "")], "the chat")[0][0]
        return f"{head}{after}{real.split('  ')[0]}"

    def _own(self) -> list[Content]:
        """Return what is wrong in the file of keys."""
        problems = self._changed.problems
        told = [line for problem in problems for line in paragraph(problem, "$warning", self.content_size.width)]
        return [Content(), *told] if told else []


def _table(keys: Sequence[tuple[str, str]], width: int) -> list[Content]:
    lines: list[Content] = []
    for pressed, does in keys:
        told = Content.assemble((f"{pressed:<{_KEY_WIDTH}}", "$primary"), does)
        if told.cell_length <= width:
            lines.append(told)
        else:
            lines += [Content.assemble((pressed, "$primary")), Content(f"  {does}")]
    return lines

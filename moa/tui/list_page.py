"""A page that lies over the chat and lists things to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from moa.errors import MoaError
from moa.tui.background import in_background
from moa.tui.bearings import Hints

Result = TypeVar("Result")
_INDENT = 4  # cells beside each row


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to see: a session, from one of its turns on, or a run that belongs to none."""

    session: str | None
    place: int | None = None
    """Which turn, 1, 2, …; None is the last one."""
    run: str = ""


class ListPage(ModalScreen[Choice | None]):
    """A heading, a list, a line to type in, and the keys that help. Escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="list.back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Make the page."""
        with Vertical(classes="list-page"):
            yield Static("", id="list-heading", markup=False)
            yield Input(id="list-input", compact=True)
            yield OptionList(id="list", compact=True)
            yield Static("", id="list-note", markup=False)
            yield Hints()

    @property
    def options(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    @property
    def typed(self) -> Input:
        """The line to type in."""
        return self.query_one(Input)

    def action_back(self) -> None:
        """Close the page."""
        self.dismiss(None)

    def head(self, title: str, note: str = "") -> None:
        """Show another heading."""
        self.query_one("#list-heading", Static).update(Content.assemble((title, "bold"), "  ", (note, "$quiet")))

    def note(self, text: str, style: str = "$quiet") -> None:
        """Say something under the list; nothing takes the line away."""
        line = self.query_one("#list-note", Static)
        line.update(Content.assemble((text, style)))
        line.display = bool(text)

    def fill(self, rows: Sequence[Content], chosen: int = 0) -> None:
        """Show these rows, one of them chosen."""
        self.options.set_options([Option(row) for row in rows])
        if rows:
            self.options.highlighted = max(0, min(chosen, len(rows) - 1))

    def one_line(self, text: Content) -> Content:
        """Return a text cut to one line of the list."""
        width = self.options.scrollable_content_region.width or self.app.size.width
        return text.truncate(max(1, width - _INDENT), ellipsis=True)

    async def stored(self, work: Callable[[], Result]) -> Result | None:
        """Do something with the store beside the screen. What is wrong with it is said under the list.

        Returns:
            What the work returned; None if it failed.
        """
        try:
            return await in_background(work)
        except MoaError as error:
            self.note(str(error), "$error")
            return None

"""A page over the chat that lists a few things, of which one is chosen: by its number, or with the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Mount, Resize
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from moa.tui.bearings import Hints

_BY_NUMBER = 9
_INDENT = 4  # cells beside each row


class PickPage(ModalScreen[int | None]):
    """Ends with the place of what was chosen, counted from 0; with None if nothing was.

    Args:
        title: what is chosen.
        note: a few more words beside it.
        rows: what there is; the first nine can be chosen by their number.
        does: what choosing does, for the line of keys.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "back", id="pick.back", show=False),
        *(
            Binding(str(number), f"number({number})", f"the {number}.", id=f"pick.{number}", show=False)
            for number in range(1, _BY_NUMBER + 1)
        ),
    ]

    def __init__(self, title: str, note: str, rows: Sequence[Content], does: str) -> None:
        super().__init__()
        self._title = title
        self._note = note
        self._rows = rows
        self._does = does

    def compose(self) -> ComposeResult:
        """Make the page."""
        with Vertical(classes="list-page pick-page"):
            heading = Content.assemble((self._title, "bold"), "  ", (self._note, "$quiet"))
            yield Static(heading, id="list-heading", markup=False)
            yield OptionList(id="list", compact=True)
            yield Hints()

    def on_mount(self) -> None:
        """Tell the keys."""
        keys = (("Enter", self._does), ("1 … 9", "by its number"), ("Up Down", "choose"), ("Escape", "back"))
        self.query_one(Hints).show(*keys, place="a list to pick from")

    @on(Mount)
    @on(Resize)
    def _fill(self) -> None:
        options = self.query_one(OptionList)
        chosen = options.highlighted or 0
        width = max(1, (options.scrollable_content_region.width or self.app.size.width) - _INDENT)
        options.set_options(
            [Option(self._row(place).truncate(width, ellipsis=True)) for place in range(len(self._rows))]
        )
        options.highlighted = chosen
        options.focus()

    def _row(self, place: int) -> Content:
        number = f"{place + 1}  " if place < _BY_NUMBER else "   "
        return Content.assemble((number, "$quiet"), self._rows[place])

    def action_number(self, number: int) -> None:
        """Choose by a number."""
        if number <= len(self._rows):
            self.dismiss(number - 1)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

"""What is wanted of the next question, above the prompt: who is pinned, who is excluded, whom it names."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card
from moa.tui.otherwise import Otherwise
from moa.tui.themes import Colours
from moa.untrusted import one_line


class WishLine(Card):
    """One line, or none if nothing is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._otherwise = Otherwise()
        self._colours = Colours()
        self._mentioned: tuple[str, ...] = ()

    def show(self, otherwise: Otherwise, colours: Colours, mentioned: tuple[str, ...] = ()) -> None:
        """Show what is wanted: by keys, and by the question itself, which those that it names answer alone."""
        self._otherwise, self._colours, self._mentioned = otherwise, colours, mentioned
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line, or none."""
        wished = self._otherwise
        if not (wished.pin or wished.exclude or self._mentioned):
            return []
        line = Content.assemble(("For this question ", "$quiet"))
        for number, name in enumerate(self._mentioned):
            only = (" only", "$quiet") if number == 0 else ""
            line = Content.assemble(line, only, (f" @{one_line(name)}", f"{self._colours.of(name)} bold"))
        for sign, names in (("+", wished.pin), ("−", wished.exclude)):
            for name in names:
                line = Content.assemble(line, (f" {sign}{one_line(name)}", f"{self._colours.of(name)} bold"))
        if wished.pin or wished.exclude:
            line = Content.assemble(line, ("   F5", "$primary"), (" changes it", "$quiet"))
        return [line.truncate(width, ellipsis=True)]

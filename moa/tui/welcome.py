"""What stands in an empty conversation: what this is, and what to ask."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card, paragraph
from moa.tui.themes import Colours
from moa.untrusted import one_line

_COLUMN_WIDTH = 64


class Welcome(Card):
    """A few words and three questions to begin with; in place of them, why the mixture could not be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self._examples: tuple[tuple[str, str], ...] = ()
        self._colours = Colours()
        self._error = ""

    def show(self, examples: tuple[tuple[str, str], ...], colours: Colours) -> None:
        """Show questions to begin with, and whose field each is."""
        self._examples, self._colours, self._error = examples, colours, ""
        self.redraw()

    def show_error(self, error: str) -> None:
        """Show why there is nothing to ask."""
        self._error = error
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return the words, in a column in the middle."""
        column = min(width, _COLUMN_WIDTH)
        lines = [
            Content.assemble(("A panel of specialists that answers as one.", "$foreground bold")),
            *paragraph("Ask anything: the router picks who answers, and you see why.", "$quiet", column),
            Content(),
            *(self._trouble(column) if self._error else self._begin(column)),
        ]
        margin = (width - column) // 2
        return [line.truncate(column, ellipsis=True).pad_left(margin) for line in lines]

    def _begin(self, column: int) -> list[Content]:
        if not self._examples:
            return []
        lines = [Content.assemble(("For example  ", "$quiet"), ("Tab", "$primary"), (" puts one in", "$quiet"))]
        for question, agent in self._examples:
            style = self._colours.of(agent)
            lines += [
                Content(),
                Content.assemble(("▌ ", style), one_line(question)).truncate(column, ellipsis=True),
                Content.assemble(("▌ ", style), (one_line(agent), style)),
            ]
        return lines

    def _trouble(self, column: int) -> list[Content]:
        return [
            Content.assemble(("The mixture could not be loaded", "$error bold")),
            *paragraph(self._error, "$foreground", column, most=8),
            Content(),
            *paragraph("Mend it, then send a question: it is loaded again.", "$quiet", column),
        ]

"""Turns that are far from the screen: what is known of them, without a widget for each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from moa.messages import Conversation
from moa.store import StoredTurn
from moa.tui.question import shown_question
from moa.tui.state import DraftView, RunView
from moa.tui.writing import Writing

_AROUND_ANSWER = 6  # lines: margins, who speaks, what it took
_ENDS = {"finished": "done", "failed": "failed"}


class Told(Protocol):
    """A turn, with a widget or without."""

    question: str
    view: RunView


@dataclass(slots=True, eq=False)
class PastTurn:
    """A turn that is over and has no widget."""

    question: str
    view: RunView
    run: str = ""
    """The run that it was; empty if it is not known."""
    load: Callable[[], RunView] | None = None
    """Reads all that is known of the run; None if `view` is that already. Blocks."""
    height: int = 0
    """Lines that it takes at `width`, with the margin above it; 0 if that was never measured."""
    width: int = 0
    attempts: tuple[int, int] = (1, 1)
    """Which of how many answers to the question it is."""

    def lines(self, width: int) -> int:
        """Return how many lines it takes at a width: as measured, or estimated from its texts."""
        if self.height and self.width == width:
            return self.height
        room = max(1, width)
        written = (*shown_question(self.question).split("\n"), *self.view.text.strip().split("\n"))
        return _AROUND_ANSWER + sum(1 + len(line) // room for line in written)


class Gap(Widget):
    """Stands for turns that are far from the screen: as high as they are, and empty."""

    ALLOW_SELECT = False

    def __init__(self, turns: Sequence[PastTurn], width: int) -> None:
        super().__init__()
        self.turns = list(turns)
        self.fit(width)

    def fit(self, width: int) -> None:
        """Be as high as the turns are at a width."""
        self.heights = [turn.lines(width) for turn in self.turns]
        self.styles.height = sum(self.heights)

    def between(self, top: float, bottom: float) -> tuple[int, int]:
        """Return the first turn that reaches below line `top` of the gap, and the one after the last above `bottom`."""
        ends = list(accumulate(self.heights))
        return bisect_right(ends, max(0.0, top)), bisect_left(ends, bottom) + 1

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return blank lines, as many as are to be seen: nobody sees them for longer than it takes to put turns there.

        Textual would draw all lines of the gap, tens of thousands of them, to show a few.
        """
        return [Strip.blank(crop.width, self.visual_style.rich_style)] * crop.height


def past_turn(turn: StoredTurn, load: Callable[[], RunView] | None, attempts: tuple[int, int] = (1, 1)) -> PastTurn:
    """Return a stored turn as it can be shown at once; `load` reads the rest of it."""
    drafts = tuple(DraftView(f"{agent}.1", agent, state="done") for agent in turn.panel) if turn.answer else ()
    view = RunView(
        at=turn.seconds or 0.0,
        run=turn.run,
        drafts=drafts,
        answer=Writing.of(turn.answer),
        error=turn.error or "",
        end=_ENDS.get(turn.status, "stopped"),  # type: ignore[arg-type]
    )
    return PastTurn(turn.question, view, turn.run, load, attempts=attempts)


def conversation(earlier: Sequence[Told], question: str) -> Conversation:
    """Return the conversation that a question continues: the turns that were answered, and the question."""
    asked: Conversation | None = None
    answer = ""
    for turn in earlier:
        if turn.view.text:
            asked = Conversation.of(turn.question) if asked is None else asked.then(answer, turn.question)
            answer = turn.view.text
    return Conversation.of(question) if asked is None else asked.then(answer, question)

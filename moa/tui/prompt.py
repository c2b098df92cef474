"""Where the question is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea

_NEW_LINE = {"ctrl+j", "shift+enter", "alt+enter"}


class Prompt(TextArea):
    """A text of several lines; Enter sends it. It remembers what was sent."""

    BINDINGS: ClassVar[list[BindingType]] = []

    @dataclass
    class Sent(Message):
        """A question was sent. The text stays in the prompt until `accept` is called."""

        prompt: Prompt
        question: str

        @property
        def control(self) -> Prompt:
            """The prompt that it comes from."""
            return self.prompt

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(
            id=id,
            compact=True,
            soft_wrap=True,
            highlight_cursor_line=False,
            placeholder="Ask the panel …",
        )
        self.cursor_blink = False
        self.examples: tuple[str, ...] = ()
        """Questions that Tab offers while nothing is typed."""
        self._history: list[str] = []
        self._place = 0
        self._unsent = ""

    def accept(self) -> None:
        """Keep what is in the prompt as sent, and empty it."""
        question = self.text.strip()
        if question and self._history[-1:] != [question]:
            self._history.append(question)
        self._place = len(self._history)
        self._unsent = ""
        self.clear()

    def put(self, text: str) -> None:
        """Put a text into the prompt, the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def on_key(self, event: Key) -> None:
        """Send, break the line, leaf through the history or the examples; leave the rest to the editor."""
        if event.key == "enter":
            handled = True
            if self.text.strip():
                self.post_message(self.Sent(self, self.text.strip()))
        elif event.key in _NEW_LINE:
            handled = True
            self.insert("\n")
        elif event.key == "tab":
            handled = True
            self._offer_example()
        elif event.key in {"up", "down"}:
            handled = self._leaf(-1 if event.key == "up" else 1)
        else:
            handled = False
        if handled:
            event.prevent_default()
            event.stop()

    def _offer_example(self) -> None:
        if not self.examples or (self.text and self.text not in self.examples):
            return
        place = self.examples.index(self.text) + 1 if self.text else 0
        self.put(self.examples[place % len(self.examples)])

    def _leaf(self, step: int) -> bool:
        """Go to an older (−1) or newer (1) question, if the cursor stands at that end of the text."""
        at_end = self.navigator.is_first_wrapped_line if step < 0 else self.navigator.is_last_wrapped_line
        if not at_end(self.cursor_location):
            return False
        place = self._place + step
        if not 0 <= place <= len(self._history):
            return False
        if self._place == len(self._history):
            self._unsent = self.text
        self._place = place
        self.put(self._history[place] if place < len(self._history) else self._unsent)
        return True

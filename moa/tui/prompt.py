"""Where the question is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Selection

from moa.tui.attaching import Attachment
from moa.tui.completion import Known, Offer, offers
from moa.tui.key_file import NO_KEYS
from moa.tui.pasting import is_large, label, labels
from moa.tui.prompt_history import PromptHistory, Typed
from moa.tui.slash_commands import command_line, escaped, literal
from moa.untrusted import plain

_MOVES: Final = {
    "up": "cursor_up",
    "down": "cursor_down",
    "backspace": "delete_left",
}
"""What these keys do in any text, once something else has the task that they have here."""


class Prompt(TextArea):
    """A text of several lines, with files that go with it; Enter sends it. It remembers what was sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", id="prompt.send", show=False),
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "new line", id="prompt.new_line", show=False),
        Binding("tab", "complete", "take what is offered, or an example", id="prompt.complete", show=False),
        Binding("up", "leaf(-1)", "a line up, an earlier question", id="prompt.earlier", show=False),
        Binding("down", "leaf(1)", "a line down, a later question", id="prompt.later", show=False),
        Binding("ctrl+g", "edit", "write in your own editor", id="prompt.editor", show=False),
        Binding("backspace", "delete_left", "delete, or detach a file", id="prompt.backspace", show=False),
        Binding("escape", "close_list", "close the list of what is offered", id="prompt.close_list", show=False),
    ]

    @dataclass
    class Sent(Message):
        """A question was sent. The text stays in the prompt until `accept` is called."""

        prompt: Prompt
        question: str

        @property
        def control(self) -> Prompt:
            """The prompt that it comes from."""
            return self.prompt

    @dataclass
    class Commanded(Message):
        """A command was sent: what came after the slash. The text stays until `accept` is called."""

        prompt: Prompt
        name: str
        argument: str

    @dataclass
    class Edited(Message):
        """What is typed, or what can be meant by it, has changed."""

        prompt: Prompt

    @dataclass
    class Attaching(Message):
        """A file that was dropped here is to be attached."""

        path: str
        typed: str
        """How it was written in the prompt, where it no longer is."""

    class EditorWanted(Message):
        """What is typed is to be edited in an editor."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  (Textual's name)
        self._folded: dict[str, str] = {}  # before the text is there: what watches the cursor looks here
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
        self.known = Known()
        """What can be completed."""
        self.colours: dict[str, str] = {}
        """Of agents that are mentioned, by their names in small letters; as Rich writes colours."""
        self.memory = PromptHistory()
        self.files: tuple[Attachment, ...] = ()
        """What goes with the question."""
        self.offers: tuple[Offer, ...] = ()
        """What may be meant by what is typed."""
        self.chosen = 0
        """Which of them Tab takes."""
        self._moved = False
        self._place: int | None = None
        self._unsent = Typed("")
        self._quiet = ""

    @property
    def typed(self) -> Typed:
        """What is in the prompt."""
        text = self.text
        folded = tuple((name, pasted) for name, pasted in self._folded.items() if name in text)
        return Typed(text, folded, self.files)

    @property
    def question(self) -> str:
        """What would be sent: pastes unfolded, files quoted. Empty if nothing is typed."""
        return literal(self.typed.question)

    def accept(self, *, command: bool = False) -> None:
        """Keep what is in the prompt as sent, and empty it. With a command, the files stay for the question to come.

        Raises:
            OSError: it cannot be written down. The prompt is empty nevertheless.
        """
        typed = Typed(self.text) if command else self.typed
        self._place, self._unsent, self._folded = None, Typed(""), {}
        if not command:
            self.attach(())
        self.clear()
        self.memory.add(typed)

    def put(self, text: str) -> None:
        """Put a text into the prompt, the cursor at its end. A question that was sent from here looks as it did."""
        self._show(self.memory.find(text) or self.memory.find(escaped(text)) or Typed(escaped(text)))

    def replace_text(self, text: str) -> None:
        """Put another text in place of what is typed; the files stay."""
        self._show(Typed(text, files=self.files))

    def attach(self, files: tuple[Attachment, ...]) -> None:
        """Have exactly these files go with the question."""
        if files != self.files:
            self.files = files
            self.post_message(self.Edited(self))

    def send(self) -> None:
        """Send what is typed, as a question or as a command."""
        if not self.text.strip():
            if self.files:
                self.notify("Type what is to be done with the file, then send it.", timeout=4)
            return
        if command := command_line(self.text):
            self.post_message(self.Commanded(self, *command))
        else:
            self.post_message(self.Sent(self, self.question))

    def refresh_offers(self) -> None:
        """See again what may be meant by what is typed."""
        text = self.text
        before = self.get_text_range((0, 0), self.cursor_location)
        wanted = self.has_focus and text != self._quiet and self.selection.is_empty
        found = offers(before, self.known) if wanted and before else ()
        if found != self.offers:
            self.offers, self.chosen, self._moved = found, 0, False
            self.post_message(self.Edited(self))

    async def on_key(self, event: Key) -> None:
        """Do what a key of the prompt's own does.

        Textual would look for it when the key has bubbled up to the application: what was typed right after it would
        be there before, and a question that comes in one piece with its Enter would be sent without its end.
        """
        own = getattr(self.app, "own_keys", NO_KEYS).keys
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and event.key in own.get(binding.id or "", binding.key.split(",")):
                if await self.app.run_action(binding.action, self):
                    event.prevent_default()
                    event.stop()
                return
        if event.key in _MOVES:
            await self.app.run_action(_MOVES[event.key], self)
            event.prevent_default()
            event.stop()

    def action_edit(self) -> None:
        """Ask for an editor."""
        self.post_message(self.EditorWanted())

    def action_send(self) -> None:
        """Send, or take what was chosen in the list."""
        if self.offers and self._moved:
            self._take(self.offers[self.chosen])
        else:
            self._close_list()
            self.send()

    def action_new_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_complete(self) -> None:
        """Take what may be meant; in an empty prompt, an example."""
        if self.offers:
            self._take(self.offers[self.chosen])
        elif self.examples and (not self.text or self.text in self.examples):
            place = self.examples.index(self.text) + 1 if self.text else 0
            self._show(Typed(self.examples[place % len(self.examples)], files=self.files))

    def action_leaf(self, step: int) -> None:
        """Go through the list; without one, a line up (−1) or down (1); at the edge, to another question."""
        if self.offers:
            self.chosen = (self.chosen + step) % len(self.offers)
            self._moved = True
            self.post_message(self.Edited(self))
        elif not self._leaf(step):
            move = self.action_cursor_up if step < 0 else self.action_cursor_down
            move()

    def action_close_list(self) -> None:
        """Close the list."""
        if not self.offers:
            raise SkipAction
        self._close_list()

    def action_delete_left(self) -> None:
        """Delete what is to the left of the cursor; at the very beginning, detach the last file."""
        if self.selection.is_empty and self.cursor_location == (0, 0) and self.files:
            self.attach(self.files[:-1])
            return
        super().action_delete_left()

    def edit(self, edit: Edit) -> EditResult:
        """Change the text; a word that stands for a paste goes as a whole."""
        top, bottom = edit.top, edit.bottom
        if top != bottom:
            edit.from_location = self._outside(top, rightwards=False)
            edit.to_location = self._outside(bottom, rightwards=True)
        return super().edit(edit)

    def on_paste(self, event: Paste) -> None:
        """Insert what was pasted; a large text as one word that stands for it."""
        event.prevent_default()
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if is_large(text):
            name = label(text, self._folded)
            self._folded[name] = text
            text = name
        self._quiet = ""
        if result := self._replace_via_keyboard(plain(text), *self.selection):
            self.move_cursor(result.end_location)
            self.focus()

    def get_line(self, line_index: int) -> Text:
        """Return a line with its pastes and the agents that it mentions in colour."""
        line = super().get_line(line_index)
        for start, end in labels(line.plain, self._folded):
            line.stylize("italic dim", start, end)
        if "@" in line.plain:
            for name, colour in self.colours.items():
                line.highlight_regex(rf"(?i)(?<![\w@./+-])@{name}(?![\w@-])", f"bold {colour}")
        return line

    def watch_selection(self, before: Selection, now: Selection) -> None:
        """Keep the cursor out of the words that stand for pastes, and see what may be meant."""
        if not self.is_mounted:
            return
        end = self._outside(now.end, rightwards=now.end > before.end)
        if end != now.end:
            self.selection = Selection(end if now.is_empty else now.start, end)
        else:
            self.refresh_offers()

    def on_text_area_changed(self) -> None:
        """See what may be meant."""
        self.refresh_offers()
        self.post_message(self.Edited(self))

    def on_blur(self) -> None:
        """Close the list: its keys are elsewhere."""
        self.refresh_offers()

    def _outside(self, location: tuple[int, int], *, rightwards: bool) -> tuple[int, int]:
        row, column = location
        if self._folded and row < self.document.line_count:
            for start, end in labels(self.document[row], self._folded):
                if start < column < end:
                    return row, end if rightwards else start
        return location

    def _take(self, offer: Offer) -> None:
        before = self.text[: offer.start].split("\n")
        start = (len(before) - 1, len(before[-1]))
        replaced = self.get_text_range(start, self.cursor_location)
        self._replace_via_keyboard(offer.text, start, self.cursor_location)
        if offer.attach is not None:
            self.post_message(self.Attaching(str(offer.attach), replaced))

    def _close_list(self) -> None:
        """Offer nothing until something else is typed."""
        self._quiet = self.text
        self.refresh_offers()

    def _show(self, typed: Typed) -> None:
        self._folded = dict(typed.folded)
        self.text = self._quiet = plain(typed.text)
        self.move_cursor(self.document.end)
        self.attach(typed.files)
        self.refresh_offers()

    def _leaf(self, step: int) -> bool:
        """Go to an older (−1) or newer (1) question, if the cursor stands at that end of the text."""
        at_end = self.navigator.is_first_wrapped_line if step < 0 else self.navigator.is_last_wrapped_line
        if not at_end(self.cursor_location):
            return False
        entries = self.memory.entries
        here = len(entries) if self._place is None else min(self._place, len(entries))
        place = here + step
        if not 0 <= place <= len(entries):
            return False
        if here == len(entries):
            self._unsent = self.typed
        self._place = place if place < len(entries) else None
        self._show(entries[place] if place < len(entries) else self._unsent)
        return True

"""The Textual application around the screens."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import TextArea

from moa.tui.bearings import Hints
from moa.tui.chat_screen import ChatScreen
from moa.tui.crash import crash_sentence, write_trace
from moa.tui.key_file import NO_KEYS, key_file, read_keys
from moa.tui.themes import DARK, LIGHT, defaults


class MoaApp(App[None]):
    """Shows one screen: a chat, a replay, a server.

    The theme is the dark one unless `MOA_THEME` names another: `moa-light`, or any of Textual's.
    """

    TITLE = "moa"
    CSS_PATH = Path(__file__).with_name("moa.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "quit", id="quit", show=False, priority=True),
        Binding("ctrl+c", "copy_or_quit", "copy, or quit", id="copy_or_quit", show=False, priority=True),
        Binding("ctrl+t", "light_or_dark", "light or dark", id="theme", show=False, priority=True),
    ]

    def __init__(self, screen: Screen[None]) -> None:
        super().__init__()
        self._first = screen
        self.own_keys = NO_KEYS
        """The keys that are not as they were, and what is wrong in the file that says so."""
        self.crash = ""
        """What to say after the application ended because of an error of its own; empty if it did not."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        wanted = os.environ.get("MOA_THEME", "")
        # Here and not when it is mounted, or all styles would be read a second time.
        self.theme = next((name for name in (wanted, f"moa-{wanted}") if name in self.available_themes), DARK.name)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our colours for themes that do not bring them."""
        return defaults(dark=self.current_theme.dark)

    def on_mount(self) -> None:
        """Show the screen."""
        self.push_screen(self._first)
        # Not before the first paint: which keys there are is known by all screens, and most are not loaded yet.
        self.call_after_refresh(self.read_own_keys)
        self.call_after_refresh(_collect_garbage)

    def read_own_keys(self) -> None:
        """Have the keys that the file of keys says, and tell what is wrong in it."""
        self.own_keys = read_keys(key_file())
        self.set_keymap({name: ",".join(keys) for name, keys in self.own_keys.keys.items()})
        for hints in self.screen.query(Hints):
            hints.redraw()
        for problem in self.own_keys.problems:
            self.notify(problem, title="Keys", severity="warning", timeout=15, markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return what the palette offers: the commands of the chat, and Textual's."""
        if isinstance(screen, ChatScreen):
            for command in screen.commands:
                if not command.needs_argument and command.name not in {"quit", "theme"}:  # Textual has those
                    does = command.does[0].upper() + command.does[1:]
                    yield SystemCommand(f"/{command.name}", does, partial(screen.command_from_palette, command))
        yield from super().get_system_commands(screen)

    def action_light_or_dark(self) -> None:
        """Change between the two themes."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    async def action_quit(self) -> None:
        """Stop what runs, and end."""
        if isinstance(self._first, ChatScreen):
            await self._first.finish()
        self.exit()

    async def action_copy_or_quit(self) -> None:
        """Copy the selected text; without any, end."""
        typed = self.focused.selected_text if isinstance(self.focused, TextArea) else ""
        text = typed or self.screen.get_selected_text()
        if text:
            self.copy_to_clipboard(text)
            self.screen.clear_selection()
            self.notify("Copied.", timeout=2)
        else:
            await self.action_quit()

    def _fatal_error(self) -> None:
        """Leave a trace in a file, end, and have one sentence said about it once the terminal is restored.

        Textual would print the trace with the values of all variables, keys among them.
        """
        if self.crash:
            return
        error = sys.exc_info()[1] or self._exception or RuntimeError("unknown")
        self.crash = crash_sentence(error, write_trace(error))
        self.panic()


def _collect_garbage() -> None:
    """Begin to collect garbage if that was put off, and never look again at what was there before: it stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()

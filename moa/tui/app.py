"""The Textual application around the screens."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from moa.tui.chat_screen import ChatScreen
from moa.tui.crash import crash_sentence, write_trace
from moa.tui.run_screen import RunScreen
from moa.tui.themes import DARK, LIGHT, defaults


class MoaApp(App[None]):
    """Shows one screen of runs.

    The theme is the dark one unless `MOA_THEME` names another: `moa-light`, or any of Textual's.
    """

    TITLE = "moa"
    CSS_PATH = Path(__file__).with_name("moa.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "quit", id="quit", show=False, priority=True),
        Binding("ctrl+c", "copy_or_quit", "copy, or quit", id="copy_or_quit", show=False, priority=True),
        Binding("ctrl+t", "light_or_dark", "light or dark", id="theme", show=False, priority=True),
    ]

    def __init__(self, screen: RunScreen) -> None:
        super().__init__()
        self._first = screen
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
        self.call_after_refresh(_collect_garbage)

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

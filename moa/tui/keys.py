"""The keys, told once: the help, the line of hints and the documentation are made of this."""

from __future__ import annotations

from typing import Final

KEYS: Final = (
    ("Enter", "send the question"),
    ("Ctrl+J  Shift+Enter", "begin a new line"),
    ("Escape", "stop the answer; what has arrived is kept"),
    ("Up  Down", "earlier and later questions"),
    ("Tab", "put an example into the empty prompt"),
    ("PageUp  PageDown", "scroll the conversation"),
    ("Ctrl+Home  Ctrl+End", "go to its beginning, to its end"),
    ("Ctrl+L", "begin a new conversation"),
    ("F1", "this help"),
    ("F2", "show or hide the panel"),
    ("F3", "read the drafts in full"),
    ("F4", "copy the last answer"),
    ("Ctrl+T", "dark or light"),
    ("Ctrl+P", "all commands and themes"),
    ("Ctrl+Q  Ctrl+C", "quit; with text selected, Ctrl+C copies it"),
)
"""Keys, and what they do in the chat."""

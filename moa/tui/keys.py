"""The keys, told once: the help, the line of hints and the documentation are made of this."""

from __future__ import annotations

from typing import Final

KEYS: Final = (
    ("Enter", "send the question"),
    ("Ctrl+J  Shift+Enter", "begin a new line"),
    ("Escape", "answer with what has arrived; again: stop it"),
    ("Up  Down", "earlier and later questions"),
    ("Tab", "put an example into the empty prompt"),
    ("PageUp  PageDown", "scroll the conversation"),
    ("Ctrl+Home  Ctrl+End", "go to its beginning, to its end"),
    ("Ctrl+L", "begin a new conversation"),
    ("Ctrl+F", "search everything that was asked and answered"),
    ("Ctrl+O", "sessions: open, rename, fork, delete, export"),
    ("Alt+Up  Alt+Down", "mark an earlier, a later turn and see its run"),
    ("F8", "fork: go on from the marked turn in a new session"),
    ("F1", "this help"),
    ("F2", "show or hide the panel"),
    ("F3", "read the drafts in full"),
    ("F4", "copy the last answer"),
    ("F5", "who would answer; pin, exclude, try a threshold"),
    ("F6", "to the drafts; cancel one, read one"),
    ("Ctrl+T", "dark or light"),
    ("Ctrl+P", "all commands and themes"),
    ("Ctrl+Q  Ctrl+C", "quit; with text selected, Ctrl+C copies it"),
)
"""Keys, and what they do in the chat."""
DECISION_KEYS: Final = (
    ("Left  Right", "try a lower, a higher threshold"),
    ("Up  Down", "choose an agent"),
    ("P", "pin it for this question, or no longer"),
    ("X", "exclude it from this question, or no longer"),
    ("O", "only this agent"),
    ("0", "as it was decided"),
    ("Enter", "ask the question with the panel that is shown"),
)
"""Keys in the decision, after F5."""
DRAFT_KEYS: Final = (
    ("Left  Right", "choose a draft"),
    ("X  Delete", "cancel it; the others go on"),
    ("Enter", "read it in full"),
)
"""Keys in the drafts, after F6."""
SESSION_KEYS: Final = (
    ("Enter", "open the session and go on with it"),
    ("R", "rename it"),
    ("F", "fork it: a new session begins with its turns"),
    ("D  Delete", "delete it"),
    ("U", "have the session back that was deleted last"),
    ("E", "write it to a file: .md, .html or .json"),
    ("/", "search"),
)
"""Keys in the list of sessions, after Ctrl+O."""
REPLAY_KEYS: Final = (
    ("Space", "pause, go on"),
    ("Left  Right", "a step back, a step on"),
    ("-  +", "half, twice the speed"),
    ("R  Home", "play it again"),
    ("End", "to its end"),
    ("Q  Escape", "quit"),
)
"""Keys in `moa runs replay`."""
MORE_KEYS: Final = (
    ("In the decision, after F5", DECISION_KEYS),
    ("In the drafts, after F6", DRAFT_KEYS),
    ("In the list of sessions, after Ctrl+O", SESSION_KEYS),
    ("In a replay", REPLAY_KEYS),
)
"""The other tables of the help, with their headings. Escape leads back from each."""

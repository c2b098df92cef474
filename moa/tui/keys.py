"""The keys, told once: the help, the line of hints and the documentation are made of this."""

from __future__ import annotations

from typing import Final

KEYS: Final = (
    ("Enter", "send the question"),
    ("Ctrl+J  Shift+Enter", "begin a new line"),
    ("Escape", "answer with what has arrived; again: stop it"),
    ("Up  Down", "earlier and later questions"),
    ("Tab", "take what is offered; when empty, an example"),
    ("/", "commands, such as /attach FILE: a list opens"),
    ("@", "an agent that is to answer: a list opens"),
    ("Ctrl+G", "write in your own editor"),
    ("Backspace", "at the very beginning: detach the last file"),
    ("PageUp  PageDown", "scroll the conversation"),
    ("Ctrl+Home  Ctrl+End", "go to its beginning, to its end"),
    ("Ctrl+L", "begin a new conversation"),
    ("Ctrl+F", "search everything that was asked and answered"),
    ("Ctrl+O", "sessions: open, rename, fork, delete, export"),
    ("Alt+Up  Alt+Down", "mark an earlier, a later turn and see its run"),
    ("F8", "fork: go on from the marked turn in a new session"),
    ("F9", "edit the question, and ask it anew in a new session"),
    ("Ctrl+R", "answer again; the answer of before is kept"),
    ("Alt+Left  Alt+Right", "another answer to the same question"),
    ("F7", "another agent or model answers too, side by side; vote"),
    ("F1", "this help"),
    ("F2", "show or hide the panel"),
    ("F3", "read the drafts in full"),
    ("F4", "copy the answer, of the marked turn or the last"),
    ("Ctrl+N", "copy a block of code, by its number"),
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
PAIR_KEYS: Final = (
    ("1", "the first answer is better"),
    ("2", "the second is better; the conversation goes on with it"),
    ("3", "neither is better"),
    ("0", "both are bad"),
    ("Left  Right  Tab", "the other answer, where one is to be seen"),
    ("Up  Down", "scroll both"),
    ("PageUp  PageDown", "scroll both by a page"),
    ("Escape", "answer now; again: stop it; then: back without a vote"),
)
"""Keys in two answers side by side, after F7."""
REPLAY_KEYS: Final = (
    ("Space", "pause, go on"),
    ("Left  Right", "a step back, a step on"),
    ("-  +", "half, twice the speed"),
    ("R  Home", "play it again"),
    ("End", "to its end"),
    ("Q  Escape", "quit"),
)
"""Keys in `moa runs replay`."""
WATCH_KEYS: Final = (
    ("Up  Down", "choose a run; Home chooses the newest again"),
    ("PageUp  PageDown", "a page of runs further"),
    ("Home  End", "to the newest, to the oldest run"),
    ("Enter", "open the run, also one that is under way"),
    ("F", "only runs that failed or were degraded; again: all"),
    ("R", "try the line again at once"),
    ("Q  Escape", "back from a run; quit"),
)
"""Keys in `moa watch`."""
WATCH_HEADING: Final = "In moa watch"
MORE_KEYS: Final = (
    ("In the decision, after F5", DECISION_KEYS),
    ("In the drafts, after F6", DRAFT_KEYS),
    ("In the list of sessions, after Ctrl+O", SESSION_KEYS),
    ("In two answers side by side, after F7", PAIR_KEYS),
    ("In a replay", REPLAY_KEYS),
    (WATCH_HEADING, WATCH_KEYS),
)
"""The other tables of the help, with their headings. Escape leads back from each."""

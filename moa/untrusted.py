"""Text from models, files and servers, made harmless for a terminal.

Nothing that reaches the screen goes around `plain`. It looks at one character at a time, so a control sequence that
arrives in two halves is caught as well, and it keeps the text readable: an escape is shown as ␛, not obeyed.
"""

from __future__ import annotations

import re

_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline: escapes, bells, cursor moves
    "\u2028\u2029"  # line separators, which terminals do not agree about
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides: they make a text look like another one
    "\ud800-\udfff"  # half a character, which no terminal can be sent
    "]"
)
_PICTURES = 0x2400
_DELETE = 0x7F


def plain(text: str) -> str:
    """Return a text with nothing in it that could steer a terminal; newlines and tabs are kept."""
    return _HARMFUL.sub(_picture, text)


def one_line(text: str) -> str:
    """Return a text made harmless, with every run of white space as one space."""
    return plain(" ".join(text.split()))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\r":
        return ""
    if code < ord(" "):
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "␡"
    if code in {0x2028, 0x2029}:
        return "\n"
    return "" if 0x202A <= code <= 0x2069 else "\ufffd"  # noqa: PLR2004  (the overrides, as listed above)

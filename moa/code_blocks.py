"""Code in an answer: the blocks between fences."""

from __future__ import annotations

import re
from textwrap import dedent

_BLOCK = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n(?P<code>.*?)(?:^[ \t]*(?P=fence)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_STARTS_LIKE_CODE = re.compile(
    r"(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[:(]|from\s+[\w.]+\s+import\b|@[\w.]+\s*(?:\(|$)"
    r"|import\s+[\w.]+(?:\s+as\s+\w+)?\s*(?:$|[,;#])",
    re.MULTILINE,
)
_ALSO = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript", "sh": "bash", "shell": "bash"}


def code_blocks(text: str) -> list[tuple[str, str]]:
    """Return language and code of every fenced block, in order; the language in lower case, empty if it is not told.

    A block that stands indented, as in a list, loses that indentation; one whose end is missing goes on to the end.
    """
    return [(language_name(found["language"]), dedent(found["code"])) for found in _BLOCK.finditer(text)]


def code_in(text: str, language: str = "python") -> str | None:
    """Return the code of an answer in a language, or None if it has none.

    All blocks of that language put together; else all that name no language; else the whole text, if it begins like
    Python and has no block.

    Args:
        text: an answer.
        language: its name; empty for any language.
    """
    wanted = language_name(language)
    blocks = code_blocks(text)
    for named in (wanted, ""):
        if code := [code for told, code in blocks if told == named or not wanted]:
            return "\n".join(code)
    if wanted == "python" and not blocks and _STARTS_LIKE_CODE.match(text.strip()):
        return text.strip()
    return None


def language_name(name: str) -> str:
    """Return the one name of a language that has several."""
    name = name.casefold()
    return _ALSO.get(name, name)

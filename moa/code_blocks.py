"""Code in an answer: the blocks between fences."""

from __future__ import annotations

import re

_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n(?P<code>.*?)(?:^(?P=fence)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_STARTS_LIKE_CODE = re.compile(r"(?:def|class|import|from|@)\s?\w")
_ALSO = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript", "sh": "bash", "shell": "bash"}


def code_blocks(text: str) -> list[tuple[str, str]]:
    """Return language and code of every fenced block, in order; the language in lower case, empty if it is not told."""
    return [(language_name(found["language"]), found["code"]) for found in _BLOCK.finditer(text)]


def code_in(text: str, language: str = "python") -> str | None:
    """Return the code of an answer in a language, or None if it has none.

    All blocks of that language, or of none, put together; or the whole text, if it begins like Python and has no block.
    """
    wanted = language_name(language)
    blocks = [code for told, code in code_blocks(text) if told in {wanted, ""} or not wanted]
    if blocks:
        return "\n".join(blocks)
    if wanted == "python" and not code_blocks(text) and _STARTS_LIKE_CODE.match(text.strip()):
        return text.strip()
    return None


def language_name(name: str) -> str:
    """Return the one name of a language that has several."""
    name = name.casefold()
    return _ALSO.get(name, name)

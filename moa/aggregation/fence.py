"""Drafts as data: fenced so that nothing inside one can speak to the model that reads it."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from moa.answers import Draft

LONGEST = 40_000
"""Characters of one text that are quoted, some ten thousand tokens; of a longer one, its beginning and its end."""
_CUT = "\n[… cut: {count} characters …]\n"

_OPENING = re.compile(
    r"<(?=\s{0,3}/?\s{0,3}(?:draft|answer|question|result)\b)|"  # what could open or close a fence
    r"<(?=\||/?s>|(?:start|end)_of_\w+>|(?:bos|eos|pad|unk)>|<SYS>>|</SYS>>)|"
    r"<(?=/?(?:system|assistant|user|human|think|thinking|tools?|tool_(?:call|response)s?|function(?:_call)?s?)\b)|"
    r"\[(?=/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)
"""The first character of what is a fence, or a control token of a chat template that an engine takes for a real one."""
_SPEAKER = r"(?:system|assistant|user|human|developer|instructions?|response)"
_TURN = re.compile(
    rf"^(?P<before>(?:[^\S\n]|[>*_|+-])*+)"
    rf"(?:(?P<heading>#{{1,6}}[ \t]*)(?=[*_]*{_SPEAKER}[*_ \t]*(?::|$)))?"
    rf"(?P<said>[*_\[(]*{_SPEAKER}(?:[ \t]+(?:message|prompt|override|note|turn))?[\])]*)"
    r"(?P<after>[*_ \t]*(?:\(#\w*\))?(?::[*_ \t]*|(?=$)))",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that begins like the turn of somebody in a conversation, or the heading of one."""
_LINE_END = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers and marks without a shape
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, overrides, annotations
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors, which can carry bytes
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # layout of hieroglyphs, shorthand and music
    "\U000e0000-\U000e007f"  # tags: a whole alphabet that is not shown
    "\ud800-\udfff"  # halves of characters
    "]"
)
"""Characters that nobody sees: they can only hide something."""


def fence(drafts: Iterable[Draft], weights: Mapping[str, float] | None = None, nonce: str | None = None) -> str:
    """Return drafts as one block of quoted text.

    Each stands between tags that carry a nonce, made anew for every run: a draft cannot know it and so cannot close its
    own fence. See `defuse` for what becomes of the text.

    Args:
        drafts: what to quote, in the order in which to number them, from 1.
        weights: agent name → routing weight, shown as a percentage where given.
        nonce: for tests; a random one by default.
    """
    nonce = nonce or secrets.token_hex(4)
    blocks = []
    for number, draft in enumerate(drafts, start=1):
        weight = f' weight="{weights[draft.agent]:.0%}"' if weights and draft.agent in weights else ""
        attributes = f'number="{number}" agent="{draft.agent}"{weight}'
        blocks.append(_quoted("draft", attributes, draft.text, nonce))
    return "\n\n".join(blocks)


def fence_texts(
    texts: Sequence[str], *, label: str = "answer", names: Sequence[str] = (), nonce: str | None = None
) -> str:
    """Return texts whose authors stay hidden as one block, each between tags called `label`.

    Args:
        texts: what to quote.
        label: of the tags, `draft` or `answer`.
        names: of each text; numbers from 1 by default.
        nonce: for tests; a random one by default.
    """
    nonce = nonce or secrets.token_hex(4)
    names = names or [str(number) for number in range(1, len(texts) + 1)]
    return "\n\n".join(_quoted(label, f'name="{name}"', text, nonce) for name, text in zip(names, texts, strict=True))


def defuse(text: str) -> str:
    """Return text in which nothing works as a fence, as a control token, as somebody's turn, or unseen.

    Look-alikes count: letters and brackets of other widths, alphabets and scripts. What a reader sees of an honest text
    stays the same, but for the angle bracket of `<draft`, `<system` and their like, the colon after a speaker's name at
    the start of a line, and joined emoji, which come apart. A text beyond `LONGEST` loses its middle. Linear time.
    """
    text = _HIDDEN.sub("", _LINE_END.sub("\n", _cut(text)))
    letters = list(text)
    for found in _OPENING.finditer(looks_like(text)):
        letters[found.start()] = "(" if found[0] == "[" else "‹"
    text = "".join(letters)
    pieces, done = [], 0
    for found in _TURN.finditer(looks_like(text)):
        before, said = text[slice(*found.span("before"))], text[slice(*found.span("said"))]
        colon = found["after"].rstrip("*_ \t").endswith(":")
        if not (colon or found["heading"] or "(#" in found["after"]):
            continue
        pieces += [text[done : found.start()], before, said.strip("*_[]()"), " – " if colon else ""]
        done = found.end()
    return "".join([*pieces, text[done:]])


def _quoted(label: str, attributes: str, text: str, nonce: str) -> str:
    return f"<{label}-{nonce} {attributes}>\n{defuse(text)}\n</{label}-{nonce}>"


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return text[:half] + _CUT.format(count=len(text) - 2 * half) + text[-half:]


_LOOKALIKES = str.maketrans(
    "аеорсхуіјѕԁһԛԝӏтпгАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοτιυνρıɡ‹〈《˂ᐸ❮⟨⧼∕⁄‐‑‒–—−",
    "aeopcxyijsdhqwltnrABEKMHOPCTYXIJSABEZHIKMNOPTYXaotiuvpig<<<<<<<<//------",
)
"""What looks like a Latin letter or a bracket: mostly Cyrillic and Greek."""


def looks_like(text: str) -> str:
    """Return a text of the same length in which look-alikes of ASCII are ASCII: what a reader would see."""
    if text.isascii():
        return text
    return "".join(map(_folded, text)).translate(_LOOKALIKES)


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """Return a character of full width, or of a mathematical alphabet, as the ordinary one; others as they are."""
    folded = character if character.isascii() else unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character

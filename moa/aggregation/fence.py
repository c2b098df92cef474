"""Drafts as data: fenced so that nothing inside one can speak to the model that reads it."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from moa.answers import Draft

LONGEST = 40_000
"""Characters of one text that are quoted, some ten thousand tokens; of a longer one, its beginning and its end."""
_CUT = "\n[… cut: {count} characters …]\n"

_TEMPLATE_TOKEN = re.compile(
    r"<(?=[|｜])|<(?=/?s>)|<(?=(?:start|end)_of_turn>)|<(?=/?(?:system|assistant|user|tool|function)\b)|"
    r"\[(?=/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])|<(?=<SYS>>|</SYS>>)",
    re.IGNORECASE,
)
"""The opening of a chat template's control tokens, which an engine could take for real ones."""
_ROLE = re.compile(
    r"^(?P<before>[ \t>*_]*(?:#{1,6}[ \t]*)?)(?P<role>system|assistant|user|human|developer|instructions?)"
    r"(?P<after>[*_ \t]*[:：][*_]*)",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that begins like the turn of somebody in a conversation."""
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers and marks without a shape
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, bidirectional overrides
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors, which can carry bytes
    "\U000e0000-\U000e007f"  # tags: a whole alphabet that is not shown
    "\ud800-\udfff"  # halves of characters
    "]"
)
"""Characters that nobody sees: they can only hide something."""
_ANGLES = re.compile(r"[<‹〈《＜˂ᐸ❮⟨⧼﹤](?=\s{0,3}[/／∕⁄]?\s{0,3}(?:draft|answer|result)\b)", re.IGNORECASE)
"""What could open a fence, in any of the shapes that look like it."""


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

    Letters of other widths become ordinary ones where they would spell a fence or a role, so that look-alikes do not
    get by. What a reader sees of an honest text stays the same, but for its angle brackets before `draft` and `answer`.
    """
    text = _HIDDEN.sub("", _cut(text))
    text = "".join(_plain(character) for character in text) if not text.isascii() else text
    text = _ANGLES.sub("‹", text)
    text = _TEMPLATE_TOKEN.sub(lambda found: "(" if found[0] == "[" else "‹", text)
    return _ROLE.sub(lambda found: f"{found['before']}{found['role']} –{found['after'].rstrip(':：*_ ')}", text)


def _quoted(label: str, attributes: str, text: str, nonce: str) -> str:
    return f"<{label}-{nonce} {attributes}>\n{defuse(text)}\n</{label}-{nonce}>"


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return text[:half] + _CUT.format(count=len(text) - 2 * half) + text[-half:]


_LOOKALIKES = str.maketrans("аеорсхуіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcxyijsdhqwABEZHIKMNOPTYX")
"""Cyrillic and Greek letters that look like Latin ones."""


def _plain(character: str) -> str:
    """Return a letter of full width, or of a mathematical alphabet, as the ordinary letter; others as they are."""
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if folded.isascii() and len(folded) == 1 and folded.isalpha() else character


def looks_like(text: str) -> str:
    """Return a text with letters that look like Latin ones as Latin ones, to compare what a reader would see."""
    return "".join(map(_plain, text)).translate(_LOOKALIKES)

"""What of a conversation decides the route: the last question, with the earlier ones that it leans on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from moa.messages import Conversation

_CONTINUES = re.compile(
    r"(?:and|but|or|so|then|also|now|again|instead|otherwise|what about|how about|what if|same|the same|another|"
    r"one more|more|less|shorter|longer|simpler|go on|continue)\b",
    re.IGNORECASE,
)
"""Openings that carry on from something said before."""
_NARROWS = re.compile(r"(?:in|with|without|using|for|as|from|to|by|like|why|how|really|are you sure)\b", re.IGNORECASE)
"""Openings that, in a turn of a few words, change or question one detail of something said before."""
_REFERS = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|this|these|those)\b", re.IGNORECASE)
"""Words that, early in a turn, stand for something said before; later on they mostly stand for something in it."""
_REFERS_ANYWHERE = re.compile(
    r"^that\b|\b(?:is|was|are|were|do|does|did|can|could|would|will|about|of|with|like) that\b|\bthat\W*$|\babove\b|"
    r"\bthe (?:first|second|third|last|former|latter|previous|other) (?:one|part|step|line|option|answer)\b|"
    r"\byour (?:answer|code|solution|proof|example)\b",
    re.IGNORECASE,
)
_REFERS_TO_NOTHING = re.compile(
    r"\b(?:is|was|would|isn't) it (?:\w+ ){1,2}(?:to|that|if)\b|\bit(?:'s| is| was) (?:\w+ ){1,2}(?:to|that)\b",
    re.IGNORECASE,
)
"""As in `Is it legal to …`."""
SHORT = 12
"""Words: a longer turn says by itself what it is about."""
EARLY = 5
"""Words: so near to its beginning a turn has not said much yet that a pronoun could stand for."""
TERSE = 5
"""Words: a turn this short may open with a detail; up to two words are hardly ever a question of their own."""
TURNS_BACK = 3


def subject(conversation: Conversation) -> tuple[str, int]:
    """Return the text that is routed, and how many earlier questions it holds.

    A turn leans on the user's turn before it if it is short and carries on (`and now in Python?`), narrows
    (`without recursion?`), refers (`why is that so?`), or has no more than two words. Then the earlier turn goes before
    it; if that leans too, so does its own, up to three turns back. Answers are never routed: they are the agents'
    words, not the user's.
    """
    return leaning([message.content for message in conversation.messages if message.role == "user"])


def leaning(turns: Sequence[str]) -> tuple[str, int]:
    """Return the last of some turns with the earlier ones that it leans on, and how many these are."""
    start = len(turns) - 1
    while start > max(0, len(turns) - 1 - TURNS_BACK) and leans(turns[start]):
        start -= 1
    return "\n".join(turns[start:]), len(turns) - 1 - start


def leans(turn: str) -> bool:
    """Whether a turn can only be understood with the one before it."""
    words: Sequence[str] = turn.split()
    text = " ".join(words)
    if len(words) > SHORT:
        return False
    if len(words) <= 2 or _CONTINUES.match(text):  # noqa: PLR2004
        return True
    if len(words) <= TERSE and _NARROWS.match(text):
        return True
    if ":" in turn or "\n" in turn.strip():
        return False  # what `this` stands for comes along
    opening = " ".join(_REFERS_TO_NOTHING.sub(" ", text).split()[:EARLY])
    return bool(_REFERS.search(opening) or _REFERS_ANYWHERE.search(text))

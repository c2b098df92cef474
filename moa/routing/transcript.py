"""Chats that were pasted as text: whose turn is which, and which of them decide the route."""

from __future__ import annotations

import re

from moa.routing.subject import leaning

_SPEAKER = re.compile(r"^[ \t>*_]*(user|human|assistant|ai|bot|chatbot|system)[*_ \t]*:[*_]*[ \t]*", re.IGNORECASE)
_ASKS = frozenset({"user", "human"})
_TURNS = 2


def last_turns(text: str) -> str | None:
    r"""Return the last turn of the user in a transcript, after those that it leans on; None if it is no transcript.

    A transcript has lines that begin with a speaker and a colon, and both a user and somebody else speak.

    Example:
        >>> last_turns("User: What is a trie?\nAssistant: A tree of prefixes.\nUser: And in Rust?")
        'What is a trie?\nAnd in Rust?'
    """
    turns: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if speaker := _SPEAKER.match(line):
            turns.append((speaker[1].lower(), [line[speaker.end() :]]))
        elif turns:
            turns[-1][1].append(line)
    asked = [said for name, lines in turns if name in _ASKS and (said := "\n".join(lines).strip())]
    if len(turns) < _TURNS or not asked or all(name in _ASKS for name, _ in turns):
        return None
    return leaning(asked)[0]

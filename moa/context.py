"""What fits into a model's context window: how many tokens a text may take, and a conversation cut to them.

No tokenizer is loaded: each model has its own, and most are not on this machine. Tokens are estimated instead, and the
estimate is meant to be too high rather than too low (`tests/test_context.py` holds it against real tokenizers). A
question that is cut by a tenth too early loses its oldest turn; one that is too long is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from moa.messages import Message

_MESSAGE_TOKENS = 8
"""What a chat template puts around a message: two special tokens, the role, line breaks."""

# What a character costs, by its kind: about the most that cl100k, Claude's old and DeepSeek's tokenizer take for it.
# Vocabularies are made from mostly English text, so everything else falls apart into more pieces.
_CHARACTERS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"[A-Z]+"), 0.7),
    (re.compile(r"[0-9]+"), 1.0),  # many models read digits one by one
    (re.compile(r"[!-/:-@\[-`{-~]+"), 0.85),
    (re.compile(r"[\x00-\x1f\x7f-\u07ff]+"), 1.1),  # control characters; Latin, Greek, Cyrillic, Hebrew, Arabic
    (re.compile(r"[\u0800-\u2fff]+"), 2.0),  # the scripts of India and South-East Asia, symbols
    (re.compile(r"[\u3000-\uffff]+"), 1.6),  # Chinese, Japanese, Korean
    (re.compile(r"[\U00010000-\U0010ffff]+"), 3.0),  # emoji, rare characters
)
_WORD = re.compile(r"[a-z]+")
_LETTERS_PER_TOKEN = 4
_LONG_WORD = 8  # beyond so many letters a word is rare, or one of those that German is made of: 2.5 letters a token
_SPACES = re.compile(r" {2,}")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The messages that fit into a window."""

    messages: tuple[Message, ...]
    dropped: int = 0
    """How many were left out, the oldest first."""


class Windowed(Protocol):
    """A backend that knows how much its model can read."""

    @property
    def context(self) -> int | None:
        """Tokens that a conversation may take, with its answer where both share one window; None if not known."""
        ...


def most_tokens(messages: Iterable[Message]) -> int:
    """Return a number of tokens that messages cannot exceed, at next to no cost.

    Each token of a byte-level vocabulary stands for at least one byte of UTF-8.
    """
    return sum(_MESSAGE_TOKENS + _bytes(message.content) + _bytes_of_calls(message) for message in messages)


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text takes, rather too many than too few."""
    words = sum(map(_tokens_of_letters, map(len, _WORD.findall(text))))
    others = sum(weight * sum(map(len, kind.findall(text))) for kind, weight in _CHARACTERS)
    return ceil(words + others + len(_SPACES.findall(text)))


def tokens_in(messages: Iterable[Message]) -> int:
    """Return about how many tokens messages take together, rather too many than too few."""
    return sum(
        _MESSAGE_TOKENS
        + estimated_tokens(message.content)
        + sum(estimated_tokens(call.name + call.arguments) for call in message.tool_calls)
        for message in messages
    )


def fitted(messages: Sequence[Message], tokens: int) -> Fitted:
    """Return the messages that fit into a number of tokens.

    The oldest turns go first, and whole: a user's message with everything up to the next one, so that no answer stands
    without its question and no tool's result without its call. System messages and the last turn stay, even if they
    alone take more.
    """
    if most_tokens(messages) <= tokens:
        return Fitted(tuple(messages))
    instructions = [message for message in messages if message.role == "system"]
    left = tokens - tokens_in(instructions)
    turns = _turns(messages)
    kept = 0
    for turn in reversed(turns):
        left -= tokens_in(turn)
        if kept and left < 0:
            break
        kept += 1
    dropped = {id(message) for turn in turns[: len(turns) - kept] for message in turn}
    return Fitted(tuple(message for message in messages if id(message) not in dropped), len(dropped))


def _tokens_of_letters(count: int) -> int:
    short = -(-min(count, _LONG_WORD) // _LETTERS_PER_TOKEN)
    return short if count <= _LONG_WORD else short - (-2 * (count - _LONG_WORD) // 5)


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Return the messages without those of the system, in groups that each begin with a user's message."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role == "system":
            continue
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _bytes_of_calls(message: Message) -> int:
    return sum(_bytes(call.name) + _bytes(call.arguments) for call in message.tool_calls)

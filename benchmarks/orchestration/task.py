"""The work that every client does: four streamed drafts at once, then one streamed answer made from them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

SECONDS = {"math": 0.1, "code": 0.2, "law": 0.3, "medicine": 0.4, "aggregator": 0.2}
"""Model → how long its answer takes, from the request to the last token."""
DRAFTERS = tuple(SECONDS)[:-1]
AGGREGATOR = "aggregator"
IDEAL_SECONDS = max(SECONDS[model] for model in DRAFTERS) + SECONDS[AGGREGATOR]
TOKENS = 4
"""Chunks with text in an answer, evenly spaced; the last one arrives with the usage and the end."""
QUESTION = "What is 17 * 23?"
Message = dict[str, str]
Chat = Callable[[str, list[Message]], Awaitable[str]]
"""Calls a model with messages, reads its stream, and returns its text."""
Run = Callable[[], Awaitable[str]]
"""Does the whole work once and returns the answer."""


def said_by(model: str) -> str:
    """Return what a model answers, always."""
    return "".join(tokens_of(model))


def tokens_of(model: str) -> list[str]:
    """Return the texts of a model's chunks."""
    return [f"Part {number} of what {model} has to say. " for number in range(TOKENS)]


def body(model: str, messages: list[Message]) -> dict[str, object]:
    """Return the body of a streaming chat request."""
    return {"model": model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}


def fused(drafts: list[str]) -> list[Message]:
    """Return the request for the final answer; it holds the drafts."""
    quoted = "\n\n".join(f"{number}. {draft}" for number, draft in enumerate(drafts, 1))
    return [
        {"role": "system", "content": "Make one answer of these drafts."},
        {"role": "user", "content": f"{quoted}\n\nQuestion: {QUESTION}"},
    ]


def by_hand(chat: Chat) -> Run:
    """Return the work as anybody would write it with asyncio alone."""

    async def run() -> str:
        asked = [{"role": "user", "content": QUESTION}]
        drafts = await asyncio.gather(*(chat(model, asked) for model in DRAFTERS))
        return await chat(AGGREGATOR, fused(list(drafts)))

    return run


class Transcript:
    """Reads a stream of events as short as it can be done by hand: `data:` lines with JSON in them."""

    def __init__(self) -> None:
        self.text = ""
        self._rest = b""

    def feed(self, received: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        *events, self._rest = (self._rest + received).split(b"\n\n")
        for event in events:
            if event != b"data: [DONE]" and (choices := json.loads(event[6:])["choices"]):
                self.text += choices[0]["delta"].get("content") or ""

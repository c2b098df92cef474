"""The JSON of `/v1/chat/completions`: whole answers, and the chunks of a stream."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moa.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa.answers import Answer
    from moa.messages import ToolCall
    from moa.server.answering import Ended
    from moa.server.discretion import Discretion

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_bytes(value: object) -> bytes:
    """Return a value as JSON in UTF-8; halves of characters, which broken models write, become question marks."""
    return _encode(value).encode("utf-8", "replace")


def sse(value: object, event: str = "") -> bytes:
    """Return a server-sent event that holds a value as JSON."""
    named = f"event: {event}\n" if event else ""
    return f"{named}data: ".encode() + to_bytes(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class ChatWords:
    """Writes the chunks of one completion."""

    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))
    _heads: dict[int, str] = field(default_factory=dict)

    def chunk(self, number: int, delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
        """Return a chunk of one choice."""
        choice = {"index": number, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse({**self._frame("chat.completion.chunk"), "choices": [choice], **more})

    def text(self, number: int, text: str) -> bytes:
        """Return a chunk with more text: the one that there are many of, so most of it is made once."""
        head = self._heads.get(number)
        if head is None:
            frame = _encode(self._frame("chat.completion.chunk"))[:-1]
            head = f'data: {frame},"choices":[{{"index":{number},"delta":{{"content":'
            self._heads[number] = head
        return f'{head}{_encode(text)}}},"logprobs":null,"finish_reason":null}}]}}\n\n'.encode("utf-8", "replace")

    def calls(self, number: int, calls: Sequence[ToolCall]) -> bytes:
        """Return the chunk that says what the client is to call."""
        return self.chunk(number, {"tool_calls": [{"index": at, **called(call)} for at, call in enumerate(calls)]})

    def usage(self, answers: Sequence[Answer]) -> bytes:
        """Return the chunk that ends a stream with what it took."""
        return sse({**self._frame("chat.completion.chunk"), "choices": [], "usage": usage_of(answers)})

    def event(self, kind: str, payload: dict[str, Any]) -> bytes:
        """Return what happened on the way, as a chunk without choices that has a name."""
        return sse({**self._frame("chat.completion.chunk"), "choices": [], "moa": payload}, f"moa.{kind}")

    def whole(self, ends: Sequence[Ended], told: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
        """Return the completion that is not streamed.

        Args:
            ends: of each choice, in order.
            told: what a `moa` object holds of each; None for no such object.
        """
        choices = [
            {
                "index": number,
                "message": {
                    "role": "assistant",
                    "content": end.text or (None if end.calls else ""),
                    "refusal": None,
                    **({"tool_calls": list(map(called, end.calls))} if end.calls else {}),
                },
                "logprobs": None,
                "finish_reason": end.reason,
            }
            for number, end in enumerate(ends)
        ]
        body = {
            **self._frame("chat.completion"),
            "choices": choices,
            "usage": usage_of([end.answer for end in ends]),
        }
        if told is not None:
            body["moa"] = told[0] if len(told) == 1 else {"choices": list(told)}
        return body

    def _frame(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def called(call: ToolCall) -> dict[str, Any]:
    """Return a call as the protocol writes it."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def usage_of(answers: Sequence[Answer]) -> dict[str, int] | None:
    """Return the tokens of answers, all calls of all models counted; None where nobody reported them."""
    used = sum((answer.tokens for answer in answers), Usage())
    if used.input is None or used.output is None:
        return None
    return {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.output,
    }


def told_of(answer: Answer, discretion: Discretion) -> dict[str, Any]:
    """Return the `moa` object of an answer: all that `moa ask --json` prints, but the text."""
    told = discretion.answer(answer).to_json()
    del told["text"]
    return {"panel": list(answer.routing.panel), **told}

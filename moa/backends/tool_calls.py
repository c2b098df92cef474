"""Calls of tools in the OpenAI chat protocol: how tools are told to a model, and its calls put together from pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from moa.backends.base import ToolSpec
from moa.messages import ToolCall

_decode = json.JSONDecoder().raw_decode
_FENCED = re.compile(r"```\w*\n(.*)\n?```|<(?:tools|tool_call)>(.*)</(?:tools|tool_call)>", re.DOTALL)


def tools_payload(tools: Sequence[ToolSpec]) -> list[dict[str, Any]] | None:
    """Return what a request says of tools; None if there are none."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ] or None


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallPieces:
    """Gathers the calls of one reply, piece by piece, from JSON or from the objects that a library made of it.

    Servers differ. The protocol numbers its pieces and sends identifier and name once; some leave out the number, say
    the name every time, send every call as number 0 with an identifier of its own, give no identifier at all, or write
    the arguments as an object.
    """

    __slots__ = ("_calls", "_places")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._places: dict[int, _Call] = {}

    def add(self, pieces: Any) -> None:
        """Take the `tool_calls` of a chunk, or those of a whole message; whatever else comes is passed over."""
        for piece in pieces if isinstance(pieces, list | tuple) else ():
            self._add(piece)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls as far as they came, in the model's order; those without a name are none."""
        named = [call for call in self._calls if call.name]
        return tuple(
            ToolCall(call.id or f"call_{number}", call.name, call.arguments)
            for number, call in enumerate(named, start=1)
        )

    def _add(self, piece: Any) -> None:
        function = _of(piece, "function")
        name, arguments = _of(function, "name"), _of(function, "arguments")
        call = self._call(_of(piece, "index"), _text(_of(piece, "id")), _text(name))
        if isinstance(arguments, dict):
            call.arguments = json.dumps(arguments, ensure_ascii=False)
        else:
            call.arguments += _text(arguments)

    def _call(self, index: Any, identifier: str, name: str) -> _Call:
        """Return the call that a piece belongs to: the one of its number, or a new one."""
        place = index if isinstance(index, int) else None
        call = self._calls[-1] if self._calls and place is None else self._places.get(-1 if place is None else place)
        another = bool(identifier and call and call.id and identifier != call.id)
        if call is None or another or (place is None and bool(name) and not identifier):
            call = _Call()
            self._calls.append(call)
        if place is not None:
            self._places[place] = call
        call.id = call.id or identifier
        call.name = call.name or name
        return call


def written_calls(text: str, names: Collection[str]) -> tuple[ToolCall, ...]:
    """Return the calls that a text consists of; nothing if it is anything else.

    Small models often forget the marks that their template puts around a call, so that the server takes it for an
    answer: Qwen2.5-Coder writes `{"name": "weather", "arguments": {"city": "Paris"}}` and nothing else. Only a text
    that is such objects from its beginning to its end counts, within a fence of code or not, and only for tools that
    there are.

    Args:
        text: what a model said.
        names: of the tools that it was told of.
    """
    inside = _FENCED.fullmatch(text.strip())
    rest = ((inside[1] or inside[2]) if inside else text).strip()
    calls: list[ToolCall] = []
    while rest:
        try:
            value, end = _decode(rest)
        except (ValueError, RecursionError):
            return ()
        arguments = value.get("arguments") if isinstance(value, dict) else None
        if not isinstance(arguments, dict) or set(value) != {"name", "arguments"} or value["name"] not in names:
            return ()
        written = json.dumps(arguments, ensure_ascii=False)
        calls.append(ToolCall(f"call_{len(calls) + 1}", value["name"], written))
        rest = rest[end:].strip()
    return tuple(calls)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _of(value: Any, field: str) -> Any:
    """Return a field of a JSON object, or of the object that a library made of one."""
    return value.get(field) if isinstance(value, dict) else getattr(value, field, None)

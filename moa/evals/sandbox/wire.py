"""Calls between two processes that do not trust each other, as lines of JSON.

A script that both sides in `moa.evals.sandbox.apart` load, so it imports nothing but the standard library. What is
plain data crosses as a copy: numbers, texts, lists, dictionaries and their like. Everything else stays where it is, and
the other side holds a `Far`, by which it asks. Pickles would be shorter, and would run whatever they hold.
"""

from __future__ import annotations

import base64
import builtins
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, BinaryIO

_SPECIAL = (
    *("len", "getitem", "setitem", "delitem", "iter", "next", "str", "repr", "bool", "int", "float"),
    *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "floordiv", "mod", "neg", "abs", "enter", "exit"),
)
"""What is asked from afar. That one holds another, or is smaller, is not: an object could say so of whatever it is held
against. Python then looks through what it iterates over, and refuses to order it."""
_PLAIN_TEXT = {
    each.__name__: (each, make)
    for each, make in (
        (Decimal, Decimal),
        (Fraction, Fraction),
        (datetime, datetime.fromisoformat),
        (date, date.fromisoformat),
        (time, time.fromisoformat),
        (complex, complex),
    )
}
"""Types that their text tells in full, and how to read it."""
_BASES: dict[type, Callable[[Any], Any]] = {int: int.__int__, float: float.__float__, str: str.__str__}
_GROUPS: dict[type, Callable[[Any], Iterable[Any]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
    deque: deque.__iter__,
}
"""How Python itself reads what is of a type, or of one made from it: whatever that one would say of itself."""


class FarError(Exception):
    """Something went wrong on the other side that has no name here."""


class Gone(Exception):
    """The other side has ended."""


class Far:
    """An object of the other side: whatever is asked of it is asked there."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.__dict__.update(_peer=peer, _number=number)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there."""
        return self._peer.ask("call", self._number, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._peer.ask("get", self._number, [name])

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("set", self._number, [name, value])

    def __eq__(self, other: object) -> bool:
        # Only their owner can compare two objects that stay there. No object of his equals one of this side's values:
        # else he could say that it equals whatever it is held against.
        if self is other:
            return True
        return isinstance(other, Far) and self._peer.ask("equal", self._number, [other]) is True

    def __hash__(self) -> int:
        return hash(self._number)


def _asking(name: str) -> Callable[..., Any]:
    def ask(self: Far, *args: Any) -> Any:
        return self._peer.ask("special", self._number, [name, *args])

    return ask


for _name in _SPECIAL:
    setattr(Far, f"__{_name}__", _asking(_name))


class Peer:
    """One side of the line.

    Args:
        reading: where the other side's lines come from.
        writing: where this side's lines go.
        names: what the other side can call by name.
        closed: let the other side do nothing but call what it was given: it gets no attributes, through which it could
            find its way to everything.
    """

    def __init__(
        self, reading: BinaryIO, writing: BinaryIO, *, names: Mapping[str, Any] | None = None, closed: bool = False
    ) -> None:
        self._reading, self._writing = reading, writing
        self._names = names or {}
        self._closed = closed
        self._kept: list[Any] = []

    def ask(self, what: str, on: int | str, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        """Ask the other side to do something, and answer what it asks meanwhile.

        Returns:
            What came of it. Lists, dictionaries and sets that were given are changed as they were there.

        Raises:
            Gone: it has ended.
            Exception: what was raised there, if Python itself defines it; else `FarError`.
        """
        self._send({"do": what, "on": on, "args": self.encode(list(args)), "more": self.encode(dict(kwargs or {}))})
        while True:
            said = self._receive()
            if "do" in said:
                self._answer(said)
            elif "raises" in said:
                raise _error(*said["raises"], within_loop=what == "special" and args[0] == "next")
            else:
                for place, now in said.get("changed", {}).items():
                    _change(args[int(place)], self.decode(now))
                return self.decode(said["gives"])

    def serve(self) -> None:
        """Answer the other side until it ends."""
        try:
            while True:
                self._answer(self._receive())
        except Gone:
            pass

    def encode(self, value: Any) -> Any:  # noqa: PLR0911  (one for each kind)
        """Return a value as JSON can tell it."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, Far):
            return {"yours": value._number}  # noqa: SLF001  (of this module)
        name = str(getattr(value, "__name__", "")) if isinstance(value, type) else ""
        if name and getattr(builtins, name, None) is value:
            return {"is": "type", "of": name}  # `int` is `int` on both sides
        module, kind = type(value).__module__.partition(".")[0], type(value).__name__
        if module == "numpy" and getattr(value, "ndim", None) == 0:
            return self.encode(value.item())
        for base, read in _BASES.items():
            if isinstance(value, base):
                return self.encode(read(value))
        if kind in _PLAIN_TEXT and type(value) is _PLAIN_TEXT[kind][0]:
            return {"is": kind, "of": value.isoformat() if hasattr(value, "isoformat") else str(value)}
        if type(value) is timedelta:
            return {"is": "timedelta", "of": [value.days, value.seconds, value.microseconds]}
        if type(value) is range:
            return {"is": "range", "of": [value.start, value.stop, value.step]}
        return self._encode_group(value)

    def _encode_group(self, value: Any) -> Any:
        if isinstance(value, (bytes, bytearray)):
            return {"is": "bytes" if isinstance(value, bytes) else "bytearray", "of": base64.b64encode(value).decode()}
        if isinstance(value, dict):
            return {"is": "dict", "of": [[self.encode(key), self.encode(each)] for key, each in dict.items(value)]}
        for base, each_of in _GROUPS.items():
            if isinstance(value, base):
                of = [self.encode(each) for each in each_of(value)]
                return of if base is list else {"is": base.__name__, "of": of}
        self._kept.append(value)
        return {"mine": len(self._kept) - 1}

    def decode(self, said: Any) -> Any:  # noqa: PLR0911  (one for each form)
        """Return the value that the other side told."""
        if isinstance(said, list):
            return [self.decode(each) for each in said]
        if not isinstance(said, dict):
            return said
        if "mine" in said:
            return Far(self, int(said["mine"]))
        if "yours" in said:
            return self._kept[int(said["yours"])]
        kind, of = said["is"], said["of"]
        if kind == "type":
            return _type(of)
        if kind == "dict":
            return {self.decode(key): self.decode(each) for key, each in of}
        if kind in ("bytes", "bytearray"):
            return {"bytes": bytes, "bytearray": bytearray}[kind](base64.b64decode(of))
        if kind in _PLAIN_TEXT:
            return _PLAIN_TEXT[kind][1](of)
        if kind in ("timedelta", "range"):
            return {"timedelta": timedelta, "range": range}[kind](*map(int, of))
        return {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}[kind](map(self.decode, of))

    def _answer(self, asked: dict[str, Any]) -> None:
        try:
            args, more = self.decode(asked["args"]), self.decode(asked["more"])
            before = [json.dumps(self._copied(each)) for each in args]
            gives = self._done(asked["do"], asked["on"], args, more)
            reply = {"gives": self.encode(gives)}
            after = [self._copied(each) for each in args]
            reply["changed"] = {place: now for place, now in enumerate(after) if json.dumps(now) != before[place]}
            line = json.dumps(reply)
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001  (whatever was called may raise anything, and the other side is told)
            kind = next(each for each in type(error).__mro__ if getattr(builtins, each.__name__, None) is each)
            line = json.dumps({"raises": [kind.__name__, _text(error)]})
        self._write(line)

    def _copied(self, value: Any) -> Any:
        """Return what can be changed in place as it is now; None for everything else."""
        return self.encode(value) if isinstance(value, (list, dict, set, bytearray, deque)) else None

    def _done(self, what: str, on: int | str, args: list[Any], more: dict[str, Any]) -> Any:  # noqa: PLR0911  (likewise)
        thing = self._names[on] if isinstance(on, str) else self._kept[on]
        if what == "call":
            return thing(*args, **more)
        if self._closed:
            raise PermissionError(f"{what} is not allowed from there")
        if what == "name":
            return thing
        if what == "get":
            return getattr(thing, args[0])
        if what == "set":
            return setattr(thing, args[0], args[1])
        if what == "equal":
            return bool(thing == args[0])
        name, *rest = args
        if name in ("iter", "next", "len", "str", "repr", "bool", "int"):
            return getattr(builtins, name)(thing)
        return getattr(thing, f"__{name}__")(*rest)

    def _send(self, message: dict[str, Any]) -> None:
        self._write(json.dumps(message))

    def _write(self, line: str) -> None:
        try:
            self._writing.write(line.encode() + b"\n")
            self._writing.flush()
        except (OSError, ValueError) as error:
            raise Gone from error

    def _receive(self) -> dict[str, Any]:
        line = self._reading.readline()
        if not line.endswith(b"\n"):
            raise Gone
        said = json.loads(line)
        if not isinstance(said, dict):
            raise Gone
        return said


def _type(name: object) -> type:
    found = getattr(builtins, str(name), None)
    if not isinstance(found, type):
        raise TypeError(f"{name} is no type of Python's")
    return found


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except Exception:  # noqa: BLE001  (its text is code of whoever wrote it)
        return ""


def _error(name: object, text: object, *, within_loop: bool) -> Exception:
    """Return an error of the other side as one of Python's own, if it is an ordinary one.

    The end of a loop is none but where a loop asked: else it would end one of the tests', and what they had yet to say.
    """
    kind = getattr(builtins, str(name), None)
    if kind in (StopIteration, StopAsyncIteration) and not within_loop:
        kind = None
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(str(text))
        except TypeError:  # UnicodeDecodeError wants more than a text
            pass
    return FarError(f"{name}: {text}")


def _change(value: Any, now: Any) -> None:
    """Change a value in place into what it became on the other side."""
    if isinstance(value, (list, bytearray)) and isinstance(now, (list, bytearray)):
        value[:] = now
    elif isinstance(value, deque) and isinstance(now, deque):
        value.clear()
        value.extend(now)
    elif isinstance(value, (dict, set)) and type(now) is type(value):
        value.clear()
        value.update(now)

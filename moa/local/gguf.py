"""The header of a GGUF file, read without loading the model: what it is, and whether the file is whole.

The format is the one of llama.cpp's `docs/gguf.md`, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from moa.errors import EngineError

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_LONGEST_KEPT_ARRAY = 1024  # vocabularies have 100,000s of entries, and nobody asks for them here
_MOST_DIMENSIONS = 4

# Tensor type → values and bytes of a block (ggml.h). Of a type that is not listed, only the beginning is checked.
# fmt: off
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 39: (32, 17),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of its model."""

    architecture: str
    """`llama`, `qwen2`, …"""
    name: str
    """What its makers call it; empty if they do not say."""
    context_length: int | None
    """Tokens that it was trained to read at once."""
    has_chat_template: bool
    """Whether it is made for conversations. A base model is not: it continues text."""
    tensors: int


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file and check that all of its tensors lie within the file.

    Raises:
        EngineError: there is no such file, it is not GGUF, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise EngineError(f"{path} is not a GGUF file. The local engine runs no other format.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Reader(content, path).header()
    except FileNotFoundError as error:
        raise EngineError(f"There is no file {path}.") from error
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Reader:
    """Walks through a file from its beginning."""

    def __init__(self, content: mmap.mmap, path: Path) -> None:
        self._content = content
        self._path = path
        self._at = 4

    def header(self) -> Header:
        try:
            (version,) = self._unpack("I")
            if version not in (2, 3):
                raise EngineError(f"{self._path} is GGUF version {version}; versions 2 and 3 can be run.")
            tensors, pairs = self._unpack("QQ")
            found: dict[str, Any] = {}
            for _ in range(pairs):
                key = self._string()
                found[key] = self._value(*self._unpack("I"))
            end = self._end_of_tensors(tensors, found.get("general.alignment", 32))
        except (struct.error, UnicodeDecodeError, TypeError, KeyError, OverflowError, ZeroDivisionError) as error:
            raise self._damaged("its header makes no sense") from error
        if end > len(self._content):
            raise self._damaged(f"it should have {end} bytes, and has {len(self._content)}")
        architecture = found.get("general.architecture")
        if not isinstance(architecture, str):
            raise self._damaged("it does not say which architecture it has")
        context, name = found.get(f"{architecture}.context_length"), found.get("general.name")
        return Header(
            architecture=architecture,
            name=name if isinstance(name, str) else "",
            context_length=context if isinstance(context, int) and context > 0 else None,
            has_chat_template=bool(found.get("tokenizer.chat_template")),
            tensors=tensors,
        )

    def _end_of_tensors(self, tensors: int, alignment: int) -> int:
        """Return where the last tensor ends."""
        furthest = 0
        for _ in range(tensors):
            self._string()
            (dimensions,) = self._unpack("I")
            if dimensions > _MOST_DIMENSIONS:
                raise self._damaged(f"a tensor has {dimensions} dimensions")
            shape = self._unpack("Q" * dimensions)
            kind, offset = self._unpack("IQ")
            values, size = _BLOCKS.get(kind, (1, 0))
            furthest = max(furthest, offset + prod(shape) // values * size)
        data = -(-self._at // alignment) * alignment
        return data + furthest

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._unpack(_SCALARS[kind])[0]
        kind, count = self._unpack("IQ")
        if kind == _STRING:
            self._skip_strings(count)
            return None
        code = _SCALARS[kind]
        if count <= _LONGEST_KEPT_ARRAY:
            return self._unpack(code * count)
        self._skip(count * struct.calcsize("<" + code))
        return None

    def _skip_strings(self, count: int) -> None:
        """Step over an array of strings. There may be 100,000s of them, so this is a tight loop."""
        content, at, length_of = self._content, self._at, struct.Struct("<Q").unpack_from
        for _ in range(count):
            at += 8 + length_of(content, at)[0]
        self._at = at
        self._skip(0)

    def _string(self) -> str:
        (length,) = self._unpack("Q")
        start = self._at
        self._skip(length)
        return self._content[start : self._at].decode()

    def _unpack(self, code: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + code, self._content, self._at)
        self._at += struct.calcsize("<" + code)
        return values

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._content):
            raise self._damaged(f"it ends within its header, after {len(self._content)} bytes")

    def _damaged(self, how: str) -> EngineError:
        return EngineError(
            f"{self._path} is damaged or was only partly downloaded: {how}. Delete it and fetch it again."
        )

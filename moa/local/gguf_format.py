"""The format of GGUF files: what a file says of itself in keys and values, and where its tensors lie.

It is the one of llama.cpp's `docs/gguf.md`, versions 2 and 3, little-endian. Nothing is believed: whatever the bytes
are, the result is a file that makes sense, or one `EngineError`.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from moa.errors import EngineError

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_LONGEST_KEPT_ARRAY = 1024  # vocabularies have 100,000s of entries, and nobody asks for them here
_MOST_DIMENSIONS = 4
_LONGEST_SIDE = 2**40  # of a tensor; the largest models have 2^20
_ALIGNMENT = "general.alignment"

# Tensor type → values and bytes of a block (ggml.h). Of a type that is not listed, only the beginning is checked.
# fmt: off
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the file announces it."""

    shape: tuple[int, ...]
    """Its sides, the innermost first."""
    bytes: int
    """What it takes in the file; 0 if its type is not known."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a GGUF file announces."""

    values: Mapping[str, Any]
    """Numbers, strings, and arrays of numbers as tuples; None for arrays of strings and for long ones."""
    lengths: Mapping[str, int]
    """Of every array, how many entries it has."""
    tensors: Mapping[str, Tensor]


def read_contents(path: Path) -> Contents:
    """Read what a GGUF file announces, and check that all of its tensors lie within the file.

    Raises:
        EngineError: there is no such file, it is not GGUF, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise EngineError(f"{path} is not a GGUF file. The local engine runs no other format.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Reader(content, path).contents()
    except FileNotFoundError as error:
        raise EngineError(f"There is no file {path}.") from error
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror or error}.") from error


def damaged(path: Path, how: str) -> EngineError:
    """Return the error for a file that is GGUF and yet cannot be right."""
    return EngineError(f"{path} is damaged or was only partly downloaded: {how}. Delete it and fetch it again.")


class _Reader:
    """Walks through a file from its beginning."""

    def __init__(self, content: mmap.mmap, path: Path) -> None:
        self._content = content
        self._path = path
        self._at = 4
        self._lengths: dict[str, int] = {}

    def contents(self) -> Contents:
        try:
            (version,) = self._unpack("I")
            if version not in (2, 3):
                raise EngineError(f"{self._path} is GGUF version {version}; versions 2 and 3 can be run.")
            count, pairs = self._unpack("QQ")
            values: dict[str, Any] = {}
            for _ in range(pairs):
                key = self._string()
                values[key] = self._value(key, *self._unpack("I"))
            tensors = self._tensors(count, values.get(_ALIGNMENT, 32))
        except (struct.error, UnicodeDecodeError, KeyError, OverflowError) as error:
            raise damaged(self._path, "its header makes no sense") from error
        return Contents(values, self._lengths, tensors)

    def _tensors(self, count: int, alignment: object) -> dict[str, Tensor]:
        """Return the tensors by name. Each lies at a multiple of the alignment and within the file."""
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise damaged(self._path, f"its tensors are aligned to {alignment!r} bytes, which is no power of two")
        tensors: dict[str, Tensor] = {}
        furthest = 0
        for _ in range(count):
            name = self._string()
            tensor, offset = self._tensor()
            if name in tensors or offset % alignment:
                raise damaged(self._path, f"the tensor {name!r} is there twice or not where it can be")
            tensors[name] = tensor
            furthest = max(furthest, offset + tensor.bytes)
        end = -(-self._at // alignment) * alignment + furthest
        if end > len(self._content):
            raise damaged(self._path, f"it should have {end} bytes, and has {len(self._content)}")
        return tensors

    def _tensor(self) -> tuple[Tensor, int]:
        """Return a tensor, and where it begins after the header."""
        (dimensions,) = self._unpack("I")
        if dimensions > _MOST_DIMENSIONS:
            raise damaged(self._path, f"a tensor has {dimensions} dimensions")
        shape = self._unpack("Q" * dimensions)
        if max(shape, default=0) > _LONGEST_SIDE:
            raise damaged(self._path, f"a tensor has a side of {max(shape)}")
        kind, offset = self._unpack("IQ")
        values, size = _BLOCKS.get(kind, (1, 0))
        return Tensor(shape, prod(shape) // values * size), offset

    def _value(self, key: str, kind: int) -> object:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._unpack(_SCALARS[kind])[0]
        kind, count = self._unpack("IQ")
        self._lengths[key] = count
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
            raise damaged(self._path, f"it ends within its header, after {len(self._content)} bytes")

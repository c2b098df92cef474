"""Writes small GGUF files."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

_F32 = 0

Value = str | int | float | bool | list[str] | list[int]

CHAT: dict[str, Value] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.context_length": 2048,
    "tokenizer.ggml.tokens": ["a", "b", "é"],
    "tokenizer.chat_template": "{{ messages }}",
}
"""What a model for conversations says of itself."""


def write_gguf(
    path: Path,
    values: Mapping[str, Value],
    tensors: Sequence[tuple[str, Sequence[int]]] = (),
    version: int = 3,
    *,
    filled: Mapping[str, Mapping[int, float]] | None = None,
) -> Path:
    """Write a header and float32 tensors: full of zeros but for what `filled` says, by tensor and place."""
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    header += b"".join(_string(key) + _typed(value) for key, value in values.items())
    offset, data = 0, b""
    for name, shape in tensors:
        size = 4
        for length in shape:
            size *= length
        header += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _F32, offset)
        padded = -(-size // 32) * 32
        numbers = bytearray(padded)
        for place, number in (filled or {}).get(name, {}).items():
            struct.pack_into("<f", numbers, 4 * place, number)
        offset, data = offset + padded, data + numbers
    path.write_bytes(header + bytes(-len(header) % 32) + data)
    return path


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _typed(value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _string(value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_string(str(item)) for item in value)
        case _:
            return struct.pack(f"<IIQ{len(value)}I", 9, 4, len(value), *value)

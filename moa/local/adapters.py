"""LoRA adapters: small files that make a specialist of a base model, named behind it: `base+adapter.gguf@0.8`.

An engine loads its adapters beside the base and applies none of them by itself. Every request says which it wants, and
how much of each (Hu et al. 2021, section 4.1: the scale multiplies the update `B A` of a weight).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa.errors import EngineError, ModelReferenceError
from moa.local.weights import FileWeights, HubWeights, Weights, weights_for

_SUFFIX = ".gguf"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter, and how much of it is applied."""

    weights: FileWeights | HubWeights
    """Where it lies, or where it can be had."""
    scale: float = 1.0
    """1 is what it was trained for, 0 the base alone; any finite number goes."""

    @property
    def label(self) -> str:
        """How people write it behind the `+`."""
        return self.weights.label if self.scale == 1 else f"{self.weights.label}@{self.scale:g}"

    @property
    def file(self) -> Path:
        """Its file.

        Raises:
            EngineError: it is not here.
        """
        if files := self.weights.files():
            return files[0]
        if isinstance(self.weights, FileWeights):
            return self.weights.fetch()  # which says what is wrong with the path
        raise EngineError(f"The adapter {self.label} is not here. Fetch it: moa models pull {self.weights.label}")


def parse_local(reference: str) -> tuple[Weights, tuple[Adapter, ...]]:
    """Return the base model and the adapters that stand after `local:`. Opens nothing.

    A `+` starts the next adapter and an `@` the scale of one, except within the name of a file that exists.

    Raises:
        ModelReferenceError: the base or an adapter names nothing, or a scale is no number.
    """
    base, *rest = _pieces(reference)
    return weights_for(base), tuple(map(_adapter, rest))


def lora_field(loaded: Sequence[Path], used: Sequence[Adapter]) -> list[dict[str, Any]]:
    """Return the field `lora` of a request to an engine that has adapters.

    It names all of them: those that a request leaves out of an empty list, or that has no such field at all, llama.cpp
    applies as they were when the engine started.

    Args:
        loaded: the engine's adapters, in the order in which they were loaded.
        used: what this request wants; the same file twice adds up.

    Raises:
        EngineError: the engine has not loaded one of them.
    """
    scales = dict.fromkeys(loaded, 0.0)
    for adapter in used:
        if adapter.file not in scales:
            raise EngineError(f"The engine was started without the adapter {adapter.label}. Ask again.")
        scales[adapter.file] += adapter.scale
    return [{"id": number, "scale": scale} for number, scale in enumerate(scales.values())]


def _pieces(reference: str) -> list[str]:
    """Split at each `+` that is not within the name of a file that exists; the longest such name counts."""
    parts = reference.split("+")
    pieces: list[str] = []
    while parts:
        for count in range(len(parts), 0, -1):
            candidate = "+".join(parts[:count])
            if count == 1 or FileWeights(_scaled(candidate)[0]).is_there():
                pieces.append(candidate)
                del parts[:count]
                break
    return pieces


def _scaled(piece: str) -> tuple[str, str | None]:
    """Take the scale off the end of an adapter's name; None if there is none."""
    name, at, scale = piece.rpartition("@")
    if not at or FileWeights(piece).is_there() or scale.lower().endswith(_SUFFIX):
        return piece, None
    return name, scale


def _adapter(piece: str) -> Adapter:
    name, scale = _scaled(piece)
    if not name:
        raise ModelReferenceError("A + is followed by no adapter. Write it as base+adapter.gguf@0.8.")
    if scale is None:
        return Adapter(_weights(name))
    try:
        factor = float(scale)
    except ValueError:
        factor = math.nan
    if not math.isfinite(factor):
        raise ModelReferenceError(f"{scale!r} is no scale for the adapter {name}: write a number, as in {name}@0.8.")
    return Adapter(_weights(name), factor)


def _weights(name: str) -> FileWeights | HubWeights:
    try:
        found = weights_for(name)
    except ModelReferenceError:
        found = None
    if isinstance(found, FileWeights | HubWeights):
        return found
    raise ModelReferenceError(
        f"{name!r} is no adapter: name its GGUF file, or a file of the hub, as in base+adapter.gguf@0.8 or "
        "base+org/repo:adapter."
    )

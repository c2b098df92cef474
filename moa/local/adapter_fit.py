"""Whether an adapter belongs to a base model, found out from the headers of both, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from moa.errors import EngineError
from moa.local.gguf import Header, read_header

_HALVES = (".lora_a", ".lora_b")
_IGNORED = "_norm.weight"  # the engine steps over these
_EMBEDDING = "token_embd.weight"  # it is looked up, not multiplied with, so its halves lie the other way round


def check_model(path: Path, header: Header) -> None:
    """Return if a file is a model of its own.

    Raises:
        EngineError: it is an adapter.
    """
    if header.kind == "adapter":
        raise EngineError(
            f"{path} is an adapter and cannot run alone. Name its model first: "
            f"local:a-{header.architecture}-model+{path.name}"
        )


def check_fits(base: Path, adapter: Path) -> None:
    """Return if an adapter can be put on a base model.

    Raises:
        EngineError: one of the files is missing or damaged, the second is no adapter, or it was made for another model.
    """
    model, addition = read_header(base), read_header(adapter)
    check_model(base, model)
    if addition.kind != "adapter":
        raise EngineError(f"{adapter} is a {addition.kind}, not an adapter. What follows a + must be one.")
    if addition.adapter_type != "lora":
        raise EngineError(f"{adapter} is an adapter of type {addition.adapter_type!r}. Only LoRA adapters can be used.")
    wrong = _mismatch(model, addition)
    if wrong:
        raise EngineError(f"{adapter} was made for another model than {base}: {wrong}. Name the one it was made for.")


def _mismatch(model: Header, addition: Header) -> str:
    """Say what does not fit; empty if all does."""
    if addition.architecture != model.architecture:
        return f"it changes a {addition.architecture}, and that is a {model.architecture}"
    stems = {name.removesuffix(half) for name in addition.shapes for half in _HALVES if name.endswith(half)}
    strange = [name for name in addition.shapes if not name.endswith((*_HALVES, _IGNORED))]
    if strange or not stems:
        return f"its {strange[0]} is not of the form of LoRA" if strange else "it changes nothing"
    for stem in sorted(stems):
        halves = [_sides(addition.shapes, stem + half) for half in _HALVES]
        if not all(halves):
            return f"it has only one half of a change of {stem}"
        whole = _sides(model.shapes, stem)
        if whole is None and model.pieces > 1:
            continue  # it is in another piece, which the engine looks at
        if whole is None:
            return f"it changes {stem}, which that does not have"
        if _product(stem, *halves) != whole:
            return f"its change of {stem} has another shape than that, {' × '.join(map(str, whole))}"
    return ""


def _product(stem: str, a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the shape of the change that two halves make; None if they do not go together."""
    if not a or not b:
        return None
    if stem == _EMBEDDING:
        return (b[1], a[1]) if a[0] == b[0] else None
    return (a[0], b[1]) if a[1] == b[0] else None


def _sides(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, int] | None:
    """Return the two inner sides of a tensor; the third, if any, counts experts."""
    if name not in shapes:
        return None
    inner, outer, *_ = (*shapes[name], 1, 1)
    return inner, outer

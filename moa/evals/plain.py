"""Nouns as plain data, some times as quick as `dataclasses.asdict`: a run writes a few of them for each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

_ATOMS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any) -> Any:
    """Return what JSON would hold of a value: dataclasses become dictionaries, tuples lists."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if kind is tuple or kind is list:
        return [plain(each) for each in value]
    return {name: plain(getattr(value, name)) for name in _names(kind)}


_known: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; looked up once."""
    names = _known.get(kind)
    if names is None:
        names = _known[kind] = tuple(each.name for each in fields(kind))
    return names

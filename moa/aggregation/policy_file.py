"""Which aggregator pays for which kind of question, and for how many drafts.

It is a file of JSON, written from evidence and read by `Auto`:

{
  "format": 1,
  "kinds": {
    "math": {"aggregator": "vote", "k": 3},
    "code": {"aggregator": "guard", "settings": {"inner": {"aggregator": "synthesize"}}},
    "*":    {"aggregator": "escalate", "settings": {"first": "general", "confident": {"law": 0.9, "*": 0.8}}}
  },
  "evidence": {"math": {"samples": 120, "accuracy": 0.71, "best single": 0.66}}
}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from moa.aggregation.base import Aggregator
from moa.errors import LoadError, MoaError

FORMAT = 1
"""Counted up when an older moa could not read what a newer one writes."""
ANY = "*"
"""The kind of all questions that the policy does not name."""

_HOME = {
    "solo": ("moa.aggregation.solo", "Solo"),
    "synthesize": ("moa.aggregation.synthesize", "Synthesize"),
    "select": ("moa.aggregation.select", "Select"),
    "vote": ("moa.aggregation.vote", "Vote"),
    "self_mix": ("moa.aggregation.selfmix", "SelfMix"),
    "escalate": ("moa.aggregation.escalate", "Escalate"),
    "refine": ("moa.aggregation.refine", "Refine"),
    "guard": ("moa.aggregation.guard", "Guard"),
}
"""Name in a file → module and class."""


@dataclass(frozen=True)
class AggregationPolicy:
    """Aggregators by kind of question."""

    kinds: Mapping[str, Aggregator]
    """Field, or `*` for every other one → aggregator."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The figures that it was made from, by kind; for people."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """How many agents draft for a kind of question, 1 or more; the router decides where nothing is said."""

    def of(self, kind: str) -> Aggregator | None:
        """Return the aggregator for a kind of question, or None if the policy says nothing about it."""
        return self.kinds.get(kind) or self.kinds.get(ANY)

    def size(self, kind: str) -> int | None:
        """Return how many agents draft for a kind of question, or None if the policy says nothing about it."""
        return self.sizes.get(kind if kind in self.kinds else ANY)


def load_policy(path: str | Path) -> AggregationPolicy:
    """Read a policy.

    Raises:
        LoadError: the file cannot be read, is of another format, or names an aggregator or a setting that does not
            exist; the message says where.
    """
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise LoadError(f"The policy {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise LoadError(f"The policy {path} is no JSON: {error}.") from error
    return policy_from(content, where=str(path))


def policy_from(content: object, *, where: str = "the policy") -> AggregationPolicy:
    """Make a policy from what a file holds.

    Raises:
        LoadError: as `load_policy`.
    """
    if not isinstance(content, dict) or not isinstance(content.get("kinds"), dict):
        raise LoadError(f'{where} is no policy: it needs "kinds", an object of aggregators by kind of question.')
    if content.get("format") != FORMAT:
        raise LoadError(f"{where} has the format {content.get('format')!r}, and this moa reads {FORMAT}.")
    _only(content, ("format", "kinds", "evidence"), where)
    evidence = content.get("evidence", {})
    if not isinstance(evidence, dict):
        raise LoadError(f"{where}, evidence: it must be an object of figures by kind of question.")
    kinds, sizes = {}, {}
    for kind, spec in content["kinds"].items():
        place = f"{where}, kinds.{kind}"
        kinds[kind] = _made(spec, place, "k")
        if "k" in spec:
            sizes[kind] = _size(spec["k"], f"{place}.k")
    return AggregationPolicy(kinds, evidence, sizes)


def _size(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise LoadError(f"{where}: it is {value!r}, and it must be how many agents draft: a whole number, 1 or more.")
    return value


def _made(spec: object, where: str, *beside: str) -> Aggregator:
    """Make an aggregator from what a file says of it; `beside` are the fields that others read."""
    if not isinstance(spec, dict) or not isinstance(spec.get("aggregator"), str):
        raise LoadError(f'{where}: it must name an aggregator, as in {{"aggregator": "vote"}}.')
    _only(spec, ("aggregator", "settings", *beside), where)
    name, settings = spec["aggregator"], spec.get("settings", {})
    if name not in _HOME:
        raise LoadError(f"{where}: there is no aggregator {name!r}. {_hint(name, _HOME)}")
    if not isinstance(settings, dict):
        raise LoadError(f"{where}.settings: it must be an object of settings by name.")
    module, made = _HOME[name]
    kind = getattr(import_module(module), made)
    known = {each.name: each for each in fields(kind) if each.init}
    _only(settings, known, f"{where}.settings")
    for each in known.values():
        if each.default is MISSING and each.default_factory is MISSING and each.name not in settings:
            raise LoadError(f"{where}.settings: {name} needs {each.name!r}.")
    arguments = {key: _setting(value, known[key], f"{where}.settings.{key}") for key, value in settings.items()}
    try:
        return cast("Aggregator", kind(**arguments))
    except (MoaError, TypeError) as error:
        raise LoadError(f"{where}: {error}") from error


def _setting(value: object, known: Field[object], where: str) -> object:
    """Return the value of a setting: an aggregator where one is described, else what the file says.

    Raises:
        LoadError: it is of another type than the setting's default.
    """
    if isinstance(value, dict) and "aggregator" in value:
        return _made(value, where)
    if not _fits(value, known):
        raise LoadError(f"{where}: it is {value!r}, and by default it is {known.default!r}.")
    return value


def _fits(value: object, known: Field[object]) -> bool:
    """Return whether a value of JSON is of the type of a setting, as far as its default tells that."""
    default, annotation = known.default, str(known.type)
    if value is None or isinstance(value, dict):
        return ("None" if value is None else "Mapping") in annotation
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int) or (isinstance(default, float) and isinstance(value, float))
    return not isinstance(default, str) or isinstance(value, str)


def _only(content: Mapping[str, object], known: Iterable[str], where: str) -> None:
    """See that nothing is in an object that nobody reads.

    Raises:
        LoadError: there is; the message says what could be meant.
    """
    names = list(known)
    for key in content:
        if key not in names:
            raise LoadError(f"{where}: there is no {key!r}. {_hint(key, names)}")


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names)}."

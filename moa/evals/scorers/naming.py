"""Scorers by their names, as suites and the command line write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from moa.errors import SuiteError
from moa.evals.score import Scorer
from moa.evals.scorers.automatic import Auto, Each
from moa.evals.scorers.choice import Choice
from moa.evals.scorers.code import Code
from moa.evals.scorers.function import UserFunction
from moa.evals.scorers.judge import PairwiseJudge
from moa.evals.scorers.mathematical import Math
from moa.evals.scorers.numeric import Numeric
from moa.evals.scorers.pattern import Regex
from moa.evals.scorers.settled import Settled
from moa.evals.scorers.structure import JsonSchema
from moa.evals.scorers.words import F1, Contains, Exact

_KINDS: tuple[type[Settled], ...] = (
    *(Exact, Contains, F1, Numeric, Choice, Math, Code, Regex, JsonSchema, PairwiseJudge, Auto, Each),
)
SCORERS: dict[str, type[Settled]] = {kind.kind: kind for kind in _KINDS}
"""Name → scorer."""


def named(name: str, **options: Any) -> Scorer:
    """Return a scorer by its name, or by the file and function of a user's own.

    Example:
        >>> named("numeric", tolerance=0.01).name
        'numeric(tolerance=0.01)'

    Args:
        name: one of `SCORERS`, or `file.py:function`.
        options: its settings.

    Raises:
        SuiteError: there is no such scorer, or it has no such setting.
        LoadError: the user's file cannot be run.
    """
    path, colon, _ = name.rpartition(":")
    if colon and path.endswith(".py"):
        if options:
            raise SuiteError(f"The scorer {name} is a function of your own, which takes no settings here.")
        return UserFunction.loaded(name)
    if name not in SCORERS:
        close = get_close_matches(name, SCORERS, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise SuiteError(f"There is no scorer {name!r}.{meant} There are {', '.join(SCORERS)}, and file.py:function.")
    return _made(SCORERS[name], options)


def _made(kind: type[Settled], options: dict[str, Any]) -> Scorer:
    known = {each.name for each in fields(kind) if each.init}
    for option in options:
        if option not in known:
            has = f"It has {', '.join(sorted(known))}." if known else "It has none."
            raise SuiteError(f"The scorer {kind.kind} has no setting {option!r}. {has}")
    make: Callable[..., Scorer] = kind
    try:
        return make(**options)
    except TypeError as error:
        raise SuiteError(f"The scorer {kind.kind} cannot be made of {options}: {error}.") from error

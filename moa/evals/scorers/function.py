"""A scorer that a user wrote: any function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from moa.errors import ScoringError, SuiteError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled


@dataclass(frozen=True)
class UserFunction(Settled):
    """Calls `function(sample, output)`, which returns a Score, a number 0 … 1, or whether the answer is right.

    It may be a coroutine function; a plain one that waits for something holds up the others.

    Example:
        >>> UserFunction.loaded("no/such/file.py:polite")
        Traceback (most recent call last):
        moa.errors.SuiteError: There is no file no/such/file.py, so it holds no scorer.
    """

    function: Callable[[Sample, str], Any]
    where: str = ""
    """File and name, for messages."""

    kind: ClassVar = "function"
    bounded: ClassVar = False

    @property
    def name(self) -> str:
        """Where it was found, or what the function is called."""
        return self.where or getattr(self.function, "__name__", self.kind)

    @classmethod
    def loaded(cls, spec: str) -> UserFunction:
        """Return the scorer that `file.py:function` names.

        Raises:
            SuiteError: there is no such file or function.
            LoadError: the file cannot be run.
        """
        from moa.workspace import run_files

        path, _, name = spec.rpartition(":")
        if not Path(path).is_file():
            raise SuiteError(f"There is no file {path}, so it holds no scorer.")
        [module] = run_files([Path(path)])
        function = getattr(module, name, None)
        if not callable(function):
            raise SuiteError(f"{path} has no function {name!r}. A scorer is a function of the sample and the output.")
        return cls(function, spec)

    async def score(self, sample: Sample, output: str) -> Score:
        """Return what the function gives.

        Raises:
            ScoringError: it gave something that is no score.
        """
        given = self.function(sample, output)
        if inspect.isawaitable(given):
            given = await given
        if isinstance(given, Score):
            return given
        if isinstance(given, bool | int | float) and 0 <= given <= 1:
            return Score(float(given))
        raise ScoringError(f"The scorer {self.name} gave {given!r:.80}; it must be a Score, True, False, or 0 … 1.")

"""Response matrices of a data folder: who answered which question right, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.sets import Row, read

NAMES = {2: "two models", 7: "seven 7–8B models", 11: "eleven models with prices"}
FEWEST = 100
"""Questions of a family; the few that were put to other models are left out."""
FOLDS = 5
SEED = 11


@dataclass(frozen=True, eq=False)
class Family:
    """Questions that were put to the same models."""

    name: str
    models: tuple[str, ...]
    texts: tuple[str, ...]
    fields: tuple[str, ...]
    """Of each question, by the data set."""
    success: NDArray[np.float64]
    """0 … 1, shape (questions, models)."""
    cost: NDArray[np.float64] | None
    """In units of the best single model's mean cost, of the same shape; None if it is not known."""

    def only(self, places: NDArray[np.intp]) -> Family:
        """Return the questions at these places."""
        return Family(
            self.name,
            self.models,
            tuple(self.texts[place] for place in places),
            tuple(self.fields[place] for place in places),
            self.success[places],
            None if self.cost is None else self.cost[places],
        )

    def without(self, places: NDArray[np.intp]) -> Family:
        """Return the questions at all other places."""
        return self.only(np.setdiff1d(np.arange(len(self.texts)), places))

    def folds(self, count: int = FOLDS, seed: int = SEED) -> list[NDArray[np.intp]]:
        """Deal the questions to folds at random; the same text is in one fold only."""
        known = sorted(set(self.texts))
        dealt = np.random.default_rng(seed).permutation(len(known)) % count
        fold_of = dict(zip(known, dealt.tolist(), strict=True))
        folds = np.array([fold_of[text] for text in self.texts])
        return [np.flatnonzero(folds == each) for each in range(count)]


def families(data: Path) -> Iterator[Family]:
    """Yield the families of `response_matrix`, the most models first."""
    rows = read(data, "response_matrix")
    by_models: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        by_models.setdefault(tuple(sorted(row["correct"])), []).append(row)
    for models, own in sorted(by_models.items(), key=lambda each: (-len(each[0]), -len(each[1]))):
        if len(own) < FEWEST or len(models) < 2:
            continue
        priced = all(row["cost"] for row in own)
        success = np.array([[row["correct"][model] for model in models] for row in own], float)
        success = success.clip(0, 1)  # some metrics give a hair's breadth more or less
        name = NAMES.get(len(models), f"{len(models)} models")
        if len(models) == 2:
            name += f" ({', '.join(model.rpartition('/')[2] for model in models)})"
        yield Family(
            name,
            models,
            tuple(row["prompt"] for row in own),
            tuple(str(row["domain"]) for row in own),
            success,
            _in_units(np.array([[row["cost"][model] for model in models] for row in own]), success) if priced else None,
        )


def _in_units(usd: NDArray[np.float64], success: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(usd / usd[:, success.mean(axis=0).argmax()].mean())

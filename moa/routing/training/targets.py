"""A threshold for every label of a trained gate, fitted to what the user wants to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.errors import GateError
from moa.routing.thresholds import HeldOut, Precision, Reached, Recall, fit_threshold, reached

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelThreshold:
    """What was found for one label."""

    threshold: float | None
    """Fitted to all questions left out, 0 … 1; None if no threshold reaches the target, and `why` says so."""
    held_out: Reached | None
    """What thresholds give that were fitted to one half of the questions left out, on the other half."""
    why: str | None = None
    """Why there is none."""


def fit_label_thresholds(
    left_out: NDArray[np.float64], codes: NDArray[np.intp], labels: Sequence[str], target: Precision | Recall
) -> dict[str, LabelThreshold]:
    """Fit the threshold of every label.

    Args:
        left_out: probabilities of questions that the gate had not seen, shape (questions, labels); rows with NaN are
            of questions that were never left out.
        codes: their right labels, −1 out of scope.
        labels: the columns' names.
        target: what each label is to reach.
    """
    measured = np.flatnonzero(np.isfinite(left_out).all(axis=1))
    shuffled = np.random.default_rng(0).permutation(measured)
    found = {}
    for place, label in enumerate(labels):
        rows = [HeldOut(float(left_out[row, place]), bool(codes[row] == place)) for row in shuffled]
        found[label] = _fitted(rows, target)
    return found


def facts_of(found: dict[str, LabelThreshold], target: Precision | Recall) -> dict[str, Any]:
    """Return what the report says of the thresholds, as plain values."""
    kind = "precision" if isinstance(target, Precision) else "recall"
    return {"target": {kind: target.least}, "labels": {label: asdict(each) for label, each in found.items()}}


def _fitted(rows: Sequence[HeldOut], target: Precision | Recall) -> LabelThreshold:
    try:
        threshold = fit_threshold(rows, target)
    except GateError as error:
        return LabelThreshold(None, None, str(error))
    return LabelThreshold(threshold, _on_the_other_half(rows, target))


def _on_the_other_half(rows: Sequence[HeldOut], target: Precision | Recall) -> Reached | None:
    """Return the mean of what each half's threshold gives on the other half; None if a half is too small for it."""
    halves = rows[::2], rows[1::2]
    try:
        both = [reached(other, fit_threshold(half, target)) for half, other in (halves, halves[::-1])]
    except GateError:
        return None
    return Reached(_mean([each.precision for each in both]), _mean([each.recall for each in both]))


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None

"""A monotone map over probabilities, which makes them believable and changes no ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from moa.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["temperature", "platt", "isotonic"]
"""How probabilities are calibrated: by the softmax's temperature alone, or by a map after it."""
METHODS: tuple[Method, ...] = ("temperature", "platt", "isotonic")
"""The simpler ones first."""
KNOTS = 100
"""Of an isotonic map, at most; more follow the noise of single questions."""
_STRICT = 1e-3
"""How much of the straight line is in an isotonic map, so that none of its steps makes two labels equal."""
_TINY = 1e-12
_ENTRIES = 1_000_000
"""Probabilities that a map is fitted to, at most; it has few numbers, and more make it no better."""


@dataclass(frozen=True, slots=True)
class Monotone:
    """Maps every probability of a row by one increasing function, then scales the row to its sum of 1.

    One function for all labels, fitted to all of them together, keeps the order of the labels in every row and with it
    the accuracy (Zhang, Kailkhura and Han, Mix-n-Match: Ensemble and Compositional Methods for Uncertainty
    Calibration, 2020, section 3.2).
    """

    slope: float = 1.0
    """Of Platt's logistic function over log-odds (Platt, 1999), more than 0; 1 with an offset of 0 changes nothing."""
    offset: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    """Of an isotonic map (Zadrozny and Elkan, 2002): probabilities before and after, rising; in place of the logistic
    function if there are any."""

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated rows, shape (questions, options).

        Args:
            probabilities: rows that sum to 1, among their options perhaps "none of them".
        """
        mapped = self.mapped(probabilities)
        scaled: NDArray[np.float64] = mapped / np.maximum(mapped.sum(axis=1, keepdims=True), _TINY)
        return scaled

    def mapped(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each probability by itself through the function, 0 … 1."""
        if self.knots:
            before, after = np.array(self.knots).T
            steps = np.interp(probabilities, before, after)
            mixed: NDArray[np.float64] = (1 - _STRICT) * steps + _STRICT * probabilities
            return mixed
        exponents = self.slope * log_odds(probabilities) + self.offset
        logistic: NDArray[np.float64] = 1 / (1 + np.exp(-exponents))
        return logistic

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Monotone:
        """Return the map that `dataclasses.asdict` made plain values of."""
        knots = tuple((float(before), float(after)) for before, after in saved["knots"])
        return cls(float(saved["slope"]), float(saved["offset"]), knots)


def read_method(text: str) -> Method:
    """Read how to calibrate, as people write it.

    Raises:
        UsageError: there is no such method.
    """
    found = next((method for method in METHODS if method == text.strip().lower()), None)
    if found is None:
        raise UsageError(f"There is no calibration {text!r}. There are {', '.join(METHODS)}.")
    return found


def fit_monotone(
    method: Method, probabilities: NDArray[np.float64], right: NDArray[np.intp], weights: NDArray[np.float64]
) -> Monotone | None:
    """Fit a map to questions that the gate had not seen; None for `temperature`, which needs none.

    Args:
        method: how.
        probabilities: rows that sum to 1, shape (questions, options).
        right: the right option of each row.
        weights: how much each row counts, more than 0.
    """
    if method == "temperature":
        return None
    options = probabilities.shape[1]
    most = max(_ENTRIES // options, 1)
    if len(right) > most:
        drawn = np.random.default_rng(0).permutation(len(right))[:most]
        probabilities, right, weights = probabilities[drawn], right[drawn], weights[drawn]
    happened = np.zeros(probabilities.shape, bool)
    happened[np.arange(len(right)), right] = True
    each = np.repeat(weights, options)
    if method == "platt":
        return _platt(probabilities.ravel(), happened.ravel(), each)
    return Monotone(knots=_isotonic(probabilities.ravel(), happened.ravel(), each))


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(p / (1 − p)), finite for 0 and 1 too."""
    inside = np.clip(probabilities, _TINY, 1 - _TINY)
    odds: NDArray[np.float64] = np.log(inside) - np.log1p(-inside)
    return odds


def _platt(probabilities: NDArray[np.float64], happened: NDArray[np.bool_], weights: NDArray[np.float64]) -> Monotone:
    from scipy.optimize import minimize

    given = log_odds(probabilities)
    doubt = 1 / (happened.sum() + 2), 1 / ((~happened).sum() + 2)  # Platt's targets: as if one more of each had come
    wanted = np.where(happened, 1 - doubt[0], doubt[1])

    def loss(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = found[0] * given + found[1]
        value = float((weights * (np.logaddexp(0, logits) - wanted * logits)).sum() / weights.sum())
        slope = weights * (1 / (1 + np.exp(-logits)) - wanted) / weights.sum()
        return value, np.array([slope @ given, slope.sum()])

    bounds = [(0.05, 20.0), (-20.0, 20.0)]
    slope, offset = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Monotone(float(slope), float(offset))


def _isotonic(
    probabilities: NDArray[np.float64], happened: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fitted.fit(probabilities, happened.astype(np.float64), sample_weight=weights)
    before: Sequence[float] = fitted.X_thresholds_.tolist()
    after: Sequence[float] = fitted.y_thresholds_.tolist()
    places = np.unique(np.linspace(0, len(before) - 1, min(len(before), KNOTS)).round().astype(int))
    return tuple((before[place], after[place]) for place in places)

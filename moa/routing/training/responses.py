"""From a response matrix to a gate, with figures from questions that neither it nor its settings had seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.learned.responses import ResponseGate
from moa.routing.training.folded_ridge import FoldedRidge, Weights
from moa.routing.training.operating import PENALTIES, Predictions, Setting, Wish, choose
from moa.routing.training.response_features import ResponseFeatures
from moa.routing.training.response_figures import LeftOut, ResponseFigures, response_figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.training.matrix import ResponseMatrix

FOLDS = 5
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class LearnedResponses:
    """A gate and what it can do."""

    gate: ResponseGate
    setting: Setting
    held_out: ResponseFigures | None
    """By nested cross-validation over random fifths of the questions; None if it was not asked for."""
    held_out_groups: ResponseFigures | None
    """The same with whole groups left out; None if there are no groups."""


def fit_responses(
    matrix: ResponseMatrix,
    vectors: NDArray[np.float32],
    *,
    wish: Wish = Wish(),  # noqa: B008 - a frozen value
    measure: bool = True,
    say: Say = lambda _: None,
) -> LearnedResponses:
    """Learn who answers what right, and what it costs.

    A success is taken apart into how easy the question is, which is the same for all agents, and how far each agent is
    above that: its edge, which alone decides. Ridge regressions predict both, and the costs, from features of the
    question. Their penalties, the price and the calibration are chosen by predictions for questions left out; unless
    the edges clearly beat the best single agent there, every agent keeps its mean edge.

    Args:
        matrix: questions and who was right on them.
        vectors: unit vectors of the questions, shape (questions, dimension).
        wish: what the routing is for.
        measure: whether to measure it by nested cross-validation, for several times the work.
        say: told of each step, in a few words.

    Raises:
        GateError: a price is wanted, and the cost of an agent is not known.
    """
    check(matrix, wish)
    wish = replace(wish, price=wish.price * matrix.unit)
    say(f"learning the answers of {len(matrix.agents)} agents to {len(matrix.texts)} questions")
    features = ResponseFeatures.fit(vectors, matrix.texts)
    rows = features.rows(vectors, matrix.texts)
    study = _Study(matrix, rows, _random_folds(matrix.texts), wish)
    everything = np.arange(len(matrix.texts))
    setting = choose(matrix, everything, study.left_out(), wish)
    held_out = None
    if measure:
        say(f"measuring it on questions left out, {FOLDS} times")
        held_out = response_figures(matrix, study.nested())
    held_out_groups = None
    if measure and matrix.groups is not None and len(folds := _group_folds(matrix.groups)) > 2:  # noqa: PLR2004
        say(f"measuring it on groups left out, {len(folds)} times")
        held_out_groups = response_figures(matrix, _Study(matrix, rows, folds, wish).nested())
    gate = _gate(matrix, features, study.ridge.without(), study.level, setting)
    return LearnedResponses(gate, setting, held_out, held_out_groups)


class _Study:
    """Regressions on every union of folds, and what they say of the others."""

    def __init__(
        self, matrix: ResponseMatrix, rows: NDArray[np.float64], folds: Sequence[NDArray[np.intp]], wish: Wish
    ) -> None:
        self._matrix, self._rows, self._folds, self._wish = matrix, rows, folds, wish
        targets, self.level = _targets(matrix)
        self.ridge = FoldedRidge(rows, targets, folds, PENALTIES)
        self._outputs = targets.shape[1]

    def left_out(self) -> Predictions:
        """Return predictions for all questions by models fitted without their fold."""
        every = range(len(self._folds))
        return self._joined({fold: self.ridge.without({fold}) for fold in every}, every)

    def nested(self) -> LeftOut:
        """Choose settings without each fold in turn, and see what they do on it."""
        count = len(self._folds)
        without = {frozenset(pair): self.ridge.without(pair) for pair in combinations(range(count), 2)}
        parts = []
        for outer, place in enumerate(self._folds):
            inner = [fold for fold in range(count) if fold != outer]
            told = self._joined({fold: without[frozenset({outer, fold})] for fold in inner}, inner)
            setting = choose(self._matrix, np.concatenate([self._folds[fold] for fold in inner]), told, self._wish)
            parts.append((place, setting, self._joined({outer: self.ridge.without({outer})}, [outer])))
        return LeftOut.of(self._matrix, parts)

    def _joined(self, models: dict[int, Weights], folds: Sequence[int]) -> Predictions:
        """Return what each fold's model says of it, fold after fold in the order given; of all folds, row by row."""
        told = [models[fold].predict(self._rows[self._folds[fold]]) for fold in folds]
        together = np.concatenate(told, axis=1)
        if len(folds) == len(self._folds):
            together = together[:, np.argsort(np.concatenate(self._folds), kind="stable")]
        return Predictions.split(together, self.level, priced=self._matrix.priced)


def check(matrix: ResponseMatrix, wish: Wish) -> None:
    """See, before the work, whether a wish can be fulfilled.

    Raises:
        GateError: a setting is out of its range, or a price is wanted and the cost of an agent is not known.
    """
    if not 0 <= wish.price < float("inf") or (wish.keep is not None and not 0 <= wish.keep < 1):
        raise GateError(f"price is {wish.price}, keep {wish.keep}: they must be 0 or more, and 0 … 1.")
    if (wish.price or wish.keep is not None) and not matrix.priced:
        raise GateError(
            "A price or a share to keep is set, but the cost of some agents is not known. Give a cost for each, or "
            "leave the setting out."
        )


def _targets(matrix: ResponseMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is regressed, shape (questions, agents + 1 (+ agents)): edges, ease, costs; and the mean edges."""
    means = np.nanmean(matrix.success, axis=0)
    compared = matrix.asked & matrix.shared[:, None]
    sums = np.where(compared, matrix.edges, 0).sum(axis=0)
    level = np.where(compared.any(axis=0), sums / np.maximum(compared.sum(axis=0), 1), means)
    columns = [matrix.edges, matrix.ease[:, None]]
    if matrix.cost is not None and matrix.priced:
        columns.append(matrix.cost / matrix.unit)
    return np.hstack(columns), level


def _random_folds(texts: Sequence[str]) -> list[NDArray[np.intp]]:
    """Split questions at random; those with the same text stay together, whatever the order of the rows."""
    known = sorted(set(texts))
    shuffled = np.random.default_rng(0).permutation(len(known))
    fold_of = {text: int(shuffled[place]) % FOLDS for place, text in enumerate(known)}
    folds = np.array([fold_of[text] for text in texts])
    return [found for each in range(FOLDS) if len(found := np.flatnonzero(folds == each))]


def _group_folds(groups: Sequence[str]) -> list[NDArray[np.intp]]:
    """Put whole groups together into folds of about the same size; as many folds as groups, if there are few."""
    names, of_row, counts = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    sizes = np.zeros(min(FOLDS, len(names)), np.intp)
    fold_of = np.zeros(len(names), np.intp)
    for place in np.argsort(-counts, kind="stable"):
        fold_of[place] = smallest = int(sizes.argmin())
        sizes[smallest] += counts[place]
    folds = fold_of[of_row.ravel()]
    return [np.flatnonzero(folds == each) for each in range(len(sizes))]


def _gate(
    matrix: ResponseMatrix, features: ResponseFeatures, fitted: Weights, level: NDArray[np.float64], setting: Setting
) -> ResponseGate:
    """Fold the chosen regressions and their calibration into one head."""
    agents = len(matrix.agents)
    ease = slice(agents, agents + 1)
    weights, bias = fitted.weights[setting.ease, :, ease], fitted.bias[setting.ease, ease]
    if setting.edges is None:
        weights, bias = np.repeat(weights, agents, axis=1), bias + level
    else:
        weights = weights + fitted.weights[setting.edges, :, :agents]
        bias = bias + fitted.bias[setting.edges, :agents]
    weights, bias = weights * setting.slope, bias * setting.slope + setting.offset
    if matrix.priced:
        weights = np.hstack([weights, fitted.weights[setting.costs, :, agents + 1 :]])
        bias = np.hstack([bias, fitted.bias[setting.costs, agents + 1 :]])
    best = matrix.agents[int(np.argmax(level))]
    return ResponseGate(matrix.agents, features.head(weights, bias), setting.price, setting.slope, matrix.unit, best)

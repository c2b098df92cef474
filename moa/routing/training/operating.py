"""Which regression and which price do best on questions left out, and when to leave the best single agent alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.responses import probability
from moa.routing.training.frontier import PRICES, Point, best_single, cheapest_within, chosen, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moa.routing.training.matrix import ResponseMatrix

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Of the squared weights beside the sum of squared errors, to choose from."""
EVIDENCE = 1.0
"""Standard errors by which routing must beat the best single agent on questions left out, or it is not done."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the routing is for.

    Success less `price` times the cost; or, where `keep` is a number, the lowest cost at which the mean success stays
    within `keep` of the best single agent's.
    """

    price: float = 0.0
    keep: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What was chosen. Places are those in `PENALTIES`."""

    edges: int | None
    """Of the regressions of who is better; None: every agent's mean, so that the best single one is always chosen."""
    nearest: int
    """Of the regressions of who is better that are nearest to the truth, whether or not they are used."""
    ease: int
    """Of the regression of how easy a question is."""
    costs: int
    price: float
    slope: float
    offset: float
    """Of the calibration: a prediction times `slope`, plus `offset`, is the logit of success (Platt, 1999)."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What regressions say of questions that they were not fitted on, by penalty."""

    edges: NDArray[np.float64]
    """How far each agent is above the ease of the question, shape (penalties, questions, agents)."""
    ease: NDArray[np.float64]
    """Shape (penalties, questions)."""
    costs: NDArray[np.float64] | None
    """In units, shape (penalties, questions, agents)."""
    level: NDArray[np.float64]
    """The mean edge of every agent, shape (agents,)."""

    @classmethod
    def split(cls, together: NDArray[np.float64], level: NDArray[np.float64], *, priced: bool) -> Predictions:
        """Take apart predictions of shape (penalties, questions, targets)."""
        agents = len(level)
        costs = np.maximum(together[:, :, agents + 1 :], 0) if priced else None
        return cls(together[:, :, :agents], together[:, :, agents], costs, level)

    def edge(self, place: int | None) -> NDArray[np.float64]:
        """Return the edges by one penalty, or the mean ones, shape (questions, agents)."""
        if place is None:
            return np.broadcast_to(self.level, self.edges.shape[1:])
        return np.asarray(self.edges[place])

    def worth(self, setting: Setting, price: float | None = None) -> NDArray[np.float64]:
        """Return edges less price, by the setting's price or another one, shape (questions, agents)."""
        price = setting.price if price is None else price
        edge = self.edge(setting.edges)
        return edge if not price or self.costs is None else edge - price * self.costs[setting.costs]

    def success(self, setting: Setting) -> NDArray[np.float64]:
        """Return the calibrated success of every agent, shape (questions, agents)."""
        raw = self.edge(setting.edges) + self.ease[setting.ease][:, None]
        return probability(raw * setting.slope + setting.offset)


def choose(matrix: ResponseMatrix, rows: NDArray[np.intp], told: Predictions, wish: Wish) -> Setting:
    """Choose a setting by what it does on some questions.

    Args:
        matrix: who was right on what.
        rows: the places of the questions, whom nobody of the regressions had seen.
        told: what these say, a row for each of `rows`.
        wish: what is wanted.
    """
    success = matrix.success[rows]
    ease = _nearest(told.ease[:, :, None], matrix.ease[rows, None])
    costs = 0 if told.costs is None else _nearest(told.costs, _units(matrix)[rows])
    nearest = _nearest(told.edges, matrix.edges[rows])
    tried = (None, nearest) if wish.keep is None else (None, *range(len(PENALTIES)))
    settings = [
        _calibrated(told, success, Setting(place, nearest, ease, costs, wish.price, 1.0, 0.0)) for place in tried
    ]
    trial = _Trial(matrix, rows, told, np.flatnonzero(matrix.shared[rows]))
    return trial.clearly_better(*settings) if wish.keep is None else trial.cheapest(settings, wish.keep)


@dataclass(frozen=True, eq=False)
class _Trial:
    """What settings do on some questions."""

    matrix: ResponseMatrix
    rows: NDArray[np.intp]
    told: Predictions
    shared: NDArray[np.intp]
    """Places in `rows` of the questions that two agents or more answered."""

    def gained(self, setting: Setting, price: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return success and cost of the choice, shape (shared questions,) each."""
        rows = self.rows[self.shared]
        choice = chosen(self.told.worth(setting, price)[self.shared], self.matrix.asked[rows])
        costs = np.full(len(rows), np.nan) if self.told.costs is None else taken(_units(self.matrix)[rows], choice)
        return taken(self.matrix.success[rows], choice), costs

    def single(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return success and cost of the best single agent of each family, as these questions know it."""
        rows = self.rows[self.shared]
        known = np.zeros(len(self.matrix.texts), bool)
        known[rows] = True
        best = best_single(self.matrix.success, self.matrix.families, known)[rows]
        costs = np.full(len(rows), np.nan) if self.told.costs is None else taken(_units(self.matrix)[rows], best)
        return taken(self.matrix.success[rows], best), costs

    def clearly_better(self, plain: Setting, learned: Setting) -> Setting:
        """Return what was learned if it is clearly worth more than the plain setting, and the plain one if not."""
        worths = []
        for setting in (learned, plain):
            success, cost = self.gained(setting, setting.price)
            worths.append(success - setting.price * np.nan_to_num(cost))
        beyond = worths[0] - worths[1]
        clear = beyond.mean() > EVIDENCE * beyond.std() / np.sqrt(len(beyond))
        return learned if clear else plain

    def cheapest(self, settings: Sequence[Setting], keep: float) -> Setting:
        """Return the setting and price that cost least while success stays within `keep` of the best single agent's."""
        success, cost = self.single()
        trials = [(setting, price) for setting in settings for price in PRICES]
        points = [
            Point(float(one.mean()), float(other.mean())) for one, other in (self.gained(*each) for each in trials)
        ]
        place = cheapest_within(points, float(success.mean()) - keep)
        if place is None or points[place].cost >= cost.mean():
            return replace(settings[0], price=0.0)
        setting, price = trials[place]
        return replace(setting, price=price)


def _calibrated(told: Predictions, success: NDArray[np.float64], setting: Setting) -> Setting:
    """Fit the logistic function from predictions to successes, by Newton's method."""
    raw = told.edge(setting.edges) + told.ease[setting.ease][:, None]
    known = ~np.isnan(success)
    columns = np.column_stack([raw[known], np.ones(int(known.sum()))])
    wanted = success[known]
    found = np.array([4.0, -2.0])  # the straight line in the middle
    for _ in range(_STEPS):
        shares = probability(columns @ found)
        slope = columns.T @ (wanted - shares) - _STEADY * (found - [4.0, -2.0])
        bend = (columns * (shares * (1 - shares))[:, None]).T @ columns + _STEADY * np.eye(2)
        found = found + np.linalg.solve(bend, slope)
    return replace(setting, slope=max(float(found[0]), _LEAST), offset=float(found[1]))


_STEPS = 20
"""Of Newton's method, which needs about five."""
_STEADY = 1.0
"""A pull to the straight line, so that a few questions do not make the logistic function a step."""
_LEAST = 0.4
"""The slope of a calibration, at least: a lower one means that nothing was learned, and would hide every edge."""


def _nearest(told: NDArray[np.float64], truth: NDArray[np.float64]) -> int:
    """Return the place of the penalty with the smallest squared error, each column weighing the same."""
    spread = np.maximum(np.nanvar(truth, axis=0), 1e-12)
    errors = [float(np.nanmean((each - truth) ** 2 / spread)) for each in told]
    return int(np.argmin(errors))


def _units(matrix: ResponseMatrix) -> NDArray[np.float64]:
    """Return costs in units; 0 where nothing is known, which the callers never price."""
    return np.zeros_like(matrix.success) if matrix.cost is None else matrix.cost / matrix.unit

"""What a gate of responses can do, measured on questions that neither it nor its settings had seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.training.frontier import PRICES, Point, area, best_single, chosen, interval, taken
from moa.routing.training.report import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.training.matrix import ResponseMatrix
    from moa.routing.training.operating import Predictions, Setting


@dataclass(frozen=True, slots=True)
class Compared:
    """Routing beside its alternatives, over some questions. Each is a mean success, 0 … 1."""

    questions: int
    agents: int
    """How many of them were asked these questions."""
    routing: float
    best_single: float
    random: float
    oracle: float
    difference: float
    """Routing less the best single agent, question by question."""
    interval: tuple[float, float]
    """95 %, of the difference, by bootstrap."""
    gap_share: float | None
    """The difference as a share of what the oracle is above the best single agent; None if that is nothing."""
    cost_share: float | None
    """What routing costs, as a share of the best single agent's cost; None if costs are not known."""


@dataclass(frozen=True, slots=True)
class ResponseFigures:
    """Held-out figures of a gate of responses."""

    all: Compared
    families: tuple[tuple[str, Compared], ...]
    """By the best single agent of each set of agents that were asked together; empty if there is one set."""
    curve_area: float | None
    """Mean success along the convex hull of success over cost, between the cheapest agent and the best single one."""
    calibration_error: float
    """Expected calibration error of the predicted success, over 15 bins: of every agent that was asked."""
    calibration_error_chosen: float
    """The same of the chosen agents alone."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What was chosen and predicted for every question, by regressions and settings that had not seen it."""

    choice: NDArray[np.intp]
    """Shape (questions,)."""
    predicted: NDArray[np.float64]
    """Calibrated success, shape (questions, agents)."""
    choices_by_price: NDArray[np.intp] | None
    """What the edges would choose at each of `PRICES`, shape (prices, questions); None if costs are not known."""

    @classmethod
    def of(cls, matrix: ResponseMatrix, parts: Sequence[tuple[NDArray[np.intp], Setting, Predictions]]) -> LeftOut:
        """Put together parts: the places of questions, the setting for them, and the predictions of them."""
        count = len(matrix.texts)
        choice = np.zeros(count, np.intp)
        predicted = np.zeros(matrix.success.shape)
        by_price = np.zeros((len(PRICES), count), np.intp) if matrix.priced else None
        for rows, setting, told in parts:
            asked = matrix.asked[rows]
            choice[rows] = chosen(told.worth(setting), asked)
            predicted[rows] = told.success(setting)
            if by_price is not None:
                learned = replace(setting, edges=setting.nearest)
                by_price[:, rows] = [chosen(told.worth(learned, price), asked) for price in PRICES]
        return cls(choice, predicted, by_price)


def response_figures(matrix: ResponseMatrix, left_out: LeftOut) -> ResponseFigures:
    """Measure what was chosen, over the questions that two agents or more answered."""
    best = best_single(matrix.success, matrix.families)
    shared = np.flatnonzero(matrix.shared)
    families: list[tuple[str, Compared]] = []
    if len(matrix.families) > 1:
        families = [
            (matrix.agents[best[rows[0]]], _compared(matrix, rows, left_out.choice, best)) for rows in matrix.families
        ]
    known = matrix.asked
    sure = taken(left_out.predicted, left_out.choice)[shared]
    right = taken(matrix.success, left_out.choice)[shared]
    return ResponseFigures(
        _compared(matrix, shared, left_out.choice, best),
        tuple(families),
        _area(matrix, left_out, shared, best),
        _calibration_error(left_out.predicted[known], matrix.success[known]),
        _calibration_error(sure, right),
    )


def _compared(
    matrix: ResponseMatrix, rows: NDArray[np.intp], choice: NDArray[np.intp], best: NDArray[np.intp]
) -> Compared:
    success = matrix.success[rows]
    routing, single = taken(success, choice[rows]), taken(success, best[rows])
    oracle = float(np.nanmax(success, axis=1).mean())
    difference = float((routing - single).mean())
    gap = oracle - float(single.mean())
    share = None
    if matrix.cost is not None and matrix.priced:
        costs = matrix.cost[rows]
        share = float(np.nanmean(taken(costs, choice[rows])) / np.nanmean(taken(costs, best[rows])))
    return Compared(
        len(rows),
        int(matrix.asked[rows].any(axis=0).sum()),
        float(routing.mean()),
        float(single.mean()),
        float(np.nanmean(success, axis=1).mean()),
        oracle,
        difference,
        interval(routing - single),
        difference / gap if gap > 0 else None,
        share,
    )


def _area(matrix: ResponseMatrix, left_out: LeftOut, rows: NDArray[np.intp], best: NDArray[np.intp]) -> float | None:
    if left_out.choices_by_price is None or matrix.cost is None:
        return None
    success, costs = matrix.success[rows], matrix.cost[rows]
    points = [
        Point(float(taken(success, choice[rows]).mean()), float(np.nanmean(taken(costs, choice[rows]))))
        for choice in left_out.choices_by_price
    ]
    dearest = float(np.nanmean(taken(costs, best[rows])))
    cheapest = float(np.nanmean(np.nanmin(np.where(np.isnan(success), np.nan, costs), axis=1)))
    return area(points, cheapest, dearest)


def _calibration_error(sure: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the mean over bins of |how sure − how often right|, by their sizes (as `report.calibration_error`)."""
    places = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    off = np.bincount(places, weights=sure - right, minlength=BINS)
    return float(np.abs(off).sum() / len(sure))

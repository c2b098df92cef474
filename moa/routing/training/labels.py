"""Training a gate on labelled questions: one procedure for any data, its choices made on questions left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.routing.learned.calibration import Calibration
from moa.routing.monotone import METHODS, Method
from moa.routing.training.calibrating import Tried, choose, fit_calibration, tried
from moa.routing.training.features import PIVOTS
from moa.routing.training.folds import named_groups, pseudo_groups, random_folds
from moa.routing.training.heads import Heads, Scores
from moa.routing.training.report import Figures, confusions, figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.learned.head import Head
    from moa.routing.training.heads import Groups
    from moa.routing.training.questions import Questions

FOLDS = 5
SHARES = (1.0, 0.65, 0.5, 0.35, 0.0)
"""Of the ridge beside the softmax, to choose from."""
TIE = 0.0015
"""Shares whose accuracy is so near to the best are chosen from by how much less they are surprised."""
STRANGERS = 0.02
"""Share of questions out of scope that is expected where training saw none."""
EXPECTED = 0.15
"""The same where training saw some: those who collect questions find fewer than their users will ask."""
NEARNESS = 5.0
"""How much a score rises with the nearness, where questions out of scope are told by it: a spread of the scores for a
cosine of 0.2."""
_HEAVY = 5e8
"""Questions × labels × columns from which fewer folds must do, for the time a softmax takes."""
_NEVER = -50.0
"""The score of a label that a head does not know; those that it knows score about −1 … 1."""
_MANY = 10
"""Labels from which some of them, left out, are like questions out of scope; of few, one label is most of the scope."""
_BARS = (0.05, 0.95)
"""A threshold that is fitted is no lower and no higher."""
_FEW = 10
"""Questions out of scope, at least, to choose a threshold by."""
_SETS = 12
"""Sets of groups that are left out one after another, at most."""

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Learned:
    """What training on labelled questions gives."""

    head: Head
    calibration: Calibration
    method: Method
    """How it is calibrated, chosen by the held-out log loss."""
    tried: dict[Method, Tried]
    """What each method gave on questions that it was not fitted to."""
    left_out: NDArray[np.float64]
    """Probabilities of the questions, shape (questions, labels), by heads and a calibration that had not seen them;
    NaN in the rows of questions that were never left out."""
    share: float
    """Of the ridge in the head."""
    known: Figures
    """On questions that are like those of the training."""
    unseen: Figures | None
    """On groups of questions that were left out as a whole; None if there are no groups."""
    grouped: str
    """How the groups were found: the user's `field`, `clusters` inside the labels, or `none`."""
    confusions: NDArray[np.intp]
    """Of questions like those of the training: right labels, then out of scope, by chosen labels."""
    pivots: NDArray[np.intp]
    """The questions that the head compares with, label by label; those beyond the user's own are built in."""
    threshold: float | None
    """The probability that tells questions out of scope best; None if training saw none."""
    seconds: float


@dataclass(frozen=True, eq=False)
class Beside:
    """What is learned from beside the user's own questions: built-in ones of well-known fields."""

    vectors: NDArray[np.float32]
    texts: tuple[str, ...]
    codes: NDArray[np.intp]
    counts: NDArray[np.float32]
    """What each counts, beside 1 for a question of the user."""


def learn(
    questions: Questions, vectors: NDArray[np.float32], beside: Beside, say: Say, method: Method | None = None
) -> Learned:
    """Fit, choose and calibrate.

    Both heads are fitted without each fold of the questions, and without each group, and their scores on what was left
    out decide everything else: the share of either head, and the calibration. Then they are fitted on all.

    Args:
        questions: what to learn.
        vectors: of the questions, unit vectors, shape (questions, dimension).
        beside: what else to learn from; may hold nothing.
        say: told of each step.
        method: how to calibrate; by default the one that does best on questions left out.
    """
    started = perf_counter()
    codes, labels = questions.codes, len(questions.labels)
    say(f"learning {labels} labels from {len(codes)} questions")
    heads, pivots = _heads(questions, vectors, beside)
    left = _left_out(heads, questions, vectors, say)
    share = _best_share(left.seen, left.spread)
    mixed = _Mixed.of(left, share)
    candidates = {
        each: _cross_fitted(mixed.scores, partial(mixed.calibration, method=each))
        for each in ((method,) if method else METHODS)
    }
    found = {each: tried(rows, codes) for each, rows in candidates.items()}
    method = choose(found)
    probabilities = candidates[method]
    calibration = mixed.calibration([_measured(scores) for scores in mixed.scores], method)
    say("fitting on all questions")
    head = heads.fit(share, left.spread, left.near)
    there = [_measured(rows) for rows in probabilities]
    measured = [figures(rows[part], codes[part]) for rows, part in zip(probabilities, there, strict=True)]
    return Learned(
        head,
        calibration,
        method,
        found,
        probabilities[0],
        share,
        measured[0],
        measured[1] if len(measured) > 1 else None,
        left.grouped,
        confusions(probabilities[0].argmax(axis=1), codes, labels),
        pivots,
        _threshold(probabilities[0].max(axis=1), codes >= 0),
        perf_counter() - started,
    )


def _heads(questions: Questions, vectors: NDArray[np.float32], beside: Beside) -> tuple[Heads, NDArray[np.intp]]:
    """Return what fits both heads, and the questions that they compare with."""
    codes = np.concatenate([questions.codes, beside.codes])
    pivots = _pivots(codes, len(beside.texts))
    heads = Heads(
        np.vstack([vectors, beside.vectors]),
        (*questions.texts, *beside.texts),
        codes,
        len(questions.labels),
        counts=np.concatenate([np.ones(len(questions.texts), np.float32), beside.counts]),
        pivots=pivots,
    )
    return heads, pivots


@dataclass(frozen=True, eq=False)
class _LeftOut:
    """What both heads gave to questions that they had not seen."""

    codes: NDArray[np.intp]
    known: Scores
    """Questions that are like those of the training."""
    unseen: Scores | None
    """Groups of questions that were left out as a whole; None if there are no groups."""
    strangers: Scores | None
    """Questions whose label was left out; None where others are out of scope, or labels are few."""
    grouped: str
    """How the groups were found."""

    @property
    def seen(self) -> list[tuple[Scores, NDArray[np.intp]]]:
        """The scores of questions whose label was learned, with the labels."""
        return [(scores, self.codes) for scores in (self.known, self.unseen) if scores is not None]

    @cached_property
    def spread(self) -> tuple[float, float]:
        """How far the scores of either head lie apart: their standard deviations."""
        return float(self.known.ridge.std()), float(self.known.softmax.std())

    @property
    def near(self) -> float:
        """What nearness adds to a score: nothing where there is nobody to tell apart by it."""
        return NEARNESS if self.strangers is not None or (self.codes < 0).any() else 0.0


def _left_out(heads: Heads, questions: Questions, vectors: NDArray[np.float32], say: Say) -> _LeftOut:
    """Fit both heads again and again, each time without some questions, and score these."""
    codes, labels = questions.codes, len(questions.labels)
    trial = _Trial(heads, codes, say)
    heavy = len(codes) * labels * 1000 > _HEAVY
    known = trial.scores(random_folds(codes, 3 if heavy else FOLDS), "of questions")
    groups, grouped = _groups(questions, vectors)
    unseen = trial.scores(_at_most(groups, codes, _SETS), "of groups") if groups else None
    strangers = trial.strangers(labels) if labels >= _MANY and not (codes < 0).any() else None
    return _LeftOut(codes, known, unseen, strangers, grouped)


@dataclass(frozen=True, eq=False)
class _Mixed:
    """The scores of both heads as one, by which calibrations are fitted."""

    scores: list[NDArray[np.float32]]
    """Of questions like those of the training, then of groups that were left out if there are any."""
    codes: NDArray[np.intp]
    outside: NDArray[np.float32] | None
    """Of questions whose label was left out."""

    @classmethod
    def of(cls, left: _LeftOut, share: float) -> _Mixed:
        """Mix with a share of the ridge."""
        outside = None if left.strangers is None else left.strangers.mixed(share, left.spread, left.near)
        return cls([scores.mixed(share, left.spread, left.near) for scores, _ in left.seen], left.codes, outside)

    def calibration(self, rows: list[NDArray[np.bool_]], method: Method) -> Calibration:
        """Fit a calibration on some of the questions.

        Args:
            rows: which, for each of the scores, shape (questions,).
            method: how to calibrate.
        """
        twice = [0, *range(len(self.scores))]  # most questions will be like those that were learned from
        chosen = np.vstack([self.scores[place][rows[place]] for place in twice])
        right = np.concatenate([self.codes[rows[place]] for place in twice])
        if self.outside is not None:
            return fit_calibration(chosen, right, self.outside, expected=STRANGERS, method=method)
        inside = right >= 0
        expected = max(EXPECTED, float((~inside).mean()))
        return fit_calibration(chosen[inside], right[inside], chosen[~inside], expected=expected, method=method)


class _Trial:
    """Scores of questions that were left out."""

    def __init__(self, heads: Heads, codes: NDArray[np.intp], say: Say) -> None:
        self._heads, self._codes, self._say = heads, codes, say

    def scores(self, groups: Groups, what: str) -> Scores:
        left = iter(range(1, len(groups) + 1))
        count = len(self._codes)
        scores = self._heads.left_out(groups, lambda: self._say(f"left out {what}: {next(left)} of {len(groups)}"))
        return Scores(scores.ridge[:count], scores.softmax[:count], scores.nearness[:count])

    def strangers(self, labels: int) -> Scores:
        """Return the scores of questions whose label was not learned, by heads that know the other labels."""
        folds = [np.flatnonzero(self._codes % 3 == part) for part in range(3)]
        scores = self.scores(folds, "of labels")
        for place, group in enumerate(folds):
            unknown = np.arange(labels) % 3 == place
            for head in (scores.ridge, scores.softmax):
                head[np.ix_(group, unknown)] = _NEVER
        return scores


def _best_share(seen: list[tuple[Scores, NDArray[np.intp]]], spread: tuple[float, float]) -> float:
    """Return the share of the ridge by which most questions that were left out are given to the right label."""
    found = []
    for share in SHARES:
        right, surprise = [], []
        for scores, codes in seen:
            mixed = scores.mixed(share, spread)
            rows = _measured(mixed) & (codes >= 0)
            known, of = mixed[rows], codes[rows]
            right.append(float((known.argmax(axis=1) == of).mean()))
            shares, _ = fit_calibration(known, of).shares(known)
            surprise.append(-float(np.log(shares[np.arange(len(of)), of] + 1e-12).mean()))
        found.append((float(np.mean(right)), float(np.mean(surprise)), share))
    best = max(right for right, _, _ in found)
    return min((surprise, share) for right, surprise, share in found if right >= best - TIE)[1]


def _cross_fitted(
    mixed: list[NDArray[np.float32]], calibrated: Callable[[list[NDArray[np.bool_]]], Calibration]
) -> list[NDArray[np.float64]]:
    """Return probabilities of each half of the questions by a calibration that was fitted on the other half."""
    probabilities = [np.full(scores.shape, np.nan) for scores in mixed]
    half = np.random.default_rng(0).permutation(len(mixed[0])) % 2 == 0
    for part in (half, ~half):
        fitted = calibrated([_measured(scores) & ~part for scores in mixed])
        for scores, rows in zip(mixed, probabilities, strict=True):
            rows[part] = fitted.probabilities(scores[part])
    return probabilities


def _measured(rows: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return which questions were left out once, and so have scores."""
    measured: NDArray[np.bool_] = np.isfinite(rows).all(axis=1)
    return measured


def _groups(questions: Questions, vectors: NDArray[np.float32]) -> tuple[Groups, str]:
    codes = questions.codes
    if questions.groups is not None:
        named = named_groups(questions.groups)
        inside = [group for group in (group[codes[group] >= 0] for group in named) if len(group)]
        if len(inside) > len(questions.labels):
            return inside, "field"
    found = pseudo_groups(vectors, codes)
    return found, "clusters" if found else "none"


def _at_most(groups: Groups, codes: NDArray[np.intp], count: int) -> Groups:
    """Put groups together into `count` sets or fewer, those of one label into different ones where there is room."""
    if len(groups) <= count:
        return groups
    by_label = sorted(groups, key=lambda group: (int(codes[group[0]]), -len(group)))
    return [np.sort(np.concatenate(by_label[start::count])) for start in range(count)]


def _pivots(codes: NDArray[np.intp], beside: int) -> NDArray[np.intp]:
    """Choose the questions that the ridge learns from: those beside, and the same share of every label of the rest."""
    count, room = len(codes) - beside, max(PIVOTS - beside, PIVOTS // 2)
    own = np.arange(count)
    if count > room:
        shuffled = np.random.default_rng(0).permutation(count)
        by_label = shuffled[np.argsort(codes[shuffled], kind="stable")]
        own = by_label[np.linspace(0, count - 1, room).astype(np.intp)]
    chosen = np.concatenate([own, np.arange(count, len(codes))])
    last = codes.max() + 1
    return chosen[np.argsort(np.where(codes[chosen] < 0, last, codes[chosen]), kind="stable")]


def _threshold(top: NDArray[np.float64], inside: NDArray[np.bool_]) -> float | None:
    """Return the bar that the highest probability clears most often in scope, and least often out of scope."""
    if inside.sum() < _FEW or (~inside).sum() < _FEW:
        return None
    seen = np.unique(top)
    bars = (seen[1:] + seen[:-1]) / 2 if len(seen) > 1 else seen
    kept = np.searchsorted(np.sort(top[inside]), bars) / inside.sum()
    refused = np.searchsorted(np.sort(top[~inside]), bars) / (~inside).sum()
    return float(np.clip(bars[np.argmax(refused - kept)], *_BARS))

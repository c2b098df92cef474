"""Training a gate on labelled questions: one procedure for any data, its choices made on questions left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.calibration import Calibration
from moa.routing.training.calibrating import fit_calibration
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
"""How many questions out of scope are expected for one in scope, where training saw none."""
_HEAVY = 5e8
"""Questions × labels × columns from which fewer folds must do, for the time a softmax takes."""
_NEVER = -50.0
"""The score of a label that a head does not know; those that it knows score about −1 … 1."""
_SETS = 12
"""Sets of groups that are left out one after another, at most."""

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Learned:
    """What training on labelled questions gives."""

    head: Head
    calibration: Calibration
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
    built_in: int
    """How many built-in questions were learned from too."""
    seconds: float


@dataclass(frozen=True, eq=False)
class BuiltIn:
    """Built-in questions of well-known fields, as vectors, texts and labels."""

    vectors: NDArray[np.float32]
    texts: tuple[str, ...]
    codes: NDArray[np.intp]


def learn(questions: Questions, vectors: NDArray[np.float32], built_in: BuiltIn, say: Say) -> Learned:
    """Fit, choose and calibrate.

    Both heads are fitted without each fold of the questions, and without each group, and their scores on what was left
    out decide everything else: the share of either head, and the calibration. Then they are fitted on all.

    Args:
        questions: what to learn.
        vectors: of the questions, unit vectors, shape (questions, dimension).
        built_in: what is known of the labels besides; may hold nothing.
        say: told of each step.
    """
    started = perf_counter()
    count, labels, codes = len(questions.texts), len(questions.labels), questions.codes
    say(f"learning {labels} labels from {count} questions")
    heads = Heads(
        np.vstack([vectors, built_in.vectors]),
        (*questions.texts, *built_in.texts),
        np.concatenate([codes, built_in.codes]),
        labels,
        built_in=len(built_in.texts),
        pivots=_pivots(codes, len(built_in.texts)),
    )
    trial = _Trial(heads, count, codes, say)
    heavy = count * labels * 1000 > _HEAVY
    known = trial.scores(random_folds(codes, 3 if heavy else FOLDS), "of questions")
    groups, grouped = _groups(questions, vectors)
    unseen = trial.scores(_at_most(groups, codes, _SETS), "of groups") if groups else None
    strangers = None
    if labels > 2 and not (codes < 0).any():  # noqa: PLR2004
        strangers = trial.strangers(labels)

    spread = (float(known.ridge.std()), float(known.softmax.std()))
    seen = [(known, codes)] if unseen is None else [(known, codes), (unseen, codes)]
    share = _best_share(seen, spread)
    mixed = [scores.mixed(share, spread) for scores, _ in seen]
    outside = None if strangers is None else strangers.mixed(share, spread)
    weight = 0.0 if outside is None else STRANGERS * count / len(outside)

    def calibrated(rows: list[NDArray[np.bool_]]) -> Calibration:
        chosen = [np.vstack([scores[part] for scores, part in zip(mixed, rows, strict=True)])]
        right = np.concatenate([codes[part] for part in rows])
        return fit_calibration(chosen[0], right, outside=outside, outside_weight=weight * len(rows))

    probabilities = _cross_fitted(mixed, calibrated)
    calibration = calibrated([np.isfinite(scores).all(axis=1) for scores in mixed])
    say("fitting on all questions")
    head = heads.fit(share, spread)
    there = [np.isfinite(rows).all(axis=1) for rows in probabilities]
    measured = [figures(rows[part], codes[part]) for rows, part in zip(probabilities, there, strict=True)]
    table = confusions(probabilities[0].argmax(axis=1), codes, labels)
    return Learned(
        head,
        calibration,
        share,
        measured[0],
        measured[1] if len(measured) > 1 else None,
        grouped,
        table,
        len(built_in.texts),
        perf_counter() - started,
    )


class _Trial:
    """Scores of questions that were left out."""

    def __init__(self, heads: Heads, count: int, codes: NDArray[np.intp], say: Say) -> None:
        self._heads, self._count, self._codes, self._say = heads, count, codes, say

    def scores(self, groups: Groups, what: str) -> Scores:
        left = iter(range(1, len(groups) + 1))
        scores = self._heads.left_out(groups, lambda: self._say(f"left out {what}: {next(left)} of {len(groups)}"))
        return Scores(scores.ridge[: self._count], scores.softmax[: self._count])

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
            rows = np.isfinite(mixed).all(axis=1) & (codes >= 0)
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
        fitted = calibrated([np.isfinite(scores).all(axis=1) & ~part for scores in mixed])
        for scores, rows in zip(mixed, probabilities, strict=True):
            rows[part] = fitted.probabilities(scores[part])
    return probabilities


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


def _pivots(codes: NDArray[np.intp], built_in: int) -> NDArray[np.intp]:
    """Choose the questions that the ridge learns from: the built-in ones, and the same share of every label."""
    count, room = len(codes), max(PIVOTS - built_in, PIVOTS // 2)
    own = np.arange(count)
    if count > room:
        shuffled = np.random.default_rng(0).permutation(count)
        by_label = shuffled[np.argsort(codes[shuffled], kind="stable")]
        own = np.sort(by_label[np.linspace(0, count - 1, room).astype(np.intp)])
    return np.concatenate([own, np.arange(count, count + built_in)])

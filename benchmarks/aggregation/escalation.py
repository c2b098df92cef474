"""An escalation whose bars were tuned on one half of the questions, on the other half; and the other way round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.aggregation.drafts import MODELS, Wanted
from benchmarks.aggregation.local import NOT_BELOW, Local, Measured, work_of
from benchmarks.aggregation.replaying import CHEAP, LARGE
from benchmarks.aggregation.sets import Question
from benchmarks.aggregation.systems import SINGLES
from benchmarks.aggregation.tuning import Pair, tuned
from benchmarks.routing.bench import say
from benchmarks.routing.bootstrap import means
from benchmarks.routing.tables import Bar, Table, table_of, table_of_means
from moa.aggregation import Escalate

SECTION = "escalation"
WHO = "Escalate, bars by field"
LEAST = Bar(0.7, below=True)
LEAST_OF_ALL = Bar(0.3, below=True)
AGENTS = 5
"""Agents of the starter mixture; each is taken to write as much as the large model does alone."""


async def tables(local: Local) -> list[Table]:
    """Measure it on all sets together and on each."""
    questions = [each for some in local.questions.values() for each in some]
    pairs = {each.id: await _pair(each, local) for each in questions}
    halves = (questions[::2], questions[1::2])
    if not all(halves):
        return []
    outcomes, told = {}, []
    for number, (learned, asked) in enumerate((halves, halves[::-1]), 1):
        bars = tuned([pairs[each.id] for each in learned])
        told.append(", ".join(f"{name} {bar:.2f}" for name, bar in bars.items()))
        say(f"{SECTION}: bars of half {number}: {told[-1]}")
        for each in asked:
            outcomes[each.id] = await local.outcome(each, Escalate(CHEAP, confident=bars), LARGE)
    ours = await Measured.found(questions, [outcomes[each.id] for each in questions], local)
    large = await Measured.of(SINGLES[1], questions, local)
    groups = {"all sets": np.ones(len(questions), bool)}
    groups |= {name: np.array([each.set == name for each in questions]) for name in local.questions}
    return [*_right(ours, large, groups), *_work(ours, large, groups, list(pairs.values()), told)]


def _right(ours: Measured, large: Measured, groups: dict[str, NDArray[np.bool_]]) -> list[Table]:
    found = []
    for name, among in groups.items():
        ahead = {WHO: ours.right[among] - large.right[among]}
        title = f"{name}: right answers, less 1.5B alone ({large.right[among].mean():.2f}, {among.sum()} questions)"
        note = {WHO: f"{ours.right[among].mean():.2f} right"}
        found.append(table_of_means(SECTION, title, ahead, [WHO], notes=note, bar=NOT_BELOW, held=(WHO,)))
    return found


def _work(
    ours: Measured,
    large: Measured,
    groups: dict[str, NDArray[np.bool_]],
    pairs: Sequence[Pair],
    bars: Sequence[str],
) -> list[Table]:
    plain, resampled = {}, {}
    for name, among in groups.items():
        plain[name], resampled[name] = _ratio(ours.work[among], large.work[among])
        found = (pair for pair, one in zip(pairs, among, strict=True) if one)
        bound = f"{name}, if one knew beforehand"
        plain[bound], resampled[bound] = _ratio(np.array([least(pair) for pair in found]), large.work[among])
    notes = {"all sets": f"bars: {'; '.join(bars)}"}
    title = "tokens × size, in those of 1.5B alone"
    beside = table_of(
        SECTION, title, plain, resampled, list(plain), notes=notes, bar=LEAST, held=("all sets",), falls=True
    )
    value, again = _ratio(ours.work, np.array([pair.small_work + AGENTS * pair.large_work for pair in pairs]))
    title = "tokens × size, in those of asking every agent of the starter mixture and the small model"
    of_all = table_of(SECTION, title, {WHO: value}, {WHO: again}, [WHO], bar=LEAST_OF_ALL, held=(WHO,), falls=True)
    return [beside, of_all]


def _ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the ratio of two sums, and its resamples."""
    drawn = means(np.column_stack([one, other]))
    return float(one.sum() / other.sum()), drawn[:, 0] / drawn[:, 1]


def least(pair: Pair) -> float:
    """Return the work of whoever should have been asked: the large model only where it is right and the small is not.

    No escalation can do with less and answer as many right.
    """
    return pair.large_work if pair.large and not pair.small else min(pair.small_work, pair.large_work)


async def _pair(question: Question, local: Local) -> Pair:
    small, large = (local.drafts[Wanted(question, model, 0).key] for model in MODELS)
    return Pair(
        local.field(question),
        small.confidence,
        await local.scorer.right(question, small.text),
        await local.scorer.right(question, large.text),
        *work_of(question, local.drafts),
    )

"""An escalation whose routes were tuned on one half of the questions, on the other half; and the other way round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.aggregation.drafts import LARGE, PROGRAM, Wanted
from benchmarks.aggregation.local import NOT_BELOW, Local, Measured
from benchmarks.aggregation.replaying import CHEAP, SIZES, SPECIALISTS, computed
from benchmarks.aggregation.sets import Question
from benchmarks.aggregation.systems import SINGLES
from benchmarks.aggregation.tuning import Route, Trial, Try, tuned
from benchmarks.routing.bench import say
from benchmarks.routing.bootstrap import means
from benchmarks.routing.tables import Bar, Table, table_of, table_of_means
from moa.aggregation import Aggregator, Auto, Escalate
from moa.aggregation.policy_file import AggregationPolicy
from moa.errors import BackendError

SECTION = "escalation"
WHO = "Escalate, routes by field"
LEAST = Bar(0.7, below=True)
LEAST_OF_ALL = Bar(0.3, below=True)
AGENTS = 5
"""Agents of the starter mixture; each is taken to write as much as the large model does alone."""


async def tables(local: Local) -> list[Table]:
    """Measure it on all sets together and on each."""
    questions = [each for some in local.questions.values() for each in local.styled(some)]
    trials = {each.id: await _trial(each, local) for each in questions}
    halves = (questions[::2], questions[1::2])
    if not all(halves):
        return []
    outcomes, told = {}, []
    for number, (learned, asked) in enumerate((halves, halves[::-1]), 1):
        routes = tuned([trials[each.id] for each in learned])
        told.append(", ".join(f"{name}: {route}" for name, route in routes.items()))
        say(f"{SECTION}: routes of half {number}: {told[-1]}")
        policy = Auto(AggregationPolicy({name: _escalation(route) for name, route in routes.items()}))
        for each in asked:
            outcomes[each.id] = await local.outcome(each, policy, LARGE)
    ours = await Measured.found(questions, [outcomes[each.id] for each in questions], local)
    large = await Measured.of(SINGLES[1], questions, local)
    groups = {"all sets": np.ones(len(questions), bool)}
    groups |= {name: np.array([each.set == name for each in questions]) for name in local.questions}
    return [*_right(ours, large, groups), *_work(ours, large, groups, list(trials.values()), told)]


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
    trials: Sequence[Trial],
    routes: Sequence[str],
) -> list[Table]:
    plain, resampled = {}, {}
    for name, among in groups.items():
        plain[name], resampled[name] = _ratio(ours.work[among], large.work[among])
        found = (trial for trial, one in zip(trials, among, strict=True) if one)
        bound = f"{name}, if one knew beforehand"
        plain[bound], resampled[bound] = _ratio(np.array([trial.least for trial in found]), large.work[among])
    notes = {"all sets": f"routes: {'; '.join(routes)}"}
    title = "tokens × size, in those of 1.5B alone"
    beside = table_of(
        SECTION, title, plain, resampled, list(plain), notes=notes, bar=LEAST, held=("all sets",), falls=True
    )
    value, again = _ratio(ours.work, np.array([each.others[CHEAP].work + AGENTS * each.large.work for each in trials]))
    title = "tokens × size, in those of asking every agent of the starter mixture and the small model"
    of_all = table_of(SECTION, title, {WHO: value}, {WHO: again}, [WHO], bar=LEAST_OF_ALL, held=(WHO,), falls=True)
    return [beside, of_all]


def _ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the ratio of two sums, and its resamples."""
    drawn = means(np.column_stack([one, other]))
    return float(one.sum() / other.sum()), drawn[:, 0] / drawn[:, 1]


def _escalation(route: Route) -> Aggregator:
    return Escalate(route.first or CHEAP, confident=route.bar)


async def _trial(question: Question, local: Local) -> Trial:
    large = await _try(question, LARGE, "", local)
    others = {name: await _try(question, model, style, local) for name, (model, style) in SPECIALISTS.items()}
    return Trial(local.field(question), large, others)


async def _try(question: Question, model: str, style: str, local: Local) -> Try:
    draft = local.drafts[Wanted(question, model, style=style).key]
    work = SIZES[model] * draft.output_tokens
    try:
        text = await computed(draft.text) if style == PROGRAM else draft.text
    except BackendError:
        return Try(right=False, work=work, failed=True)
    return Try(await local.scorer.right(question, text), work, draft.confidence)

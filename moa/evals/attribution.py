"""Where a mixture lost an answer, and where it won one: routing, drafts or aggregation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from moa.evals.baselines import BEST
from moa.evals.folder import StoredSample
from moa.evals.outcomes import Outcomes
from moa.evals.record import Record

Cause = Literal["routing", "drafts", "aggregation", "error", "right"]
"""Of a wrong answer: an agent that was not asked would have had it; nobody had it; a draft had it and the aggregator
lost it; there is no answer. `right` if it is not wrong."""
Gain = Literal["routing", "aggregation", ""]
"""Of a right answer where the best single agent is wrong: another agent was asked and had it; the aggregator made it
of drafts none of which had it, or chose the right one of several. Empty if there is none."""
_RIGHT = 0.5
"""A score from here on counts as right; graded scores are cut there."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """What came of one answer of a mixture, and why."""

    sample: StoredSample
    epoch: int
    cause: Cause
    gain: Gain = ""
    asked: tuple[str, ...] = ()
    """The agents that drafted."""
    could: tuple[str, ...] = ()
    """The agents that had it, alone or as a draft."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """All answers of a mixture, attributed."""

    system: str
    answers: Sequence[Attributed]
    complete: bool
    """Whether every agent was run alone. If not, what an agent that was not asked would have said is not known, and
    such losses count as those of drafts."""

    def losses(self) -> dict[str, int]:
        """Return how many answers were lost where."""
        counted = Counter(each.cause for each in self.answers)
        return {cause: counted[cause] for cause in ("routing", "drafts", "aggregation", "error")}

    def gains(self) -> dict[str, int]:
        """Return how many answers were won where, over the best single agent."""
        counted = Counter(each.gain for each in self.answers)
        return {gain: counted[gain] for gain in ("routing", "aggregation")}


def attributed(outcomes: Outcomes, system: str, agents: Sequence[str] = ()) -> Attribution:
    """Return where a mixture won and lost.

    Args:
        outcomes: with the derived baselines, so that gains over the best single agent can be told.
        system: the mixture.
        agents: the names of its agents; empty takes those that were run alone.
    """
    alone = [each.system for each in outcomes.of_kind("agent")]
    best = outcomes.systems.get(BEST)
    answers = []
    for place, sample in enumerate(outcomes.samples):
        for record in outcomes.records.get((system, (sample.suite, sample.id)), ()):
            wrong_alone = best is not None and best.strict[place] < _RIGHT
            answers.append(_attributed(outcomes, sample, record, alone, best_is_wrong=wrong_alone))
    return Attribution(system, answers, bool(alone) and set(agents) <= set(alone))


def _attributed(
    outcomes: Outcomes, sample: StoredSample, record: Record, alone: Sequence[str], *, best_is_wrong: bool
) -> Attributed:
    by_draft = {str(draft["id"]): str(draft["agent"]) for draft in record.drafts}
    asked = tuple(dict.fromkeys(by_draft.values()))
    had = {by_draft.get(draft, draft) for draft, value in record.draft_scores.items() if (value or 0) >= _RIGHT}
    able = {name for name in alone if _is_right(outcomes, name, sample, record.epoch)}
    could = tuple(sorted(had | able))
    if record.value is not None and record.value >= _RIGHT:
        gain: Gain = ""
        if best_is_wrong:
            gain = "routing" if len(record.draft_scores) < 2 and had else "aggregation"  # noqa: PLR2004
        return Attributed(sample, record.epoch, "right", gain, asked, could)
    cause: Cause = "drafts"
    if record.error is not None or record.value is None:
        cause = "error"
    elif had:
        cause = "aggregation"
    elif able - set(asked):
        cause = "routing"
    return Attributed(sample, record.epoch, cause, "", asked, could)


def _is_right(outcomes: Outcomes, system: str, sample: StoredSample, epoch: int) -> bool:
    records = outcomes.records.get((system, (sample.suite, sample.id)), ())
    return any(record.epoch == epoch and (record.value or 0) >= _RIGHT for record in records)

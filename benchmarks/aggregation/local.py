"""Local models on questions with a right answer: every aggregator on the same kept drafts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.aggregation.drafts import MODELS, SAMPLES, STYLED, Wanted, Written, kept
from benchmarks.aggregation.replaying import Outcome, outcome_of
from benchmarks.aggregation.scoring import Scorer
from benchmarks.aggregation.sets import SETS, Question, sample
from benchmarks.aggregation.systems import KEPT, SAMPLED, SINGLES, System, live
from benchmarks.routing.bench import say
from benchmarks.routing.tables import Bar, Table, table_of_means
from moa.aggregation import Aggregator
from moa.loader import load_mixture, starter_folder

MOST = 10_000
"""Questions of a set that are looked at for drafts; more than any has."""
NOT_BELOW = Bar(0.0, upper=True)


@dataclass(frozen=True, eq=False)
class Local:
    """Questions that both models drafted, with what the starter mixture's router thinks of them."""

    drafts: Mapping[str, Written]
    questions: Mapping[str, tuple[Question, ...]]
    """By set."""
    routed: Mapping[str, Mapping[str, float]]
    """Id of a question → agent → probability that the question is its."""
    scorer: Scorer

    @classmethod
    async def of(cls, data: Path) -> Local:
        """Gather what was drafted so far, and route it."""
        drafts = kept()
        questions = {
            name: tuple(
                each for each in sample(data, name, MOST) if all(Wanted(each, model).key in drafts for model in MODELS)
            )
            for name in SETS
        }
        starter = load_mixture(starter_folder())
        routed = {}
        for each in (each for some in questions.values() for each in some):
            routing = await starter.route(each.text)
            routed[each.id] = {agent.name: agent.probability for agent in routing.agents}
        return cls(drafts, {name: some for name, some in questions.items() if some}, routed, Scorer())

    def sampled(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """Return the questions of which every model's drawn drafts are there too."""
        numbers = range(1, SAMPLES + 1)
        return tuple(
            each
            for each in questions
            if all(Wanted(each, model, number).key in self.drafts for model in MODELS for number in numbers)
        )

    def styled(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """Return the questions of which the drafts in all styles are there too."""
        return tuple(
            each
            for each in questions
            if all(Wanted(each, model, style=style).key in self.drafts for model, style in STYLED)
        )

    def field(self, question: Question) -> str:
        """Return the field of a question, as the router sees it."""
        routed = self.routed[question.id]
        return max(routed, key=lambda name: routed[name])

    async def outcome(self, question: Question, aggregator: Aggregator, alone: str | None = None) -> Outcome:
        """Ask a question of a mixture with an aggregator."""
        return await outcome_of(question, self.drafts, self.routed[question.id], aggregator, alone=alone)

    async def right(self, question: Question, outcome: Outcome) -> bool:
        """Return whether it was answered."""
        return await self.scorer.right(question, outcome.text)


@dataclass(frozen=True, eq=False)
class Measured:
    """What one system made of some questions; arrays of shape (questions,)."""

    right: NDArray[np.float64]
    work: NDArray[np.float64]
    tokens: NDArray[np.float64]
    characters: NDArray[np.float64]
    seconds: NDArray[np.float64]
    degraded: int = 0
    """Answers that say that something did not go as planned."""

    @classmethod
    async def of(cls, system: System, questions: Sequence[Question], local: Local) -> Measured:
        """Ask every question."""
        outcomes = [await local.outcome(each, system.aggregator(each), system.alone) for each in questions]
        return await cls.found(questions, outcomes, local)

    @classmethod
    async def found(cls, questions: Sequence[Question], outcomes: Sequence[Outcome], local: Local) -> Measured:
        """Score outcomes, one a question."""
        pairs = list(zip(questions, outcomes, strict=True))
        right = [await local.right(question, outcome) for question, outcome in pairs]
        return cls(
            np.array(right, float),
            np.array([each.work for each in outcomes]),
            np.array([each.tokens for each in outcomes], float),
            np.array([len(each.text) for each in outcomes], float),
            np.array([each.seconds for each in outcomes]),
            sum(bool(each.degraded) for each in outcomes),
        )

    def told(self, beside: Measured) -> str:
        """Return its figures in a few words; `beside` is the large model alone."""
        told = (
            f"{self.right.mean():.2f} right, {self.tokens.mean():.0f} tokens, "
            f"{self.work.mean() / beside.work.mean():.2f} of the large one's work, "
            f"{self.characters.mean():.0f} characters, {self.seconds.mean():.0f} s"
        )
        return told + (f", {self.degraded} degraded" if self.degraded else "")


async def tables(local: Local, asked_live: int) -> list[Table]:
    """Measure every aggregator on every set.

    Args:
        local: the questions and their drafts.
        asked_live: questions of each set on which aggregators that call a model are measured; 0 for none.
    """
    found = []
    for name, questions in local.questions.items():
        of_kind = [system for system in KEPT if questions[0].tests or not system.codes]
        found.append(await _table(f"{name}: greedy drafts", of_kind, questions, local))
        if drawn := local.sampled(questions):
            found.append(await _table(f"{name}: with drawn drafts", SAMPLED, drawn, local))
    if asked_live:
        systems = live()
        for name, questions in local.questions.items():
            some = questions[:asked_live]
            found.append(await _table(f"{name}: a model aggregates", systems, some, local))
    return found


async def _table(title: str, systems: Sequence[System], questions: Sequence[Question], local: Local) -> Table:
    say(f"local: {title}, {len(questions)} questions")
    measured = {each.name: await Measured.of(each, questions, local) for each in (*SINGLES, *systems)}
    small, large = (measured[each.name] for each in SINGLES)
    best = max(SINGLES, key=lambda each: measured[each.name].right.mean()).name
    rights = {name: each.right for name, each in measured.items()}
    rights["random"] = (small.right + large.right) / 2
    rights["oracle of the two"] = np.maximum(small.right, large.right)
    notes = {name: each.told(large) for name, each in measured.items()}
    notes |= {name: f"{rights[name].mean():.2f} right" for name in ("random", "oracle of the two")}
    single = rights.pop(best)
    ahead = {name: each - single for name, each in rights.items()}
    guarded = tuple(each.name for each in systems if each.guarded)
    told = f"{title}, {len(questions)} questions, less {best} ({notes.pop(best)})"
    bar = {"bar": NOT_BELOW, "held": guarded} if guarded else {}
    return table_of_means("local models", told, ahead, list(ahead), notes=notes, **bar)  # type: ignore[arg-type]


def measure(data: Path, asked_live: int) -> list[Table]:
    """Measure whatever was drafted so far.

    Args:
        data: the folder of the sets.
        asked_live: as of `tables`.
    """
    from benchmarks.aggregation import escalation
    from moa.local.engine import stop_engines

    async def all_of_it() -> list[Table]:
        local = await Local.of(data)
        return [*(await tables(local, asked_live)), *(await escalation.tables(local))]

    try:
        return asyncio.run(all_of_it())
    finally:
        stop_engines()

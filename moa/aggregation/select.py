"""Selection: the best draft, word for word."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from moa.aggregation.agreement import agreement
from moa.aggregation.base import AggregationEvent, Work, ran
from moa.aggregation.grader import RUBRIC, Grader
from moa.aggregation.judge import Comparison, Judge
from moa.answers import Degradation, Draft
from moa.backends.references import backend_for
from moa.errors import AgentError, BackendError, BudgetExceeded, CallTimeout, MoaError
from moa.events import AnswerDelta, Degraded

if TYPE_CHECKING:
    from moa.backends.base import Backend

Scorer = Callable[[str, str], Awaitable[float]]
"""Takes the question and an answer; returns how good it is. A higher number is better."""

EVERY_PAIR = 4
"""Drafts of which every pair is compared; of more, the best so far meets the next one."""


@dataclass(frozen=True)
class Select:
    """Returns the draft that is judged best, untouched.

    - `judge`: a model compares pairs, both ways round, names hidden (see `Judge`); whoever wins most pairs is best.
    - `score`: a model grades each draft by itself, or a function of your own does.
    - `agreement`: the draft that agrees most with the others; asks nobody.

    A judge that fails, hangs, talks nonsense or prefers a place rather than an answer is told of in
    `Answer.degraded`; then agreement decides, and the routing weight where that is equal.

    Example:
        >>> Select("agreement").name
        'select'

    Raises:
        AgentError: there is no such way to select, a function is to judge, or `seconds` is not more than 0.
    """

    by: Literal["judge", "score", "agreement"] = "judge"
    model: str | Backend | Judge | Scorer | None = None
    """The model, or a `Judge`, or for `score` an async function; None takes the model of the agent with most weight,
    which knows its own style when it sees it, so better name another one."""
    seconds: float = 60.0
    """One comparison or grade may take so long; a `Judge` has its own limit."""
    rubric: str = RUBRIC
    """What grades mean, for `score` by a model."""
    name: str = field(default="select", init=False)

    def __post_init__(self) -> None:
        if self.by not in {"judge", "score", "agreement"}:
            raise AgentError(f"Select cannot go by {self.by!r}. There are judge, score and agreement.")
        if self.by == "judge" and callable(self.model):
            raise AgentError("Select by judge takes a model or a Judge; a function goes with by='score'.")
        if not self.seconds > 0:
            raise AgentError(f"seconds of Select is {self.seconds}; it must be more than 0.")

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the best draft."""
        drafts = work.drafts
        agreed = agreement([draft.text for draft in drafts])
        merits, how = [0.0] * len(drafts), "it agrees most with the others"
        if len({draft.text.strip() for draft in drafts}) == 1:
            how = "all drafts are the same"
        elif self.by != "agreement":
            merits, problem = await (self._judged(work) if self.by == "judge" else self._graded(work))
            if problem:
                what = "budget" if isinstance(problem, BudgetExceeded) else "judge"
                yield Degraded(work.turn.at(), Degradation(what, self.name, f"{problem} {_instead(merits)}"))
            if len(set(merits)) > 1:
                how = f"by {self.by}"
        best = max(
            range(len(drafts)),
            key=lambda place: (merits[place], round(agreed[place], 6), work.weight(drafts[place]), -place),
        )
        yield ran(self.name, f"the draft of {drafts[best].agent}: {how}")
        yield AnswerDelta(work.turn.at(), drafts[best].text, drafts[best].id)

    async def _judged(self, work: Work) -> tuple[list[float], MoaError | None]:
        """Return how many pairs each draft won, half of one for a tie, and what was wrong with the judge."""
        judge = self.model if isinstance(self.model, Judge) else Judge(self._backend(work), self.seconds)
        contest = _every_pair if len(work.drafts) <= EVERY_PAIR else _knockout
        wins, compared = await contest(judge, work)
        nobody = [0.0] * len(wins)
        failures = [each for each in compared if isinstance(each, MoaError)]
        if len(failures) == len(compared):
            return nobody, failures[0]
        swayed = sum(each.swayed for each in compared if isinstance(each, Comparison))
        if swayed > len(compared) / 2:
            told = f"The judge {judge.backend.reference} preferred the same place, whatever stood there."
            return nobody, BackendError(told)
        return wins, _some(failures, len(compared), "comparisons failed")

    async def _graded(self, work: Work) -> tuple[list[float], MoaError | None]:
        """Return the grade of each draft, the lowest for one that could not be graded, and what was wrong."""
        graded = await asyncio.gather(*(self._grade(draft, work) for draft in work.drafts))
        failures = [grade for grade in graded if isinstance(grade, MoaError)]
        if len(failures) == len(graded):
            return [0.0] * len(graded), failures[0]
        grades = [-math.inf if isinstance(grade, MoaError) else grade for grade in graded]
        return grades, _some(failures, len(graded), "drafts could not be graded")

    async def _grade(self, draft: Draft, work: Work) -> float | MoaError:
        question, scorer = work.conversation.question, self.model
        try:
            if scorer is None or isinstance(scorer, str | Judge) or not callable(scorer):
                grader = Grader(self._backend(work), self.seconds, self.rubric)
                return await grader.grade(question, draft.text, work.turn)
            async with asyncio.timeout(self.seconds):
                grade = float(await scorer(question, draft.text))
        except TimeoutError:
            return CallTimeout(f"The scoring function did not grade within {self.seconds:g} s.")
        except MoaError as error:
            return error
        except Exception as error:  # noqa: BLE001  (a function of the user's own: its mistake costs its grade)
            return BackendError(f"The scoring function failed: {type(error).__name__}: {error}")
        if not math.isfinite(grade):
            return BackendError(f"The scoring function returned {grade}, which cannot be compared.")
        return grade

    def _backend(self, work: Work) -> Backend:
        if isinstance(self.model, Judge):
            return self.model.backend
        model = self.model or work.agents[work.best.agent].backend
        return backend_for(model) if isinstance(model, str) else model  # type: ignore[return-value]  # no function here


_Outcomes = tuple[list[float], list[Comparison | MoaError]]
"""Of each draft how many comparisons it won, and what came of each comparison."""


async def _every_pair(judge: Judge, work: Work) -> _Outcomes:
    """Compare every draft with every other one, all at once."""
    pairs = list(combinations(range(len(work.drafts)), 2))
    compared = await asyncio.gather(*(_compared(judge, work, *pair) for pair in pairs))
    wins = [0.0] * len(work.drafts)
    for (one, other), outcome in zip(pairs, compared, strict=True):
        if isinstance(outcome, Comparison):
            wins[one] += {"first": 1.0, "tie": 0.5, "second": 0.0}[outcome.better]
            wins[other] += {"first": 0.0, "tie": 0.5, "second": 1.0}[outcome.better]
    return wins, compared


async def _knockout(judge: Judge, work: Work) -> _Outcomes:
    """Let the best so far meet the next draft, the weightiest first: one comparison a draft and not one a pair.

    A judge that hangs, or for whom the budget does not last, is not asked again: every try would cost its full time.
    """
    best, wins, compared = 0, [0.0] * len(work.drafts), []
    for place in range(1, len(work.drafts)):
        outcome = await _compared(judge, work, best, place)
        compared.append(outcome)
        if isinstance(outcome, CallTimeout | BudgetExceeded):
            break
        if isinstance(outcome, Comparison) and outcome.better == "second":
            best = place
    wins[best] = float(len(compared))
    return wins, compared


async def _compared(judge: Judge, work: Work, one: int, other: int) -> Comparison | MoaError:
    first, second = work.drafts[one].text, work.drafts[other].text
    try:
        return await judge.compare(work.conversation.question, first, second, work.turn)
    except MoaError as error:
        return error


def _some(failures: Sequence[MoaError], count: int, what: str) -> MoaError | None:
    """Return an error that tells of several; None if there are none."""
    if not failures:
        return None
    kind = BudgetExceeded if isinstance(failures[0], BudgetExceeded) else BackendError
    return kind(f"{len(failures)} of {count} {what}: {failures[0]}")


def _instead(merits: Sequence[float]) -> str:
    if any(merits):
        return "The rest decided."
    return "Agreement of the drafts, then the routing, decided instead."

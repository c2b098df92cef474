"""The aggregators that are measured, with the panel that each works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.aggregation.drafts import LARGE, SMALL
from benchmarks.aggregation.remembering import Remembering
from benchmarks.aggregation.replaying import CHEAP
from benchmarks.aggregation.sets import Question
from moa.aggregation import Aggregator, Escalate, Guard, Judge, Select, SelfMix, Solo, Synthesize, Vote

WRITER = f"local:{LARGE}"
"""The model that synthesizes and judges: the large one of the panel, so that nobody stronger helps."""
ANSWER_TOKENS = 400
_PATIENCE_SECONDS = 900.0


@dataclass(frozen=True)
class System:
    """One way of answering."""

    name: str
    aggregator: Callable[[Question], Aggregator]
    alone: str | None = None
    """The model that is asked, if it is only one."""
    single: bool = False
    """Whether it is one model, which the others are compared with."""
    codes: bool = False
    """Whether it is for questions with tests only."""

    @property
    def guarded(self) -> bool:
        """Whether it is held to the bar: never below the best single model."""
        return self.name.startswith("Guard")


def _always(aggregator: Aggregator) -> Callable[[Question], Aggregator]:
    return lambda _question: aggregator


def _by_shown_test(question: Question) -> Aggregator:
    return Vote(tests=question.shown)


def _guarded_by_shown_test(question: Question) -> Aggregator:
    return Guard(_by_shown_test(question))


SINGLES = (
    System("0.5B alone", _always(Solo()), alone=SMALL, single=True),
    System("1.5B alone", _always(Solo()), alone=LARGE, single=True),
)
KEPT = (
    System("Vote", _always(Vote())),
    System("Select(agreement)", _always(Select("agreement"))),
    System("Guard(Vote)", _always(Guard(Vote()))),
    System("Guard(Select(agreement))", _always(Guard(Select("agreement")))),
    System("Vote by the shown test", _by_shown_test, codes=True),
    System("Guard(Vote by the shown test)", _guarded_by_shown_test, codes=True),
    System("Escalate at 0.9", _always(Escalate(CHEAP, confident=0.9)), alone=LARGE),
)
SAMPLED = (
    System("SelfMix 0.5B, 3 samples, Vote", _always(SelfMix(CHEAP, n=3))),
    System("SelfMix 1.5B, 3 samples, Vote", _always(SelfMix(n=3)), alone=LARGE),
    System("Guard(SelfMix 1.5B, 3 samples, Vote)", _always(Guard(SelfMix(n=3))), alone=LARGE),
    System(
        "SelfMix 1.5B, 3 samples, agreement",
        _always(SelfMix(n=3, then=Select("agreement"))),
        alone=LARGE,
    ),
    System(
        "Escalate by two samples that agree",
        _always(Escalate(CHEAP, by="agreement", confident=0.99)),
        alone=LARGE,
    ),
)


def live() -> tuple[System, ...]:
    """Return the aggregators that call a model; what they ask is kept, so that they share their calls."""
    model = Remembering(WRITER)
    judge = Judge(model, _PATIENCE_SECONDS)
    writing = Synthesize(model, temperature=0.0, max_tokens=ANSWER_TOKENS)
    return (
        System("Synthesize", _always(writing)),
        System("Guard(Synthesize)", _always(Guard(writing))),
        System("Guard(Synthesize, judge)", _always(Guard(writing, judge=judge))),
        System("Select(judge)", _always(Select("judge", judge))),
    )

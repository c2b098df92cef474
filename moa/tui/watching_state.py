"""What is shown of a server: a pure fold over the items of its feed.

The screen, the lines of the plain mode and the tests all use this one reducer. Like that of a run, it takes items in
any order, twice or never: a feed may begin in the middle of a run, and what was lost on the way stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal

from moa.answers import Draft
from moa.events import (
    AggregationStarted,
    Degraded,
    DraftFinished,
    Event,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
)
from moa.messages import Usage
from moa.tui.watching_items import Happened, Item, Line, Missed, Standing

SLOT_SECONDS = 2
SLOTS = 150
"""How much of the past is counted: five minutes."""
WINDOW_SECONDS = SLOT_SECONDS * SLOTS
_RUNS_KEPT = 500
_ANSWERS_KEPT = 2000

RunStatus = Literal["running", "finished", "failed", "cancelled", "lost"]


@dataclass(frozen=True, slots=True)
class Slot:
    """What happened in one slot of time."""

    number: int
    """Which one: wall-clock time, divided by the length of a slot."""
    started: int = 0
    finished: int = 0
    failed: int = 0
    chosen: Mapping[str, int] = field(default_factory=dict)
    """Agent → how often it was asked."""


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """One run, as far as the list tells."""

    id: str
    started_at: float
    """Wall-clock time, seconds since 1970."""
    question: str = ""
    """Empty if the feed began later than the run."""
    panel: tuple[str, ...] = ()
    fallback: bool = False
    aggregator: str = ""
    status: RunStatus = "running"
    """`lost` if its end may have been among items that are missing."""
    seconds: float | None = None
    cost_usd: float | None = None
    tokens: Usage = field(default_factory=Usage)
    degraded: int = 0
    """How many things did not go as planned."""
    error: str = ""
    drafts: frozenset[str] = frozenset()
    """Those that were counted."""

    @property
    def over(self) -> bool:
        """Whether nothing more is expected."""
        return self.status not in {"running", "lost"}

    @property
    def troubled(self) -> bool:
        """Whether something did not go as planned."""
        return self.status == "failed" or self.degraded > 0


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What one agent did while it was watched."""

    model: str = ""
    chosen: int = 0
    drafts: int = 0
    failed: int = 0
    seconds: tuple[float, ...] = ()
    """Of its latest drafts."""
    cost_usd: float = 0.0
    unpriced: int = 0
    """Drafts whose cost is not known."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A server as it stands."""

    line: Line = field(default_factory=lambda: Line("connecting"))
    at: float = 0.0
    """Wall-clock time of the server at its latest item; 0 before there was one."""
    server: Standing | None = None
    runs: Mapping[str, WatchedRun] = field(default_factory=dict)
    """The latest runs, the oldest first, by their identifiers."""
    slots: tuple[Slot, ...] = ()
    """In order; those in which nothing happened are missing."""
    answers: tuple[tuple[float, float], ...] = ()
    """Of the latest answers: when, and how many seconds it took."""
    agents: Mapping[str, AgentFigures] = field(default_factory=dict)
    started: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    degraded: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Answers whose cost is not known."""
    lost: int = 0
    """Items known to be missing."""
    gaps: int = 0
    """How often items were missing."""

    @property
    def in_flight(self) -> int:
        """Requests that are being answered: what the server says, else what was seen."""
        if self.server is not None and self.server.in_flight is not None:
            return self.server.in_flight
        return sum(run.status == "running" for run in self.runs.values())


def watch(state: Watched, item: Item) -> Watched:
    """Return the state after an item."""
    match item:
        case Line():
            # While it is tried again, it is still good to know what was wrong.
            return replace(state, line=replace(item, why=state.line.why) if item.state == "connecting" else item)
        case Missed():
            runs = {
                name: replace(run, status="lost") if run.status == "running" else run
                for name, run in state.runs.items()
            }
            return replace(state, runs=runs, lost=state.lost + (item.lost or 0), gaps=state.gaps + 1)
        case Standing():
            if not isfinite(item.at):
                return state
            return replace(_forward(state, item.at), server=item, agents=_known(state.agents, item))
        case Happened():
            if not isfinite(item.at):
                return state
            return _happened(_forward(state, item.at), item)


def _forward(state: Watched, at: float) -> Watched:
    return replace(state, at=max(state.at, at))


def _known(agents: Mapping[str, AgentFigures], standing: Standing) -> Mapping[str, AgentFigures]:
    new = {name: agent for name, agent in standing.agents.items() if name not in agents}
    if not new:
        return agents
    return {**agents, **{name: AgentFigures(agent.model) for name, agent in new.items()}}


def _happened(state: Watched, item: Happened) -> Watched:
    run = state.runs.get(item.run)
    if run is None:
        since = item.event.at if item.event is not None else 0.0
        run = WatchedRun(item.run, item.at - (since if isfinite(since) else 0.0))
        if not isinstance(item.event, RunStarted):
            state = _with_run(state, run)
    elif run.status == "lost":
        run = replace(run, status="running")
        state = _with_run(state, run)
    if run.over:
        return state
    if item.event is None:
        return _with_run(replace(state, cancelled=state.cancelled + 1), replace(run, status="cancelled"))
    return _of_event(state, run, item.event, item.at)


def _of_event(state: Watched, run: WatchedRun, event: Event, at: float) -> Watched:  # noqa: PLR0911  (one case a type)
    match event:
        case RunStarted():
            return _run_started(state, run, event, at)
        case Routed():
            return _routed(state, run, event, at)
        case DraftFinished():
            return _drafted(state, run, event.draft)
        case AggregationStarted():
            return _with_run(state, replace(run, aggregator=event.aggregation.ran))
        case Degraded():
            state = replace(state, degraded=state.degraded + (run.degraded == 0))
            return _with_run(state, replace(run, degraded=run.degraded + 1))
        case RunFinished():
            return _run_finished(state, run, event, at)
        case RunFailed():
            state = _counted(replace(state, failed=state.failed + 1), at, failed=1)
            return _with_run(state, replace(run, status="failed", error=event.error, seconds=event.at))
    return state


def _with_run(state: Watched, run: WatchedRun) -> Watched:
    runs = {**state.runs, run.id: run}
    if len(runs) > _RUNS_KEPT:
        # Those that are over go first: what is still under way is what one wants to see.
        gone = next((name for name, each in runs.items() if each.over and name != run.id), next(iter(runs)))
        del runs[gone]
    return replace(state, runs=runs)


def _run_started(state: Watched, run: WatchedRun, event: RunStarted, at: float) -> Watched:
    question = next((message.content for message in reversed(event.messages) if message.role == "user"), "")
    new = run.id not in state.runs
    names = {name: replace(state.agents.get(name, AgentFigures()), model=model) for name, model in event.models.items()}
    state = replace(_with_run(state, replace(run, question=question)), agents={**state.agents, **names})
    return _counted(replace(state, started=state.started + 1), at, started=1) if new else state


def _routed(state: Watched, run: WatchedRun, event: Routed, at: float) -> Watched:
    if run.panel:
        return state
    panel = event.routing.panel
    figures = {
        name: replace(known, chosen=known.chosen + 1)
        for name in panel
        for known in [state.agents.get(name, AgentFigures())]
    }
    state = _with_run(state, replace(run, panel=panel, fallback=event.routing.fallback))
    return _counted(replace(state, agents={**state.agents, **figures}), at, chosen=panel)


def _drafted(state: Watched, run: WatchedRun, draft: Draft) -> Watched:
    if draft.id in run.drafts:
        return state
    known = state.agents.get(draft.agent, AgentFigures())
    priced = draft.cost_usd is not None and isfinite(draft.cost_usd)
    known = replace(
        known,
        model=draft.model,
        drafts=known.drafts + 1,
        failed=known.failed + (draft.status == "failed"),
        seconds=(*known.seconds[-99:], draft.seconds)
        if draft.status == "ok" and isfinite(draft.seconds)
        else known.seconds,
        cost_usd=known.cost_usd + (draft.cost_usd or 0.0 if priced else 0.0),
        unpriced=known.unpriced + (not priced),
    )
    state = replace(state, agents={**state.agents, draft.agent: known})
    return _with_run(state, replace(run, drafts=run.drafts | {draft.id}))


def _run_finished(state: Watched, run: WatchedRun, event: RunFinished, at: float) -> Watched:
    answer = event.answer
    for draft in answer.drafts:
        state = _drafted(state, run, draft)
        run = state.runs.get(run.id, run)
    priced = answer.cost_usd is not None and isfinite(answer.cost_usd)
    degraded = max(run.degraded, len(answer.degraded))
    newly = degraded > 0 and run.degraded == 0
    run = replace(
        run,
        status="finished",
        panel=run.panel or answer.routing.panel,
        fallback=answer.routing.fallback,
        aggregator=answer.aggregator.ran,
        seconds=answer.seconds,
        cost_usd=answer.cost_usd,
        tokens=answer.tokens,
        degraded=degraded,
    )
    answers = (*state.answers[1 - _ANSWERS_KEPT :], (at, answer.seconds)) if isfinite(answer.seconds) else state.answers
    state = replace(
        state,
        finished=state.finished + 1,
        degraded=state.degraded + newly,
        cost_usd=state.cost_usd + (answer.cost_usd or 0.0 if priced else 0.0),
        unpriced=state.unpriced + (not priced),
        answers=answers,
    )
    return _counted(_with_run(state, run), at, finished=1)


def _counted(
    state: Watched, at: float, *, started: int = 0, finished: int = 0, failed: int = 0, chosen: tuple[str, ...] = ()
) -> Watched:
    """Return the state with something counted in the slot of its time; what is older than the window is forgotten."""
    number = int(at // SLOT_SECONDS)
    oldest = int(state.at // SLOT_SECONDS) - SLOTS
    if number <= oldest:
        return state
    before = [slot for slot in state.slots if oldest < slot.number < number]
    after = [slot for slot in state.slots if slot.number > number]
    slot = next((slot for slot in reversed(state.slots) if slot.number == number), Slot(number))
    times = {name: slot.chosen.get(name, 0) + 1 for name in chosen}
    slot = Slot(
        number,
        slot.started + started,
        slot.finished + finished,
        slot.failed + failed,
        {**slot.chosen, **times} if times else slot.chosen,
    )
    return replace(state, slots=(*before, slot, *after))

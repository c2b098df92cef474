"""Asking every system every sample, as often as the suite says, and writing each answer down at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal

from moa.evals.folder import RunFolder
from moa.evals.metering import METER, Call, Meter, critical_seconds
from moa.evals.plain import plain
from moa.evals.record import Key, Record
from moa.evals.sample import Sample
from moa.evals.scoring import SECONDS, Scoring
from moa.evals.shared import Sharing
from moa.evals.suite import Suite
from moa.evals.system import Answered, System, failure, worth_keeping
from moa.events import Event

Ended = Literal["done", "stopped", "cap"]
"""How a run ended: everything was asked, somebody stopped it, or it would have cost too much."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes about it."""

    workers: int = 16
    """Answers that are made at once."""
    timeout: float | None = 600.0
    """Seconds that one answer may take, waiting for its turn not counted; None is no limit."""
    score_timeout: float = SECONDS
    """Seconds that one score may take."""
    cap_usd: float | None = None
    """What the run may cost, with all that was paid in the folder before; None is no limit."""
    expected_usd: float = 0.0
    """What one answer will probably cost, set aside for each that is being made."""
    retry_errors: bool = False
    """Whether answers that failed are asked for again."""
    keep_events: bool = True


@dataclass(frozen=True, slots=True)
class Task:
    """One answer that is wanted."""

    suite: Suite
    sample: Sample
    epoch: int
    system: System

    @property
    def key(self) -> Key:
        """What its record will be known by."""
        return self.suite.name, self.sample.id, self.epoch, self.system.name


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    total: int
    """Answers in all, those of earlier starts too."""
    done: int = 0
    before: int = 0
    """Those of `done` that were there already."""
    errors: int = 0
    unscored: int = 0
    """Answers that the scorer could not score."""
    paid_usd: float | None = 0.0
    """None as soon as a price is not known."""
    values: dict[str, list[float]] = field(default_factory=dict)
    """System → its scores so far, an error counting 0."""
    in_flight: int = 0
    started: float = field(default_factory=perf_counter)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.done += 1
        self.errors += record.error is not None
        self.unscored += bool(record.score and record.score.error)
        known = self.paid_usd is not None and record.paid_usd is not None
        self.paid_usd = (self.paid_usd or 0.0) + (record.paid_usd or 0.0) if known else None
        if record.error is not None:
            self.values.setdefault(record.system, []).append(0.0)
        elif record.value is not None:
            self.values.setdefault(record.system, []).append(record.value)


class Runner:
    """One run.

    Args:
        folder: takes the records; what it holds already is not asked again.
        suites: what is asked.
        systems: whom; their names differ.
        settings: how.
        sharing: the kept replies, which the systems were made with.
        watch: told after each answer how far the run is.
    """

    def __init__(
        self,
        folder: RunFolder,
        suites: Sequence[Suite],
        systems: Sequence[System],
        settings: Settings,
        sharing: Sharing,
        watch: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.folder, self.suites, self.systems, self.settings = folder, suites, systems, settings
        self.sharing, self.watch = sharing, watch
        self.scorings = {suite.name: Scoring(suite.scorer, settings.score_timeout) for suite in suites}
        self.ended: Ended = "done"
        wanted = {task.key for task in self._tasks()}
        self.progress = Progress(len(wanted))
        self._there: set[Key] = set()
        for record in folder.stored.records:
            if record.key in wanted and not (settings.retry_errors and record.error):
                self._there.add(record.key)
                self.progress.add(record)
        self.progress.before = self.progress.done
        self._working: list[asyncio.Task[None]] = []

    def stop(self) -> None:
        """Begin nothing more; what is being made is finished and written down. Twice gives that up too."""
        if self.ended == "stopped":
            for worker in self._working:
                worker.cancel()
        self.ended = "stopped"

    async def run(self) -> Ended:
        """Ask until everything was asked or somebody stops it.

        Raises:
            StoreError: a record could not be written; what was written before is unharmed.
        """
        await self._rescore()
        tasks = (task for task in self._tasks() if task.key not in self._there)
        try:
            async with asyncio.TaskGroup() as group:
                self._working = [group.create_task(self._work(tasks)) for _ in range(self.settings.workers)]
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        return self.ended

    def _tasks(self) -> Iterator[Task]:
        """Yield what is wanted, sample by sample, so that systems can be compared early."""
        for suite in self.suites:
            for epoch in range(suite.epochs):
                for sample in suite.samples:
                    for system in self.systems:
                        yield Task(suite, sample, epoch, system)

    async def _work(self, tasks: Iterator[Task]) -> None:
        while self.ended == "done" and self._affordable():
            task = next(tasks, None)
            if task is None:
                return
            self.progress.in_flight += 1
            try:
                record = await self._recorded(task)
                if self.sharing.replies.broken:
                    raise self.sharing.replies.broken
                self.folder.add(record)
            finally:
                self.progress.in_flight -= 1
            self.progress.add(record)
            self.watch(self.progress)

    def _affordable(self) -> bool:
        """Whether one more answer stays below what the run may cost."""
        cap, progress = self.settings.cap_usd, self.progress
        if cap is not None and (
            progress.paid_usd is None
            or progress.paid_usd + (progress.in_flight + 1) * self.settings.expected_usd > cap
            or progress.paid_usd >= cap > 0
        ):
            self.ended = "cap"
            return False
        return True

    async def _recorded(self, task: Task) -> Record:
        """Return the record of one answer, whatever becomes of it."""
        meter, events = Meter(task.epoch), list[Event]()
        METER.set(meter)
        started, began = time.time(), perf_counter()
        answered, error = Answered(""), None
        try:
            async with asyncio.timeout(self.settings.timeout) as meter.deadline:
                answered = await task.system.answer(task.sample, events.append)
        except TimeoutError as raised:
            late = meter.deadline is not None and meter.deadline.expired()
            limit = f"No answer within {self.settings.timeout or 0:g} s, so it was given up."
            error = ("CallTimeout", limit) if late else failure(raised)
        except Exception as raised:  # noqa: BLE001  (a system may be the user's own: it spoils its own answer only)
            error = failure(raised)
        ended = perf_counter()
        critical = critical_seconds(meter.calls, began, ended)
        kept = [plain(each) for each in events if worth_keeping(each)] if self.settings.keep_events else []
        scoring = self.scorings[task.suite.name]
        score = None if error else await scoring.of(task.sample, answered.text)
        finished = [event["draft"] for event in kept if event["type"] == "draft_finished"]
        return Record(
            suite=task.suite.name,
            sample=task.sample.id,
            epoch=task.epoch,
            system=task.system.name,
            input=[message.to_json() for message in task.sample.input.messages],
            output=answered.text,
            error=error[1] if error else None,
            error_kind=error[0] if error else None,
            input_tokens=answered.usage.input,
            output_tokens=answered.usage.output,
            cost_usd=answered.cost_usd if error is None else meter.cost_usd,
            paid_usd=meter.paid_usd,
            seconds=critical if answered.seconds is None else answered.seconds,
            model_seconds=meter.model_seconds,
            wall_seconds=ended - began,
            started_unix=started,
            calls=[_call(each) for each in meter.calls],
            score=score,
            draft_scores=await scoring.of_drafts(task.sample, finished),
            events=kept,
        )

    async def _rescore(self) -> None:
        """Score again, without asking anybody, what another scorer scored before."""
        samples = {(suite.name, sample.id): sample for suite in self.suites for sample in suite.samples}
        for record in self.folder.stored.records:
            scoring, sample = self.scorings.get(record.suite), samples.get((record.suite, record.sample))
            if record.error or not scoring or not sample:
                continue
            if record.score and record.score.scorer == scoring.scorer.name and record.score.error is None:
                continue
            score = await scoring.of(sample, record.output)
            self.folder.add_score(record.key, score, await scoring.of_drafts(sample, record.drafts))


def _call(call: Call) -> dict[str, Any]:
    return {
        "model": call.model,
        "seconds": call.seconds,
        "tokens": {"input": call.usage.input, "output": call.usage.output},
        "cost_usd": call.cost_usd,
        "kept": call.kept,
        "failed": call.failed,
    }


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error of a group, however deep it lies."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

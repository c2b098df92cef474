"""The latest runs and their events, in memory: what `GET /v1/moa/runs/ID` tells, and who may be told."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from moa.answers import Answer
from moa.events import Event, Routed, RunFailed, RunFinished, RunStarted, event_to_json
from moa.server.discretion import Discretion

_MOST_RUNS = 500
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(slots=True, eq=False)
class KeptRun:
    """A run, under way or over."""

    id: str
    owner: str
    """The tenant that asked."""
    mixture: str
    question: str
    started_unix: float
    events: list[Event] = field(default_factory=list)
    status: str = "running"
    panel: tuple[str, ...] = ()
    answer: Answer | None = None
    error: str | None = None
    seconds: float | None = None
    size: int = 0
    """About how many bytes it takes."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status != "running"

    def to_json(self, discretion: Discretion) -> dict[str, Any]:
        """Return the run and its events, as far as somebody may see them."""
        events = [discretion.event(event) for event in self.events]
        run = {
            "id": self.id,
            "started_unix": self.started_unix,
            "mixture": self.mixture,
            "question": self.question,
            "status": self.status,
            "panel": list(self.panel),
            "seconds": self.seconds,
            "cost_usd": self.answer.cost_usd if self.answer else None,
            "error": discretion.error(self.error),
        }
        return {"run": run, "events": [event_to_json(event) for event in events]}


class Archive:
    """Keeps the latest runs, bounded in number and bytes; the oldest go first, those under way last."""

    def __init__(self, most_runs: int = _MOST_RUNS, most_bytes: int = _MOST_BYTES) -> None:
        self._most_runs, self._most_bytes = most_runs, most_bytes
        self._runs: OrderedDict[str, KeptRun] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._runs)

    def begin(self, event: RunStarted, owner: str) -> KeptRun:
        """Keep a run that begins."""
        question = event.messages[-1].content if event.messages else ""
        run = KeptRun(event.run, owner, event.mixture, question, event.started_unix)
        self._runs[event.run] = run
        return run

    def add(self, run: KeptRun, event: Event, size: int) -> None:
        """Keep the next event of a run."""
        run.events.append(event)
        run.size += size
        self._bytes += size
        match event:
            case Routed(routing=routing):
                run.panel = routing.panel
            case RunFinished(answer=answer):
                run.status, run.answer, run.seconds = "finished", answer, answer.seconds
            case RunFailed(at=at, error=error):
                run.status, run.error, run.seconds = "failed", error, at
        if len(self._runs) > self._most_runs or self._bytes > self._most_bytes:
            self._forget()

    def get(self, run: str) -> KeptRun | None:
        """Return a run; None if it is not kept."""
        return self._runs.get(run)

    def _forget(self) -> None:
        while len(self._runs) > self._most_runs or self._bytes > self._most_bytes:
            oldest = next((run for run in self._runs.values() if run.over), None)
            if oldest is None:
                return
            self._bytes -= self._runs.pop(oldest.id).size

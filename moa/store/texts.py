"""What was asked and what was answered, one row a run: what sessions show and what is searched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from moa.store.liveness import is_alive

_TOLD = ("routed", "draft_delta", "draft_finished", "answer_delta", "answer_replaced")


def keep_text(database: sqlite3.Connection, run: str) -> None:
    """Write down the question and the answer of a run that is over. In a transaction of the caller."""
    answer = answer_of(_payloads(database, run, ("run_finished",)))
    if not answer:  # it ended without one, so all that was written has to be looked at
        answer = answer_of(_payloads(database, run, _TOLD))
    # A new row with a new number, should there be one already: what the index holds of the old one leads nowhere.
    database.execute("DELETE FROM texts WHERE run = ?", (run,))
    database.execute(
        "INSERT INTO texts (run, question, answer) SELECT id, question, ? FROM runs WHERE id = ?", (answer, run)
    )
    database.execute("UPDATE runs SET settled = 1 WHERE id = ?", (run,))


def unsettled(database: sqlite3.Connection) -> list[str]:
    """Return the runs that are over but whose texts nobody wrote down.

    Their process was killed, or an earlier moa stored them.
    """
    rows = database.execute("SELECT id, status, process FROM runs WHERE settled = 0").fetchall()
    return [run for run, status, process in rows if status != "running" or not is_alive(process)]


@dataclass(slots=True)
class _DraftSoFar:
    agent: str
    text: str = ""
    done: bool = False
    over: bool = False


@dataclass(slots=True)
class _AnswerSoFar:
    answer: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    drafts: dict[str, _DraftSoFar] = field(default_factory=dict)

    def draft(self, name: str) -> _DraftSoFar:
        return self.drafts.setdefault(name, _DraftSoFar(name.rpartition(".")[0] or name))

    def add(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "routed":
                self.weights = {agent["name"]: agent["weight"] for agent in event["routing"]["agents"]}
            case "draft_delta" if not event.get("reasoning"):
                self.say(event["draft"], event["text"])
            case "draft_finished":
                draft = event["draft"]
                self.drafts[draft["id"]] = _DraftSoFar(
                    draft["agent"], draft["text"], done=draft["status"] == "ok", over=True
                )
            case "answer_delta":
                self.answer += event["text"]
                if event["draft"] is not None:
                    self.say(event["draft"], event["text"])
            case "answer_replaced":
                self.answer = event["text"]
            case "run_finished":
                self.answer = event["answer"]["text"]

    def say(self, name: str, text: str) -> None:
        draft = self.draft(name)
        if not draft.over:
            draft.text += text

    def best(self) -> str:
        written = [draft for draft in self.drafts.values() if draft.text]
        best = max(
            written,
            key=lambda draft: (draft.done, self.weights.get(draft.agent, 0.0), len(draft.text)),
            default=None,
        )
        return best.text if best else ""


def answer_of(events: Iterable[dict[str, Any]]) -> str:
    """Return the answer of a run; of one that ended without an answer, the best that was drafted until then.

    The best draft is a finished one before one that broke off, then the one with more weight, then the longer one:
    the same that the terminal UI shows in place of a missing answer.

    Args:
        events: as JSON, in order.
    """
    told = _AnswerSoFar()
    for event in events:
        try:
            told.add(event)
        except (KeyError, TypeError):  # not as this moa writes it: the rest may still be readable
            continue
    return told.answer or told.best()


def _payloads(database: sqlite3.Connection, run: str, types: Sequence[str]) -> Iterator[dict[str, Any]]:
    marks = ", ".join("?" * len(types))
    rows = database.execute(
        f"SELECT payload FROM events WHERE run = ? AND type IN ({marks}) ORDER BY seq",  # noqa: S608  (question marks)
        (run, *types),
    )
    for (payload,) in rows:
        try:
            event = json.loads(payload)
        except ValueError:
            continue
        if isinstance(event, dict) and "type" in event:
            yield event

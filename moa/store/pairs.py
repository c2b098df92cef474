"""Pairs: two answers to the same question, and which of them a person found better."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from moa.errors import StoreError
from moa.store.database import Store, Verdict, put_verdict, storable, take_verdict

Choice = Literal["left", "right", "tie", "bad"]
"""Which answer was better; `tie` for neither, and `bad` if neither is good enough."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers."""

    run: str
    agents: tuple[str, ...]
    """Whose words it is: one agent, or all whose drafts went into it; a model's reference where it answered alone."""
    models: tuple[str, ...]
    """The model of each, in the same order."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a person said of two answers to the same question."""

    id: int
    """Its number; 0 before it is stored."""
    given_unix: float
    """When, in seconds since 1970."""
    mixture: str
    left: Side
    right: Side
    choice: Choice
    verdicts: tuple[int, ...] = ()
    """The numbers of the feedback that it counts as."""


def add_pair(store: Store, pair: Pair, verdicts: Sequence[Verdict] = ()) -> int:
    """Store a vote and the feedback that it counts as, all of it or nothing, and return the number of the pair.

    Raises:
        StoreError: the database cannot be written, or one of the two runs is not stored.
    """
    with store.writing() as database:
        for side in (pair.left, pair.right):
            if database.execute("SELECT 1 FROM runs WHERE id = ?", (side.run,)).fetchone() is None:
                raise StoreError(f"Run {side.run or '(without a name)'} is not stored, so a vote on it cannot be.")
        numbers = [put_verdict(database, verdict) for verdict in verdicts]
        sides = [
            value for side in (pair.left, pair.right) for value in (side.run, _json(side.agents), _json(side.models))
        ]
        row = (pair.given_unix, storable(pair.mixture), *sides, pair.choice, json.dumps(numbers))
        added = database.execute(f"INSERT INTO pairs VALUES (NULL{', ?' * len(row)})", row)  # noqa: S608
        return int(added.lastrowid or 0)


def pairs(store: Store) -> list[Pair]:
    """Return all votes, the oldest first. Those whose runs were removed for good are gone with them.

    Raises:
        StoreError: the database cannot be read.
    """
    with store.reading() as database:
        rows = database.execute("SELECT * FROM pairs ORDER BY id").fetchall()
    return [_pair(row) for row in rows]


def undo_pair(store: Store, number: int) -> None:
    """Take back a vote, and the feedback that it counted as.

    Raises:
        StoreError: the database cannot be written, or there is no vote of this number.
    """
    with store.writing() as database:
        found = database.execute("SELECT verdicts FROM pairs WHERE id = ?", (number,)).fetchone()
        if found is None:
            raise StoreError(f"There is no vote number {number}. `moa feedback pairs` shows what there is.")
        for verdict in json.loads(found[0]):
            take_verdict(database, verdict)
        database.execute("DELETE FROM pairs WHERE id = ?", (number,))


def clear_pairs(store: Store) -> int:
    """Remove all votes, not the feedback that they count as, and return how many there were.

    Raises:
        StoreError: the database cannot be written.
    """
    with store.writing() as database:
        return database.execute("DELETE FROM pairs").rowcount


def as_case(store: Store, pair: Pair) -> dict[str, Any]:
    """Return a vote as an evaluation case: what was said and asked, both answers, whose they are, and the choice.

    Raises:
        StoreError: the database cannot be read.
    """
    store.settle()
    with store.reading() as database:
        payload = database.execute(
            "SELECT payload FROM events WHERE run = ? AND type = 'run_started' ORDER BY seq LIMIT 1", (pair.left.run,)
        ).fetchone()
        texts = dict(
            database.execute(
                "SELECT run, answer FROM texts WHERE run IN (?, ?)", (pair.left.run, pair.right.run)
            ).fetchall()
        )
    messages = [
        {"role": message["role"], "content": message["content"]} for message in json.loads(payload[0])["messages"]
    ]
    return {
        "id": pair.id,
        "given": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(pair.given_unix)),
        "mixture": pair.mixture,
        "question": messages[-1]["content"],
        "messages": messages,
        "left": _side(pair.left, texts),
        "right": _side(pair.right, texts),
        "choice": pair.choice,
    }


def _side(side: Side, texts: dict[str, str]) -> dict[str, Any]:
    return {
        "run": side.run,
        "agents": list(side.agents),
        "models": list(side.models),
        "answer": texts.get(side.run, ""),
    }


def _json(names: Sequence[str]) -> str:
    return storable(json.dumps(list(names), ensure_ascii=False))


def _pair(row: tuple[Any, ...]) -> Pair:
    number, given, mixture, *sides, choice, verdicts = row
    left, right = (
        Side(run, tuple(json.loads(agents)), tuple(json.loads(models)))
        for run, agents, models in (sides[:3], sides[3:])
    )
    return Pair(number, given, mixture, left, right, cast("Choice", choice), tuple(json.loads(verdicts)))

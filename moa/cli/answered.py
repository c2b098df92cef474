"""Who answered which question right, from a file of JSON lines, for `moa train gate`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa.cli.labelled import GROUPS, text_of
from moa.cli.lines import read_rows
from moa.errors import UsageError

if TYPE_CHECKING:
    from moa.routing.training.matrix import ResponseMatrix

QUESTIONS = ("prompt", "text", "question")
"""Fields that hold the question, if nobody names another."""


@dataclass(frozen=True, slots=True)
class AnsweredFields:
    """Which fields of a row hold what."""

    text: str
    correct: str | None
    """An object of agents and successes; None if a row is one answer, with the fields `system` and `score`."""
    system: str
    score: str
    cost: str
    group: str | None

    @property
    def hint(self) -> str:
        """By which options the user names other fields."""
        own = "--correct-field" if self.correct else "--system-field, --score-field"
        return f"--text-field, {own} or --group-field"


@dataclass(slots=True)
class _Asked:
    """One question, with each agent's answers to it."""

    group: str
    success: dict[str, list[float]]
    cost: dict[str, list[float]]


def read_responses(path: Path, fields: AnsweredFields) -> ResponseMatrix:
    """Read a response matrix: a row a question, or a row an answer.

    Several answers of one agent to the same question, word for word, count by their mean.

    Raises:
        UsageError: the file cannot be read, or a line is not as it should be; the message names it.
        GateError: nothing can be learned from these answers.
    """
    own = (fields.correct,) if fields.correct else (fields.system, fields.score)
    needed = (fields.text, *own, *([fields.group] if fields.group else []))
    rows = read_rows(path, needed, hint=fields.hint)
    group = fields.group or next((name for name in GROUPS if all(name in row for _, row in rows)), None)
    questions: dict[str, _Asked] = {}
    for place, row in rows:
        text = text_of(row, fields.text, place)
        asked = questions.setdefault(text, _Asked(str(row[group]) if group else "", {}, {}))
        take = _take_question if fields.correct else _take_answer
        take(asked, row, fields, place)
    return _matrix(questions, grouped=group is not None)


def _take_question(asked: _Asked, row: dict[str, Any], fields: AnsweredFields, place: str) -> None:
    """Take a row that holds all answers to a question."""
    field = fields.correct or ""
    correct, cost = row[field], row.get(fields.cost)
    if not isinstance(correct, dict):
        raise UsageError(
            f"{place}: the field {field!r} must be an object of agents and how right each was, such as "
            f'{{"small": 0, "large": 1}}, not {_shown(correct)}.'
        )
    if cost is not None and not isinstance(cost, dict):
        raise UsageError(f"{place}: the field {fields.cost!r} must be an object of agents and costs, or null.")
    for agent, value in correct.items():
        if value is not None:
            asked.success.setdefault(agent, []).append(_success(value, f"{place}: the success of {agent!r}"))
    for agent, value in (cost or {}).items():
        if value is not None and agent in correct:
            asked.cost.setdefault(agent, []).append(_cost(value, f"{place}: the cost of {agent!r}"))


def _take_answer(asked: _Asked, row: dict[str, Any], fields: AnsweredFields, place: str) -> None:
    """Take a row that holds one answer."""
    agent = row[fields.system]
    if not isinstance(agent, str) or not agent.strip():
        raise UsageError(f"{place}: the field {fields.system!r} must be the name of who answered, not {_shown(agent)}.")
    if row[fields.score] is None:  # it was asked, and nobody knows whether it was right
        return
    asked.success.setdefault(agent, []).append(_success(row[fields.score], f"{place}: the field {fields.score!r}"))
    if (cost := row.get(fields.cost)) is not None:
        asked.cost.setdefault(agent, []).append(_cost(cost, f"{place}: the field {fields.cost!r}"))


def _matrix(questions: dict[str, _Asked], *, grouped: bool) -> ResponseMatrix:
    import numpy as np

    from moa.routing.training.matrix import ResponseMatrix

    answered = {text: asked for text, asked in questions.items() if asked.success}
    agents = sorted({agent for asked in answered.values() for agent in asked.success})
    place = {agent: column for column, agent in enumerate(agents)}
    success = np.full((len(answered), len(agents)), np.nan)
    cost = np.full((len(answered), len(agents)), np.nan)
    for row, asked in enumerate(answered.values()):
        for table, values in ((success, asked.success), (cost, asked.cost)):
            for agent, found in values.items():
                table[row, place[agent]] = sum(found) / len(found)
    groups = tuple(asked.group for asked in answered.values()) if grouped else None
    known = cost if (~np.isnan(cost)).any() else None
    return ResponseMatrix(tuple(answered), tuple(agents), success, known, groups)


def _success(value: object, what: str) -> float:
    from moa.routing.training.matrix import SLACK

    if not isinstance(value, int | float) or not -SLACK <= value <= 1 + SLACK:
        raise UsageError(f"{what} must be a number 0 … 1 (1 is right, 0 is wrong), not {_shown(value)}.")
    return float(value)


def _cost(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UsageError(f"{what} must be a number, 0 or more, not {_shown(value)}.")
    return float(value)


def _shown(value: object) -> str:
    return json.dumps(value)[:60]

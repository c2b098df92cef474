"""Who had what right at what cost, and what a choice among them would have come to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moa.errors import UsageError
from moa.evals.baselines import FOLDS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Responses:
    """Some models on the same questions. Arrays have shape (models, questions)."""

    models: Sequence[str]
    ids: Sequence[str]
    prompts: Sequence[str]
    fields: Sequence[str] | None
    """The domain of each question, where the rows tell it."""
    correct: Floats
    cost: Floats | None
    """USD; None where a cost is not known."""

    @property
    def folds(self) -> NDArray[np.intp]:
        """The fold of each question, by its text, so that it is the same in every run."""
        marks = [int(sha256(prompt.encode("utf-8", "replace")).hexdigest()[:8], 16) % FOLDS for prompt in self.prompts]
        return np.array(marks, np.intp)


@dataclass(frozen=True)
class Strategy:
    """One way to choose. Arrays have shape (questions,)."""

    name: str
    correct: Floats
    cost: Floats | None
    shares: Mapping[str, float]
    """Model → the share of questions that it gets."""


def responses_of(rows: Sequence[tuple[str, Mapping[str, Any]]], *, source: str | None = None) -> list[Responses]:
    """Return a matrix for each set of models that were asked the same.

    Args:
        rows: the place of each row in words, and the row: `prompt`, `correct` (model → 0 … 1), `cost` (model → USD, or
            null), `domain` and `source` if they are known.
        source: only rows of that source; None takes all.

    Raises:
        UsageError: a row is not as it should be, or none is left.
    """
    families: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for place, row in rows:
        correct = row.get("correct")
        if not isinstance(correct, dict) or not all(isinstance(value, int | float) for value in correct.values()):
            raise UsageError(f'{place}: "correct" must be an object of models and scores 0 … 1, not {correct!r:.60}.')
        if source in {None, row.get("source")} and correct:
            families.setdefault(tuple(sorted(correct)), []).append(row)
    if not families:
        raise UsageError(f"No row is of the source {source!r}." if source else "There is no row to replay.")
    return [_family(models, found) for models, found in families.items()]


def _family(models: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> Responses:
    correct = np.array([[float(row["correct"][model]) for row in rows] for model in models])
    known = all(isinstance(row.get("cost"), dict) and set(models) <= set(row["cost"]) for row in rows)
    cost = np.array([[float(row["cost"][model]) for row in rows] for model in models]) if known else None
    fields = [str(row["domain"]) for row in rows] if all(row.get("domain") for row in rows) else None
    ids = [str(row.get("id", place)) for place, row in enumerate(rows)]
    return Responses(
        models, ids, [str(row.get("prompt") or row.get("text") or "") for row in rows], fields, correct, cost
    )


def strategies_of(responses: Responses) -> list[Strategy]:
    """Return the models alone, and random, best single and one a field (both by the other folds), and the oracle."""
    models, count = responses.models, len(responses.ids)
    found = [taken(responses, model, np.full(count, place)) for place, model in enumerate(models)]
    mean_cost = None if responses.cost is None else responses.cost.mean(axis=0)
    even = {model: 1 / len(models) for model in models}
    found.append(Strategy("random", responses.correct.mean(axis=0), mean_cost, even))
    found.append(taken(responses, "best single", _elsewhere(responses, ["all"] * count)))
    if responses.fields and len(set(responses.fields)) > 1:
        found.append(taken(responses, "one a field", _elsewhere(responses, responses.fields)))
    order = responses.correct if responses.cost is None else responses.correct - 1e-9 * responses.cost
    found.append(taken(responses, "oracle", order.argmax(axis=0)))
    return found


def taken(responses: Responses, name: str, choice: NDArray[np.intp]) -> Strategy:
    """Return what a choice comes to.

    Args:
        responses: who had what right.
        name: of the strategy.
        choice: the place of the model for each question, shape (questions,).
    """
    across = np.arange(len(choice))
    cost = None if responses.cost is None else responses.cost[choice, across]
    shares = {model: float((choice == place).mean()) for place, model in enumerate(responses.models)}
    return Strategy(name, responses.correct[choice, across], cost, shares)


def chosen_by(responses: Responses, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> NDArray[np.intp] | None:
    """Return the choice that a file of choices makes: rows with `id` or `prompt`, and `model`.

    Returns:
        None if the file says nothing of any of these questions: it is about others.

    Raises:
        UsageError: a question has no choice, or it names no model of the matrix.
    """
    by_id = {str(row["id"]): (place, row) for place, row in rows if "id" in row}
    by_prompt = {str(row["prompt"]): (place, row) for place, row in rows if "prompt" in row}
    if not set(by_id) & set(responses.ids) and not set(by_prompt) & set(responses.prompts):
        return None
    choice = []
    for name, prompt in zip(responses.ids, responses.prompts, strict=True):
        found = by_id.get(name) or by_prompt.get(prompt)
        if found is None:
            raise UsageError(f"The file of choices says nothing of {name!r}: {json.dumps(prompt)[:60]}")
        place, row = found
        if row.get("model") not in responses.models:
            raise UsageError(f"{place}: {row.get('model')!r} is none of the models {', '.join(responses.models)}.")
        choice.append(responses.models.index(str(row["model"])))
    return np.array(choice, np.intp)


def _elsewhere(responses: Responses, kinds: Sequence[str]) -> NDArray[np.intp]:
    """Return for each question the model that is best on the other folds' questions of its kind."""
    folds, names = responses.folds, np.array(kinds)
    choice = np.zeros(len(folds), np.intp)
    for fold in np.unique(folds):
        elsewhere = folds != fold if (folds != fold).any() else np.ones(len(folds), bool)
        for kind in np.unique(names):
            known = elsewhere & (names == kind)
            known = known if known.any() else elsewhere
            choice[(folds == fold) & (names == kind)] = responses.correct[:, known].mean(axis=1).argmax()
    return choice

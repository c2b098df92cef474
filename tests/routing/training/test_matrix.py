from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from moa.errors import GateError
from moa.routing.training.matrix import ResponseMatrix

NAN = float("nan")
TEXTS = tuple(f"question {number}" for number in range(40))


def table(*columns: float) -> NDArray[np.float64]:
    return np.tile(np.array(columns, np.float64), (40, 1))


def test_questions_that_were_put_to_the_same_agents_are_a_family() -> None:
    success = table(1, 0, 1)
    success[30:, 2] = NAN
    success[38:, 1] = NAN
    matrix = ResponseMatrix(TEXTS, ("a", "b", "c"), success)

    assert [rows.tolist() for rows in matrix.families] == [list(range(30)), list(range(30, 38))]
    assert matrix.shared.sum() == 38


def test_costs_are_counted_in_those_of_the_best_single_agent() -> None:
    assert ResponseMatrix(TEXTS, ("a", "b"), table(0, 1), table(3, 7)).unit == 7
    assert not ResponseMatrix(TEXTS, ("a", "b"), table(0, 1), table(3, NAN)).priced
    assert ResponseMatrix(TEXTS, ("a", "b"), table(0, 1)).unit == 1


def test_the_fingerprint_changes_with_every_number() -> None:
    prints = {
        ResponseMatrix(TEXTS, ("a", "b"), success, cost).fingerprint
        for success, cost in ((table(0, 1), None), (table(1, 1), None), (table(0, 1), table(1, 2)))
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("agents", "success", "cost", "what"),
    [
        (("a",), table(1), None, "one alone"),
        (("a", "b"), table(1, 2), None, "number 0 … 1"),
        (("a", "b"), table(1, -0.5), None, "number 0 … 1"),
        (("a", "b"), table(1, 0, 1), None, r"shape \(40, 3\); it must be \(40, 2\)"),
        (("a", "b"), table(1, 0), table(1, -1), "0 or more"),
        (("a", "b"), table(1, NAN), None, "Only 0 questions were answered by two agents"),
        (("a", "b", "c"), table(1, 0, NAN), None, "no answer of 'c'"),
    ],
)
def test_a_matrix_from_which_nothing_can_be_learned_is_refused(
    agents: tuple[str, ...], success: NDArray[np.float64], cost: NDArray[np.float64] | None, what: str
) -> None:
    with pytest.raises(GateError, match=what):
        ResponseMatrix(TEXTS, agents, success, cost)

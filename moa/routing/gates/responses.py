"""Who answered which question right, and at what cost: what is learned from answers and not from labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moa.routing.examples import Examples


@dataclass(frozen=True, eq=False)
class Responses:
    """A response matrix: one row a question, one column an agent.

    Raises:
        GateError: the arrays do not fit together, a success is not 0 … 1, or there is no question.
    """

    agents: tuple[str, ...]
    vectors: NDArray[np.float32]
    """Unit vectors of the questions, shape (questions, dimension)."""
    success: NDArray[np.float32]
    """How right each answer was, 0 … 1, shape (questions, agents); NaN where an agent was not asked."""
    cost: NDArray[np.float32] | None = None
    """Of each answer, in any one unit, shape (questions, agents); NaN where it is not known."""

    def __post_init__(self) -> None:
        due = (len(self.vectors), len(self.agents))
        if not all(due):
            raise GateError("A response matrix needs one question and one agent at least.")
        for name, array in (("success", self.success), ("cost", self.cost)):
            if array is not None and array.shape != due:
                raise GateError(
                    f"The {name} of a response matrix has the shape {array.shape}; with {due[0]} questions and "
                    f"{due[1]} agents it must be {due}."
                )
        known = self.success[~np.isnan(self.success)]
        if not len(known) or known.min() < 0 or known.max() > 1:
            raise GateError("Success must be numbers 0 … 1: 1 is right, 0 is wrong, NaN is not asked.")
        if not np.isfinite(self.vectors).all():
            raise GateError("The vectors of a response matrix hold NaN or infinity.")

    @classmethod
    def of(cls, examples: Examples) -> Responses:
        """Take examples for answers: an agent's own are right, and those of the others are wrong.

        Raises:
            GateError: there are no examples.
        """
        if not len(examples.owners):
            raise GateError("There are no examples to learn from. Give the agents examples=[…].")
        success = (examples.owners[:, None] == np.arange(len(examples.agents))).astype(np.float32)
        return cls(examples.agents, examples.vectors, success)


def columns_of(learned: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the column of each wanted agent among those that were learned; −1 of one that is new.

    Raises:
        GateError: none of them is known, so that there would be nothing to decide by.
    """
    place = {name: index for index, name in enumerate(learned)}
    columns = [place.get(name, -1) for name in wanted]
    if columns and max(columns) < 0:
        raise GateError(
            f"The gate learned from answers of {', '.join(learned)}, and knows none of {', '.join(wanted)}. "
            "Train it on answers of these agents."
        )
    return columns


def arranged(table: NDArray[np.float32], columns: Sequence[int]) -> NDArray[np.float32]:
    """Return the columns asked for; for −1, the mean over all: what is known of an agent nobody has seen."""
    return np.column_stack([table, table.mean(axis=1)])[:, columns].astype(np.float32)

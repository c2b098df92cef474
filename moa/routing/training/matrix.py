"""A response matrix with its questions: what a gate of responses is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.training.questions import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 20
"""Questions that two agents or more must have answered: of less, chance alone would choose."""

SLACK = 0.1
"""How far beyond 0 … 1 a success may be: some metrics stray a little, and are taken for 0 or 1 there."""


@dataclass(frozen=True, eq=False)
class ResponseMatrix:
    """Questions, how right each agent's answer was, and what it cost.

    Raises:
        GateError: there are fewer than two agents, too few questions that two of them answered, or a number out of its
            range.
    """

    texts: tuple[str, ...]
    agents: tuple[str, ...]
    success: NDArray[np.float64]
    """0 … 1, shape (questions, agents); NaN where an agent was not asked."""
    cost: NDArray[np.float64] | None = None
    """Of each answer, in any one unit, shape (questions, agents); NaN where it is not known."""
    groups: tuple[str, ...] | None = None
    """Where each question is from."""

    def __post_init__(self) -> None:
        shape = (len(self.texts), len(self.agents))
        for name, table in (("success", self.success), ("cost", self.cost)):
            if table is not None and table.shape != shape:
                raise GateError(f"The {name} of a response matrix has the shape {table.shape}; it must be {shape}.")
        if len(self.agents) < 2:  # noqa: PLR2004
            raise GateError("A gate decides between agents, and the responses are of one alone. They need two or more.")
        known = self.success[~np.isnan(self.success)]
        if len(known) and (known.min() < -SLACK or known.max() > 1 + SLACK):
            raise GateError("Success must be a number 0 … 1: 1 is right, 0 is wrong.")
        object.__setattr__(self, "success", np.clip(self.success, 0, 1))
        if self.cost is not None and (np.nan_to_num(self.cost) < 0).any():
            raise GateError("A cost must be 0 or more.")
        if not self.asked.any(axis=1).all():
            raise GateError("There are questions that nobody answered. Leave them out.")
        if (count := int(self.shared.sum())) < FEWEST:
            raise GateError(
                f"Only {count} questions were answered by two agents or more, so that nobody can be compared. "
                f"There must be {FEWEST} or more."
            )
        if silent := [name for place, name in enumerate(self.agents) if not self.asked[:, place].any()]:
            raise GateError(f"There is no answer of {silent[0]!r}. Leave the agent out.")

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """Who was asked what, shape (questions, agents)."""
        return ~np.isnan(self.success)

    @cached_property
    def shared(self) -> NDArray[np.bool_]:
        """Which questions two agents or more answered, shape (questions,): those that tell who is better at what."""
        return np.asarray(self.asked.sum(axis=1) > 1)

    @cached_property
    def ease(self) -> NDArray[np.float64]:
        """How far the agents that were asked a question are above their own means on it, shape (questions,)."""
        return np.asarray(np.nanmean(self.success - np.nanmean(self.success, axis=0), axis=1))

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """Success less ease, shape (questions, agents): who is better at a question, whatever how easy it is.

        NaN where an agent was not asked, or nobody else was.
        """
        return np.where(self.shared[:, None], self.success - self.ease[:, None], np.nan)

    @cached_property
    def priced(self) -> bool:
        """Whether something is known of every agent's cost."""
        return self.cost is not None and bool((~np.isnan(self.cost)).any(axis=0).all())

    @cached_property
    def unit(self) -> float:
        """The mean cost of the agent with the highest mean success: what costs are counted in. 1 if not known."""
        if self.cost is None or not self.priced:
            return 1.0
        best = int(np.nanmean(self.success, axis=0).argmax())
        return float(np.nanmean(self.cost[:, best])) or 1.0

    @cached_property
    def families(self) -> tuple[NDArray[np.intp], ...]:
        """Questions put to the same agents belong together; the places of each family's, the largest family first."""
        _, of_row = np.unique(self.asked, axis=0, return_inverse=True)
        of_row = of_row.ravel()
        found = [np.flatnonzero((of_row == each) & self.shared) for each in range(of_row.max() + 1)]
        return tuple(sorted((rows for rows in found if len(rows)), key=len, reverse=True))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every question, success and cost, in hexadecimal digits."""
        costs = self.success.tolist() if self.cost is None else self.cost.tolist()
        return fingerprint([self.agents, *zip(self.texts, self.success.tolist(), costs, strict=True)])

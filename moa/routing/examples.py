"""The example questions of agents as vectors: what a gate learns from, and what explains its choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.agent import Agent

_ROOM = 2
"""How many times as large a table of all agents' examples may be as the examples, for its blanks."""
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts in, unit vectors of shape (texts, dimension) out."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Every example of every agent, in the agents' order."""

    agents: tuple[str, ...]
    """Names of all agents, those without an example too."""
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    """Unit vectors, shape (texts, dimension). Kept column by column: one question is compared with thousands of columns
    in half the time it takes with rows."""
    owners: NDArray[np.intp]
    """Which agent each example belongs to, as an index into `agents`; shape (texts,), ascending."""
    abouts: tuple[str, ...] = ()
    """The `about` text of every agent, blank where it has none; empty if these are not the examples of agents."""
    about_vectors: NDArray[np.float32] | None = None
    """Unit vectors of these, shape (agents, dimension); a row of zeros for a blank one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", np.asfortranarray(self.vectors))

    @classmethod
    def of(cls, agents: Sequence[Agent], embed: Embed) -> Examples:
        """Embed the examples of agents; an agent without any is known by its `about` text."""
        known_by = [known_text(agent) for agent in agents]
        texts = tuple(text for group in known_by for text in group)
        owners = np.repeat(np.arange(len(agents)), [len(group) for group in known_by])
        abouts = tuple(agent.about.strip() for agent in agents)
        vectors = embed((*texts, *filter(None, abouts)))
        about_vectors = np.zeros((len(agents), vectors.shape[1]), np.float32)
        about_vectors[[place for place, about in enumerate(abouts) if about]] = vectors[len(texts) :]
        names = tuple(agent.name for agent in agents)
        return cls(names, texts, vectors[: len(texts)], owners, abouts, about_vectors)

    def only(self, kept: NDArray[np.bool_]) -> Examples:
        """Return the examples for which `kept`, shape (texts,), is true; the agents stay as they are."""
        texts = tuple(self.texts[place] for place in np.flatnonzero(kept))
        return replace(self, texts=texts, vectors=self.vectors[kept], owners=self.owners[kept])

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Of every agent, where in `texts` and `vectors` its examples begin and end."""
        edges = np.searchsorted(self.owners, np.arange(len(self.agents) + 1)).tolist()
        return tuple(pairwise(edges))

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where each agent's examples begin, shape (agents,)."""
        return np.array([first for first, _ in self.bounds], np.intp)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How many each agent has, shape (agents,)."""
        return np.array([last - first for first, last in self.bounds], np.intp)

    @cached_property
    def widest(self) -> int:
        """How many the agent with the most has."""
        return int(self.counts.max(initial=0))

    @cached_property
    def table(self) -> NDArray[np.intp] | None:
        """The places of all examples, a row an agent, shape (agents, widest), filled up with the place after the last.

        None if one agent has so many that a table would be mostly blank.
        """
        if self.widest * len(self.agents) > _ROOM * len(self.texts):
            return None
        columns = np.arange(self.widest)
        return np.where(columns < self.counts[:, None], self.starts[:, None] + columns, len(self.texts))

    def of_agent(self, index: int) -> slice:
        """Return where one agent's examples are in `texts` and `vectors`."""
        return slice(*self.bounds[index])


def known_text(agent: Agent) -> tuple[str, ...]:
    """Return what an agent's field is known by: its examples, else its `about` text, else nothing."""
    if agent.examples:
        return tuple(agent.examples)
    return (agent.about,) if agent.about.strip() else ()

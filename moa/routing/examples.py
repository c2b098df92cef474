"""The example questions of agents as vectors: what a gate learns from, and what explains its choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Neighbour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.agent import Agent

_MANY = 100
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts in, unit vectors of shape (texts, dimension) out."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Every example of every agent, in the agents' order."""

    agents: tuple[str, ...]
    """Names of all agents, those without an example too."""
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    """Unit vectors, shape (texts, dimension)."""
    owners: NDArray[np.intp]
    """Which agent each example belongs to, as an index into `agents`; shape (texts,), ascending."""
    abouts: tuple[str, ...] = ()
    """The `about` text of every agent, blank where it has none; empty if these are not the examples of agents."""
    about_vectors: NDArray[np.float32] | None = None
    """Unit vectors of these, shape (agents, dimension); a row of zeros for a blank one."""

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

    def of_agent(self, index: int) -> slice:
        """Return where one agent's examples are in `texts` and `vectors`."""
        first, last = np.searchsorted(self.owners, [index, index + 1])
        return slice(int(first), int(last))

    def nearest_of_all(self, vector: NDArray[np.float32], count: int = 3) -> list[tuple[Neighbour, ...]]:
        """Return what `nearest` does of every agent, with one look at the examples."""
        similarities = self.vectors @ vector
        bounds = np.searchsorted(self.owners, np.arange(len(self.agents) + 1)).tolist()
        found = []
        for first, last in pairwise(bounds):
            mine = similarities[first:last]
            # Sorting thousands for the sake of three would take longer than all the rest of a decision.
            close = np.argpartition(-mine, count)[:count] if len(mine) > _MANY else np.arange(len(mine))
            order = close[np.lexsort((close, -mine[close]))][:count].tolist()
            found.append(tuple(Neighbour(self.texts[first + place], float(mine[place])) for place in order))
        return found

    def nearest(self, vector: NDArray[np.float32], index: int, count: int = 3) -> tuple[Neighbour, ...]:
        """Return the examples of one agent that are most similar to a unit vector, the nearest first."""
        mine = self.of_agent(index)
        similarities = self.vectors[mine] @ vector
        order = np.argsort(-similarities, kind="stable")[:count]
        texts = self.texts[mine]
        return tuple(Neighbour(texts[place], float(similarities[place])) for place in order)


def known_text(agent: Agent) -> tuple[str, ...]:
    """Return what an agent's field is known by: its examples, else its `about` text, else nothing."""
    if agent.examples:
        return tuple(agent.examples)
    return (agent.about,) if agent.about.strip() else ()

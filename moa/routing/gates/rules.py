"""The gate of rules: what a person has decided beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked, needed
from moa.routing.gates.markers import MARKERS
from moa.routing.wishes import Wishes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

ATTACHMENTS: Mapping[str, re.Pattern[str]] = {
    "code": MARKERS["code fence"],
    "traceback": re.compile(r"^Traceback \(most recent call last\):", re.MULTILINE),
    "formula": re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]|\\begin\{(?:equation|align|gather|multline)\*?\}", re.DOTALL),
    "table": re.compile(r"^\|.*\|[ \t]*\n\|[ \t:|-]+\|[ \t]*$", re.MULTILINE),
    "image": re.compile(r"!\[[^\]\n]*\]\([^)\n]+\)|data:image/"),
    "diff": re.compile(r"^(?:diff --git |@@ -\d+)", re.MULTILINE),
}
"""What may come along with a question, and how it is found."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Gives a question to an agent if a regular expression is found in it.

    Raises:
        GateError: the expression cannot be compiled.
    """

    agent: str
    pattern: str
    """A regular expression; capital letters do not matter."""
    name: str = ""
    """How the rule is called where it is explained; the pattern by default."""
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            compiled = re.compile(self.pattern, re.IGNORECASE | re.MULTILINE)
        except re.error as error:
            raise GateError(f"The rule for agent {self.agent!r} is no regular expression: {error}.") from error
        object.__setattr__(self, "compiled", compiled)
        object.__setattr__(self, "name", self.name or f"/{self.pattern}/")

    @classmethod
    def for_attachment(cls, agent: str, kind: str) -> Rule:
        """Return the rule that gives an agent every question that comes with an attachment of a kind.

        Raises:
            GateError: the kind is none of `ATTACHMENTS`.
        """
        if kind not in ATTACHMENTS:
            raise GateError(f"There is no attachment {kind!r} to go by. There are {', '.join(ATTACHMENTS)}.")
        rule = cls(agent, ATTACHMENTS[kind].pattern, f"comes with {kind}")
        object.__setattr__(rule, "compiled", ATTACHMENTS[kind])
        return rule


class RulesGate:
    """Scores an agent 1 if a rule gives it the question, or if the question addresses it as in `@law`, else 0.

    No rule, no score: a question that none hits is nobody's, and the router falls back. Mostly a part of a blend. It
    reads texts, and takes no notice of the vectors' content.

    Args:
        examples: of all agents; only their names are looked at.
        rules: in any order; every one that hits counts.

    Raises:
        GateError: a rule is for an agent that does not exist.
    """

    def __init__(self, examples: Examples, *, rules: Sequence[Rule] = ()) -> None:
        for rule in rules:
            if rule.agent not in examples.agents:
                raise GateError(
                    f"The rule {rule.name!r} is for agent {rule.agent!r}, who is none of {', '.join(examples.agents)}."
                )
        self._agents, self._rules = examples.agents, tuple(rules)

    def hits(self, text: str) -> list[tuple[str, str]]:
        """Return every agent that a rule gives the question to, with the rule's name: mentions first, then in order."""
        mentioned = [(name, f"mentions @{name}") for name in Wishes().hearing(text, self._agents).mentioned]
        return mentioned + [(rule.agent, rule.name) for rule in self._rules if rule.compiled.search(text)]

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return 1 or 0, float32, shape (questions, agents), for as many texts as there are vectors.

        Raises:
            GateError: there are no texts, or the vectors hold NaN.
        """
        texts = needed(texts, checked(vectors), "gate of rules")
        scores = np.zeros((len(texts), len(self._agents)), np.float32)
        for row, text in enumerate(texts):
            for agent, _ in self.hits(text):
                scores[row, self._agents.index(agent)] = 1
        return scores

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return 1 for the agent that was hit; several share it."""
        found: NDArray[np.float64] = scores / np.maximum(scores.sum(axis=1, keepdims=True, dtype=np.float64), 1)
        return found

    def parts(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Return, by the name of each rule that hit, its part in the scores; rules that hit together share them.

        Raises:
            GateError: as `scores`.
        """
        texts = needed(texts, checked(vectors), "gate of rules")
        parts: dict[str, NDArray[np.float32]] = {}
        for row, text in enumerate(texts):
            hits = self.hits(text)
            for agent, name in hits:
                part = parts.setdefault(name, np.zeros((len(texts), len(self._agents)), np.float32))
                part[row, self._agents.index(agent)] += 1 / sum(other == agent for other, _ in hits)
        return parts

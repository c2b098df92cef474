"""Feedback: what people said of earlier answers tips later decisions on similar questions, a little and for a while."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from moa.errors import StoreError, UsageError
from moa.store import Store, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder

_DAY_SECONDS = 86_400
_REMEMBERED = 1_000
"""The newest verdicts that count; older ones have faded, and more would take longer to search than a decision may."""


@dataclass(slots=True)
class Feedback:
    """Turns verdicts into a bias for every agent, by Thompson sampling in the region of the question.

    The region of a question is made of the verdicts on questions near to it. There each agent has a Beta posterior of
    giving a good answer, α = 1 + the good verdicts, β = 1 + the bad ones, where a verdict counts half as much after
    each half-life. A draw θ from it makes the bias `bound · (2θ − 1) · n / (n + 2)`, with n the verdicts that count:
    few of them move little, an agent without any does not move, and nobody moves further than the bound. Drawing in
    place of taking the mean keeps trying agents of whom little is known (Chapelle & Li 2011, "An Empirical Evaluation
    of Thompson Sampling"). What is drawn depends on the question, the verdicts and the seed alone: asked twice, the
    router says the same.

    The bias adds to an agent's probability in selection; neither the probability nor the weight of a draft changes.

    Args:
        store: where verdicts are kept; it is not made if it does not exist.
        mixture: whose agents are meant: agents of other mixtures may share a name, and be other models.
    """

    store: Store
    mixture: str
    bound: float = 0.15
    """How far a probability can be moved at most."""
    radius: float = 0.55
    """Cosine from which on a question is in the region of another; for MiniLM, the same narrow subject."""
    half_life_days: float = 30.0
    seed: int = 0
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""
    _known: _Known | None = field(default=None, init=False)
    _warned: bool = field(default=False, init=False)

    def record(
        self, question: str, agent: str, verdict: Literal["good", "bad"], *, better: str | None = None, run: str = ""
    ) -> int:
        """Store what a person said of an answer, and return the number by which it can be undone.

        Args:
            question: the text that was routed.
            agent: whose answer it was.
            verdict: a thumb up or down.
            better: the agent whose draft was better, or who should have been asked; then the verdict is `bad`.
            run: the run that it belongs to.

        Raises:
            UsageError: an agent cannot be better than itself, nor than one whose answer was good.
            StoreError: it cannot be stored.
        """
        if better and (better == agent or verdict == "good"):
            raise UsageError(f"{better} cannot be better than {agent}: name another agent, and a verdict that is bad.")
        given = Verdict(0, self.clock(), self.mixture, run or None, question, agent, verdict == "good", better)
        return self.store.add_verdict(given)

    def biases(self, vector: NDArray[np.float32], agents: Sequence[str], embedder: Embedder) -> dict[str, float]:
        """Return what feedback adds to each agent's probability; agents that nothing was said of are left out.

        A store that cannot be read warns once, and counts as no feedback.

        Args:
            vector: unit vector of the question, shape (dimension,).
            agents: names.
            embedder: what made the vector.
        """
        try:
            known = self._up_to_date(embedder)
        except StoreError as problem:
            if not self._warned:
                self._warned = True
                warnings.warn(f"Feedback is not heeded: {problem}", RuntimeWarning, stacklevel=2)
            return {}
        if known is None:
            return {}
        return self._drawn(known, vector, agents)

    def _drawn(self, known: _Known, vector: NDArray[np.float32], agents: Sequence[str]) -> dict[str, float]:
        good: dict[str, float] = {}
        bad: dict[str, float] = {}
        now = self.clock()
        for place in (known.vectors @ vector >= self.radius).nonzero()[0].tolist():
            verdict = known.verdicts[place]
            counts = 0.5 ** (max(0.0, now - verdict.given_unix) / (self.half_life_days * _DAY_SECONDS))
            side = good if verdict.good else bad
            side[verdict.agent] = side.get(verdict.agent, 0.0) + counts
            if verdict.better:
                good[verdict.better] = good.get(verdict.better, 0.0) + counts
        biases = {}
        for agent in agents:
            count = good.get(agent, 0.0) + bad.get(agent, 0.0)
            if count:
                draw = Random(f"{self.seed} {known.state} {crc32(vector.tobytes())} {agent}")  # noqa: S311  (no secret)
                share = draw.betavariate(1 + good.get(agent, 0.0), 1 + bad.get(agent, 0.0))
                biases[agent] = self.bound * (2 * share - 1) * count / (count + 2)
        return biases

    def _up_to_date(self, embedder: Embedder) -> _Known | None:
        """Return all verdicts with their vectors; None if there are none, or feedback is off."""
        if not self.store.path.exists():
            return None
        changes, switch = self.store.feedback_state()
        if switch == "off" or not changes:
            return None
        state = (changes, embedder.encoder.name)
        if self._known is None or self._known.state != state:
            verdicts = tuple(self.store.verdicts(self.mixture)[-_REMEMBERED:])
            self._known = _Known(state, verdicts, self._vectors(verdicts, embedder))
        return self._known if self._known.verdicts else None

    def _vectors(self, verdicts: Sequence[Verdict], embedder: Embedder) -> NDArray[np.float32]:
        """Return the questions' vectors, shape (verdicts, dimension); those this encoder has not made are made now."""
        import numpy as np

        name = embedder.encoder.name
        vectors = np.empty((len(verdicts), embedder.encoder.dimension), np.float32)
        new = []
        for row, verdict in enumerate(verdicts):
            kept = np.frombuffer(verdict.vector, np.float32) if verdict.encoder == name and verdict.vector else None
            if kept is not None and len(kept) == vectors.shape[1] and np.isfinite(kept).all():
                vectors[row] = kept
            else:
                new.append(row)
        for row, vector in zip(new, embedder.questions([verdicts[row].question for row in new]), strict=True):
            vectors[row] = vector
            self.store.keep_vector(verdicts[row].id, name, vector.tobytes())
        return vectors


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    state: tuple[int, str]
    """How often feedback was changed up to then, and the encoder."""
    verdicts: tuple[Verdict, ...]
    vectors: NDArray[np.float32]

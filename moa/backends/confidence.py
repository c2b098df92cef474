"""How sure a model was of its words: the probabilities of its tokens, as servers tell them."""

from __future__ import annotations

from math import exp, isfinite
from typing import Any


class Confidence:
    """Gathers the log-probabilities of an answer's tokens, chunk by chunk."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, logprobs: Any) -> None:
        """Take the `logprobs` of a chunk, as the OpenAI protocol has them; whatever else comes is passed over."""
        tokens = _of(logprobs, "content")
        for token in tokens if isinstance(tokens, list | tuple) else ():
            logprob = _of(token, "logprob")
            if isinstance(logprob, int | float) and isfinite(logprob):
                self._sum += min(0.0, logprob)
                self._count += 1

    @property
    def mean(self) -> float | None:
        """Geometric mean of the probabilities, 0 … 1; None if none was told."""
        return exp(self._sum / self._count) if self._count else None


def _of(value: Any, field: str) -> Any:
    """Return a field of a JSON object, or of the object that a library made of one."""
    return value.get(field) if isinstance(value, dict) else getattr(value, field, None)

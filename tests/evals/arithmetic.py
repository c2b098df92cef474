"""Questions whose answers anybody can check, for tests of evaluations."""

from __future__ import annotations

from collections.abc import Sequence

from moa.backends.base import Request
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.suite import Suite
from moa.messages import Conversation


class SameText:
    """Right is what stands there word for word."""

    name = "same-text"

    async def score(self, sample: Sample, output: str) -> Score:
        return Score(float(output.strip() == str(sample.target)), output.strip())


def sums(count: int, *, epochs: int = 1, metrics: Sequence[str] = ("mean",)) -> Suite:
    """Return the suite "1 + 1", "2 + 2" and so on."""
    samples = [
        Sample(str(number), Conversation.of(f"{number} + {number}"), str(2 * number), {"field": "math"})
        for number in range(1, count + 1)
    ]
    return Suite("sums", samples, SameText(), metrics, epochs)


def adds(request: Request) -> str:
    """Answer a sum."""
    left, right = request.messages[-1].content.split(" + ")
    return str(int(left) + int(right))


def doubles_small(request: Request) -> str:
    """Answer sums of numbers up to 5; say "many" otherwise."""
    number = int(request.messages[-1].content.split(" + ")[0])
    return str(2 * number) if number <= 5 else "many"

"""The best draft, untouched."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from moa.aggregation.base import AggregationEvent, Work
from moa.events import AnswerDelta


@dataclass(frozen=True, slots=True)
class Solo:
    """Returns the draft with the most routing weight, word for word, with no further call."""

    name: str = "solo"

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the text of the first draft."""
        yield AnswerDelta(work.turn.at(), work.drafts[0].text)

"""Having answers scored, where a scorer may raise, hang, or give something that is no score."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moa.errors import MoaError
from moa.evals.record import Scored
from moa.evals.sample import Sample
from moa.evals.score import Score, Scorer
from moa.evals.scorers.function import UserFunction
from moa.evals.scorers.judge import PairwiseJudge
from moa.evals.scorers.settled import Settled

SECONDS = 120.0
"""One score may take so long, if nobody says otherwise."""


@dataclass(slots=True)
class Scoring:
    """Scores answers; the same text of the same sample is scored once."""

    scorer: Scorer
    seconds: float = SECONDS
    """One score may take so long; then it is an error of the scorer."""
    _known: dict[tuple[str, str], Scored] = field(default_factory=dict)

    async def of(self, sample: Sample, output: str) -> Scored:
        """Return what the scorer gives an answer. What it raises is part of that, and so is that it hangs."""
        known = self._known.get((sample.id, output))
        if known is None:
            known = await self._scored(sample, output)
            if known.error is None:
                self._known[sample.id, output] = known
        return known

    async def of_drafts(self, sample: Sample, drafts: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
        """Return draft id → what the scorer gives its text, for drafts that succeeded.

        A judge costs calls, so that it is not asked about drafts: those are scored that were an answer too.
        """
        found: dict[str, float | None] = {}
        for draft in drafts:
            if draft["status"] == "ok":
                known = self._known.get((sample.id, str(draft["text"])))
                if known is None and not isinstance(self.scorer, PairwiseJudge):
                    known = await self.of(sample, str(draft["text"]))
                found[str(draft["id"])] = known.value if known else None
        return found

    def _limit(self) -> float | None:
        """Return the seconds of one score; None if the scorer ends by itself: its answers may wait for their turn."""
        return None if isinstance(self.scorer, Settled) and self.scorer.bounded else self.seconds

    async def _scored(self, sample: Sample, output: str) -> Scored:
        name = self.scorer.name
        try:
            async with asyncio.timeout(self._limit()) as deadline:
                score = await self._score(sample, output)
            return _checked(name, score)
        except TimeoutError as error:
            if deadline.expired():
                return Scored(name, error=f"The scorer {name} did not come to an end within {self.seconds:g} s.")
            return Scored(name, error=_told(name, error))
        except Exception as error:  # noqa: BLE001  (a scorer may be the user's own: it spoils one score, not the run)
            return Scored(name, error=_told(name, error))

    async def _score(self, sample: Sample, output: str) -> object:
        scoring = self.scorer.score(sample, output)
        if type(self.scorer).__module__.startswith("moa.") and not isinstance(self.scorer, UserFunction):
            return await scoring
        return await _apart(scoring)  # of a scorer of someone's own nobody knows whether it blocks


async def _apart(work: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine in a thread of its own, which is left behind if nobody waits for it any longer."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[object] = loop.create_future()

    def settle(value: object, error: BaseException | None) -> None:
        if not result.done():
            result.set_exception(error) if error else result.set_result(value)

    def run() -> None:
        value, error = None, None
        try:
            value = asyncio.run(work)
        except Exception as raised:  # noqa: BLE001  (it is raised again where it is waited for)
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="scorer", daemon=True).start()
    return await result


def _checked(name: str, score: object) -> Scored:
    if not isinstance(score, Score):
        return Scored(name, error=f"The scorer {name} returned {score!r:.80}, which is no Score.")
    if isinstance(score.value, bool) or not isinstance(score.value, int | float) or not 0 <= score.value <= 1:
        return Scored(name, error=f"The scorer {name} gave {score.value!r:.40}; a score is a number 0 … 1.")
    return Scored(name, float(score.value), score.answer, score.explanation)


def _told(name: str, error: Exception) -> str:
    said = str(error) if isinstance(error, MoaError) else f"{type(error).__name__}: {error}"
    return f"The scorer {name} failed: {said}"

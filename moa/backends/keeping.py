"""An answer on its way into the cache of drafts, and out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moa.backends.base import Chunk, Delta, Finish
from moa.messages import Usage
from moa.store.drafts import Kept


def kept_of(heard: Sequence[Chunk]) -> Kept | None:
    """Return what is kept of an answer; None if it was cut off, is empty, or asks for tools."""
    finish = next((chunk for chunk in reversed(heard) if isinstance(chunk, Finish)), None)
    deltas = [chunk for chunk in heard if isinstance(chunk, Delta)]
    text = "".join(delta.text for delta in deltas if not delta.reasoning)
    if finish is None or finish.reason == "length" or finish.tool_calls or not text.strip():
        return None
    thought = "".join(delta.text for delta in deltas if delta.reasoning)
    return Kept(text, thought, finish.reason, finish.confidence)


def replayed(kept: Kept) -> Iterator[Chunk]:
    """Yield an answer that was kept. It used and cost nothing now, and says that it was kept."""
    if kept.reasoning:
        yield Delta(kept.reasoning, reasoning=True)
    yield Delta(kept.text)
    yield Finish(Usage(), kept.reason, 0.0, kept.confidence, cached=True)

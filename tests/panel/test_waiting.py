"""A draft that waits for what others hold does not use up its own time, but the turn's."""

from __future__ import annotations

import asyncio

import pytest

from moa import Agent, Budget, Mixture
from moa.backends.base import Delta, Finish, Notice
from moa.errors import MoaError
from moa.events import DraftNotice
from moa.messages import Usage
from moa.panel import Drafting
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

DEADLINE, LONGER = 0.02, 0.1  # seconds


def mixture(*, held_up: bool) -> Mixture:
    """Return an agent whose model waits longer than a draft may take, for others or by itself."""
    memory = asyncio.Event()
    asyncio.get_running_loop().call_later(LONGER, memory.set)
    waits = Notice("waiting", "math waits for memory.", held_up=held_up)
    model = ScriptedModel([waits, memory, Delta("42"), Finish(Usage(1, 1), "stop", 0.0)])
    return Mixture([Agent("math", model=model)], router=FixedRouter(math=1.0), drafting=Drafting(deadline=DEADLINE))


async def test_waiting_for_memory_does_not_count() -> None:
    events = [event async for event in mixture(held_up=True).stream("?")]

    assert events[-1].answer.text == "42"  # type: ignore[union-attr]
    assert [event.text for event in events if isinstance(event, DraftNotice)] == ["math waits for memory."]


async def test_waiting_for_oneself_does() -> None:
    with pytest.raises(MoaError, match=r"No complete answer within 0\.02 s"):
        await mixture(held_up=False).ask("?")


async def test_the_turns_time_counts_in_any_case() -> None:
    with pytest.raises(MoaError, match="No complete answer within"):
        await mixture(held_up=True).ask("?", budget=Budget(seconds=LONGER / 2))

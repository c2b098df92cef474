"""Telling backends beforehand what a turn will ask of them, for those that work better if they know."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol, cast, runtime_checkable

from moa.backends.base import Backend
from moa.backends.wrapped import unwrapped


@runtime_checkable
class Foresees(Protocol):
    """A backend that shares something scarce with others of its kind, such as the memory of this machine."""

    def foresee(self, now: Sequence[Backend], then: Sequence[Backend]) -> AbstractAsyncContextManager[None]:
        """Take note of what will be asked of this kind of backend by the calls that are made within the context.

        It is a forecast and no promise: some of the calls may never be made, and others may.

        Args:
            now: the model of each draft; the same one several times if several agents share it.
            then: what is asked once the drafts are written, the first one first.
        """
        ...


@asynccontextmanager
async def foreseen(now: Sequence[Backend], then: Sequence[Backend]) -> AsyncGenerator[None, None]:
    """Tell every backend that wants to know what will be asked of its kind within this context.

    Args:
        now: the model of each draft.
        then: what is asked once the drafts are written, the first one first.
    """
    drafting, following = [[*map(unwrapped, backends)] for backends in (now, then)]
    kinds = {type(backend): cast("Foresees", backend) for backend in (*drafting, *following) if foresees(backend)}
    async with AsyncExitStack() as stack:
        for kind, one in kinds.items():
            mine = [[each for each in backends if type(each) is kind] for backends in (drafting, following)]
            await stack.enter_async_context(one.foresee(*mine))
        yield


def foresees(backend: Backend | None) -> bool:
    """Whether a backend wants to know; quicker than to ask whether it is one of `Foresees`."""
    return hasattr(unwrapped(backend), "foresee") if backend else False

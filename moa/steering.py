"""A hand on a run that is under way: whoever follows it may ask for the answer now, or give one draft up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager


class Steering:
    """Handed to `Mixture.stream`, and good for that one run. Both ends belong to the same event loop.

    Example:
        >>> steering = Steering()
        >>> events = mixture.stream("Why is the sky blue?", steering=steering)  # doctest: +SKIP
        >>> steering.answer_now()
    """

    def __init__(self) -> None:
        self.hurried = False
        """Whether the answer was asked for at once."""
        self._hurries: list[Callable[[], None]] = []
        self._cancels: list[Callable[[str], bool]] = []

    def answer_now(self) -> None:
        """Ask for an answer from what has arrived.

        Drafts that are still being written are not waited for any longer; if none is complete, the longest of them is
        the answer as far as it has come; if nothing has been written at all, the first one to be complete is. An
        aggregator that is at work is broken off: what it has written stands if no guard still has to judge it, else
        the best draft does. The form that was asked for is seen to, and reviewers look at the answer, as ever.
        """
        self.hurried = True
        for hurry in tuple(self._hurries):
            hurry()

    def cancel(self, draft: str) -> bool:
        """Give one draft up, by its identifier as in `DraftStarted`; the others go on. Its call is closed.

        Returns:
            False if that draft is not being written.
        """
        return any(cancel(draft) for cancel in tuple(self._cancels))

    @asynccontextmanager
    async def hurrying(self, deadline: asyncio.Timeout) -> AsyncIterator[None]:
        """Have a deadline end at once when the answer is asked for."""

        def end() -> None:
            if not ended:
                ended.append(True)
                deadline.reschedule(0.0)

        ended: list[bool] = []
        with self.steered(end):
            yield

    @contextmanager
    def steered(self, hurry: Callable[[], None], cancel: Callable[[str], bool] | None = None) -> Iterator[None]:
        """Have `hurry` called when the answer is asked for, and `cancel` when a draft is to be given up."""
        self._hurries.append(hurry)
        if cancel:
            self._cancels.append(cancel)
        try:
            yield
        finally:
            self._hurries.remove(hurry)
            if cancel:
                self._cancels.remove(cancel)

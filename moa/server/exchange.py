"""One request on its way: who asks, what is known of it for logs and figures, and how it can be broken off."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa.server.refusal import Refusal
from moa.server.tenants import Tenant

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive

    from moa.answers import Answer


class ClientGone(Exception):
    """Whoever asked does not listen any more."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its response."""

    method: str = ""
    path: str = ""
    id: str = field(default_factory=lambda: f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}")
    """Of the same form as the identifier of a run; once there is a run, it is the run's."""
    tenant: Tenant | None = None
    model: str = ""
    runs: list[str] = field(default_factory=list)
    panel: tuple[str, ...] = ()
    mixture: str = ""
    answers: list[Answer] = field(default_factory=list)
    refusal: Refusal | None = None
    detail: str = ""
    """What went wrong, for the log; the client may have been told less."""
    status: int = 0
    streamed: bool = False
    follows: bool = False
    """Whether it reads the feed, and so would never end by itself."""
    first_token: float | None = None
    """Seconds until the first word of the answer was sent."""
    started: float = field(default_factory=time.perf_counter)
    _task: asyncio.Task[object] | None = None
    _why: Refusal | ClientGone | None = None

    @property
    def asker(self) -> Tenant:
        """Whoever asks: the front lets nobody in without."""
        assert self.tenant is not None  # noqa: S101
        return self.tenant

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.started

    @property
    def frank(self) -> bool:
        """Whether the client may see how the server is set up, and what models said."""
        return self.tenant is not None and self.tenant.watches

    def headers(self) -> dict[str, str]:
        """Return what the response's headers tell of it."""
        told = {"x-request-id": self.id, "x-moa-request-id": self.id}
        if len(self.runs) > 1:
            told["x-moa-runs"] = ",".join(self.runs)
        if self.panel:
            told["x-moa-panel"] = ",".join(self.panel)
        if self.mixture:
            told["x-moa-mixture"] = in_header(self.mixture)
        return told

    def break_off(self, why: Refusal) -> None:
        """Have the work for it cancelled, and the client told why."""
        self._break_off(why)

    def _break_off(self, why: Refusal | ClientGone) -> None:
        if self._task and not self._why and not self._task.done():
            self._why = why
            self._task.cancel()

    @asynccontextmanager
    async def attended(self, receive: Receive) -> AsyncGenerator[None, None]:
        """Do the work for it, which ends when the client goes away or it is broken off.

        The request's body must have been read.

        Raises:
            ClientGone: nobody listens any more.
            Refusal: it was broken off.
        """
        self._task = asyncio.current_task()
        watching = asyncio.create_task(self._watch(receive))
        try:
            yield
        except asyncio.CancelledError:
            if self._why is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._why from None
        finally:
            watching.cancel()
            self._task = None

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._break_off(ClientGone())


def in_header(text: str) -> str:
    """Return a text that can stand in a header: nothing in it can end the line, or is outside of ASCII."""
    return "".join(character if " " <= character <= "~" else "?" for character in text[:200])


def exchange_of(request: Request) -> Exchange:
    """Return what is known of a request that the front let in."""
    exchange: Exchange = request.scope["moa"]
    return exchange

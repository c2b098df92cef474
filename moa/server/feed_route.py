"""`GET /v1/moa/events`: the feed, as server-sent events. `docs/event-feed.md` says what it holds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response

from moa.server.broadcast import TYPES, Gap, Item, read
from moa.server.chat_words import sse
from moa.server.discretion import Discretion
from moa.server.exchange import ClientGone, exchange_of
from moa.server.generating import Sending
from moa.server.house import house_of
from moa.server.moa_routes import kept_run, no_run
from moa.server.refusal import Refusal, refusal_of
from moa.server.standing import Standing

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from moa.server.exchange import Exchange
    from moa.server.house import House

_LAST = {"run_finished", "run_failed", "run_cancelled"}
_HELLO = b"retry: 2000\n\n"
_STILL_HERE = b": still here\n\n"


async def events(request: Request) -> Response:
    """Tell what happens, as it happens.

    Raises:
        Refusal: the types or the run make no sense, or there are too many readers.
    """
    house, exchange = house_of(request), exchange_of(request)
    query = request.query_params
    for name in query:
        if name not in {"types", "run"}:
            told = "The feed takes the parameters types and run."
            raise Refusal(400, told, code="unknown_parameter", param=name[:100] if name.isprintable() else None)
    types = frozenset(filter(None, query.get("types", "").split(","))) or TYPES
    if types - TYPES:
        told = f"types are among {', '.join(sorted(TYPES))}."
        raise Refusal(400, told, code="invalid_value", param="types")
    house.lobby.check()
    if house.readers >= house.settings.most_readers:
        told = "The feed has as many readers as it may have."
        raise Refusal(429, told, kind="rate_limit_error", code="too_many_readers", retry_after=5)
    run = query.get("run")
    if run is not None and kept_run(house, exchange, run) is None:
        raise no_run(run)
    return Feed(house, exchange, types, run, request.headers.get("last-event-id"))


class Feed(Response):
    """The response, which does not end by itself."""

    def __init__(
        self, house: House, exchange: Exchange, types: frozenset[str], run: str | None, last: str | None
    ) -> None:
        self.house, self.exchange, self.types, self.run, self.last = house, exchange, types, run, last
        self.discretion = Discretion(exchange.frank)
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the feed until the reader leaves, its key is revoked, or the server stops."""
        del scope
        house, exchange = self.house, self.exchange
        sending = Sending(house, exchange, send)
        house.readers += 1
        house.open.add(exchange)
        exchange.follows = True
        try:
            async with exchange.attended(receive):
                await sending.piece(_HELLO)
                async with aclosing(self._pieces()) as pieces:
                    async for piece in pieces:
                        await sending.piece(piece)
            await sending.end()
        except ClientGone:
            pass
        except Refusal as error:
            exchange.refusal = error
            await sending.end(sse(refusal_of(error, frank=exchange.frank).body(), "error"))
        finally:
            sending.close()
            house.readers -= 1
            house.open.discard(exchange)

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        broadcast, settings = self.house.broadcast, self.house.settings
        standing = Standing(self.house, self.exchange)
        if self.run is not None:
            async with aclosing(self._of_run(self.run)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        wants_server = "server" in self.types
        if wants_server:
            yield sse(standing.now(), "server")
        start, gap = self._start()
        quiet = 0.0
        async with aclosing(read(broadcast, start, gap=gap, seconds=settings.server_seconds)) as batches:
            async for batch in batches:
                piece = self._written(batch)
                if wants_server and standing.due(settings.server_seconds):
                    piece += sse(standing.now(), "server")
                quiet = 0.0 if piece else quiet + settings.server_seconds
                if quiet >= settings.quiet_seconds:
                    piece, quiet = _STILL_HERE, 0.0
                if piece:
                    yield piece

    def _start(self) -> tuple[int, Gap | None]:
        """Return the item after which to begin, and what is missing before it."""
        broadcast = self.house.broadcast
        if self.last is None:
            return broadcast.newest, None
        place = broadcast.place_of(self.last)
        if place is not None:
            return place, None
        items, _ = broadcast.after(0)
        return (items[0].number - 1 if items else broadcast.newest), Gap(None)

    def _written(self, batch: Sequence[Item | Gap]) -> bytes:
        """Return what of some items this reader may see and wants to."""
        written = b""
        for each in batch:
            if isinstance(each, Gap):
                # How many of the lost ones this reader would have been shown, nobody knows.
                lost = each.lost if self.exchange.frank and self.types == TYPES else None
                written += sse({"lost": lost}, "gap")
            elif each.type in self.types and self._may_see(each):
                written += self._item(each)
        return written

    def _may_see(self, item: Item) -> bool:
        tenant = self.exchange.tenant
        return self.exchange.frank or (tenant is not None and item.owner == tenant.id)

    def _item(self, item: Item) -> bytes:
        identifier = f"{self.house.broadcast.epoch}-{item.number}"
        data = item.data(self.discretion)
        return f"id: {identifier}\nevent: {item.type}\ndata: {data}\n\n".encode("utf-8", "replace")

    async def _of_run(self, run: str) -> AsyncGenerator[bytes, None]:
        """Yield one run from its beginning to its end."""
        broadcast, settings = self.house.broadcast, self.house.settings
        items = broadcast.of_run(run)
        if not items or items[0].type != "run_started":
            raise no_run(run)
        resumed = broadcast.place_of(self.last) if self.last else None
        seen = 0
        while True:
            for item in items:
                seen = item.number
                if seen > (resumed or 0) and item.type in self.types:
                    yield self._item(item)
            if items and items[-1].type in _LAST:
                return
            items = [item for item in broadcast.after(seen)[0] if item.run == run]
            if not items and not await broadcast.changed(settings.quiet_seconds):
                yield _STILL_HERE

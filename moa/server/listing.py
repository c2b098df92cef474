"""`GET /v1/models`, and how the server is: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response

from moa.server.chat_words import to_bytes
from moa.server.exchange import exchange_of
from moa.server.house import house_of
from moa.server.refusal import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from moa.server.house import House


async def models(request: Request) -> Response:
    """List the model names that whoever asks can use."""
    house = house_of(request)
    listed = [_model(name, house) for name in _names(request, house)]
    return json_response({"object": "list", "data": listed})


async def model(request: Request) -> Response:
    """Describe one model name.

    Raises:
        Refusal: there is none of it.
    """
    house = house_of(request)
    name = request.path_params["name"]
    exchange = exchange_of(request)
    if name != house.offers.encoder():
        house.offers.named(name, exchange.asker)
    return json_response(_model(name, house))


async def health(_: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


async def readiness(request: Request) -> Response:
    """Say whether questions can be answered."""
    house = house_of(request)
    problem = "The server is about to stop." if house.lobby.draining else house.ready()
    return PlainTextResponse(f"{problem or 'ready'}\n", 503 if problem else 200)


async def metrics(request: Request) -> Response:
    """Give out all figures, for Prometheus. They are of all keys together, so only who may watch may see them.

    Raises:
        Refusal: this key may not.
    """
    house, exchange = house_of(request), exchange_of(request)
    if not exchange.frank:
        told = "This key may not see the figures of the whole server. Make one that may: moa keys add NAME --watch"
        raise Refusal(403, told, kind="permission_error", code="not_allowed")
    return Response(house.figures.text(house), media_type="text/plain; version=0.0.4; charset=utf-8")


def json_response(value: object, status: int = 200) -> Response:
    """Return a response that holds a value as JSON."""
    return Response(to_bytes(value), status, media_type="application/json")


def _names(request: Request, house: House) -> list[str]:
    exchange = exchange_of(request)
    return [*house.offers.listed(exchange.asker), house.offers.encoder()]


def _model(name: str, house: House) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(house.started_unix), "owned_by": "moa"}

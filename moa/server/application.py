"""The application: routes around a house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from moa.server.chat import chat
from moa.server.embeddings import embeddings
from moa.server.exchange import exchange_of
from moa.server.feed_route import events
from moa.server.front import Front
from moa.server.listing import health, json_response, metrics, model, models, readiness
from moa.server.moa_routes import feedback, route, run
from moa.server.refusal import Refusal
from moa.server.responses import responses

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from moa.server.house import House


def application(house: House) -> Starlette:
    """Return the application of a house, for any server of ASGI."""
    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/responses", responses, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{name:path}", model, methods=["GET"]),
        Route("/v1/moa/events", events, methods=["GET"]),
        Route("/v1/moa/runs/{run}", run, methods=["GET"]),
        Route("/v1/moa/route", route, methods=["POST"]),
        Route("/v1/moa/feedback", feedback, methods=["POST"]),
        Route("/healthz", health, methods=["GET"]),
        Route("/readyz", readiness, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
    middleware = [Middleware(Front, house=house)]
    if house.settings.cors_origins:
        cors: dict[str, Any] = {
            "allow_origins": list(house.settings.cors_origins),
            "allow_methods": ["GET", "POST"],
            "allow_headers": ["authorization", "content-type", "last-event-id"],
            "expose_headers": ["x-moa-request-id", "x-moa-panel", "x-moa-runs", "x-moa-mixture"],
        }
        middleware.insert(0, Middleware(CORSMiddleware, **cors))
    app = Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={Refusal: _refused, HTTPException: _no_route},
    )
    app.router.redirect_slashes = False
    app.state.house = house
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  (registered for nothing else)
    exchange_of(request).refusal = error
    response = json_response(error.body(), error.status)
    response.headers.update(error.headers())
    if error.status in {408, 413}:
        response.headers["connection"] = "close"  # what is left of the body is not worth reading
    return response


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:  # noqa: PLR2004
        refusal = Refusal(405, "There is something here, but not for this method.", code="method_not_allowed")
    else:
        refusal = Refusal(error.status_code, "There is nothing here.", code="not_found")
    exchange_of(request).refusal = refusal
    response = json_response(refusal.body(), refusal.status)
    response.headers.update(error.headers or {})
    return response

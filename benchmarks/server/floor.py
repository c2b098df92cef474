"""The floor: a bare Starlette application that hands requests on over aiohttp, and the bytes of answers back."""

from __future__ import annotations

import sys

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_sessions: list[aiohttp.ClientSession] = []


async def hand_on(request: Request) -> Response:
    """Post the body upstream."""
    if not _sessions:
        _sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    body = await request.body()
    answer = await _sessions[0].post(sys.argv[1], data=body, headers={"content-type": "application/json"})
    if answer.content_type == "text/event-stream":
        return StreamingResponse(answer.content.iter_any(), media_type="text/event-stream")
    return Response(await answer.read(), media_type="application/json")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/v1/chat/completions", hand_on, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)

"""The chat in a browser: textual-serve runs `moa chat` once for each tab, and a page shows it as a terminal.

Whoever reaches the page can ask models, read every session and spend money. textual-serve itself lets anybody in who
reaches the port, and a browser lets any page reach a port of its own machine. So this serves the loopback interface
only, and to nobody who does not have the token in the address that is printed: it is exchanged for a cookie once.
Requests for another host name (DNS rebinding) or from another page (cross-site WebSocket hijacking) are refused.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moa.errors import UsageError
from moa.tui import BROWSER_PORT

try:
    from textual_serve.server import Server
except ImportError as error:
    raise UsageError(
        "The chat in a browser needs textual-serve, which is not installed. "
        "Install it with: pip install 'mixture-of-agents[web]'"
    ) from error

_HOST = "127.0.0.1"
_OTHER_NAME = "localhost"
_PAGE = Path(__file__).with_name("browser_page")
_TOKEN_BYTES = 24
_WEBSOCKET = "/ws"


class BrowserServer(Server):
    """Serves a command that shows a Textual app.

    Args:
        command: the program and its arguments.
        port: where to listen on the loopback interface.
        token: what lets a browser in; a random one by default.
    """

    def __init__(self, command: Sequence[str], port: int = BROWSER_PORT, token: str | None = None) -> None:
        joined = subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)
        super().__init__(joined, host=_HOST, port=port, title="moa", templates_path=_PAGE)
        self.public_url = f"http://{_HOST}:{port}"
        self.token = token or secrets.token_urlsafe(_TOKEN_BYTES)
        self._cookie = f"moa-{port}"
        self._tabs: set[asyncio.Task[object]] = set()

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"{self.public_url}/?token={self.token}"

    def initialize_logging(self) -> None:
        """Log warnings only: the log of requests would hold the token."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is."""
        del app
        said = (
            "The chat is in your browser: open",
            f"  {self.address}",
            "Whoever has it, on this machine, can use it. Each tab is a chat of its own; Ctrl+C ends them all.",
        )
        print("\n".join(said), file=sys.stderr, flush=True)  # noqa: T201  (this is what it is for)

    async def on_shutdown(self, app: web.Application) -> None:
        """End the chats, rather than wait for their tabs to be closed."""
        del app
        for tab in self._tabs:
            tab.cancel()

    # The only hook for what has to happen before every request; textual-serve is held to the versions that have it.
    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard())
        app.router.add_static("/page", _PAGE)
        return app

    def _guard(self) -> Middleware:
        """Return what every request has to pass."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.host == f"{_OTHER_NAME}:{self.port}":  # its cookies are not those of what is served
                return web.Response(status=307, headers={"location": f"{self.public_url}{request.path_qs}"})
            if why := self._objection(request):
                return web.Response(status=403, text=f"{why}\n")
            if "token" in request.query:
                return self._with_cookie()
            if request.path == _WEBSOCKET:
                return await self._followed(request, handler)
            response = await handler(request)
            response.headers.update(self._headers())
            return response

        return guard

    def _objection(self, request: web.Request) -> str:
        """Return why a request is not let in; nothing if it is."""
        if request.host != f"{_HOST}:{self.port}":
            return "This is not served under that name."
        if request.headers.get("origin", self.public_url) != self.public_url:
            return "Another page may not use it."
        if (given := request.query.get("token")) is not None:
            wrong = "That token is not the one that moa chat --web printed; each start has another."
            return "" if _same(given, self.token) else wrong
        known = _same(request.cookies.get(self._cookie, ""), self.token)
        return "" if known else "Open the address that moa chat --web printed: it holds a token."

    def _with_cookie(self) -> web.Response:
        """Return the way to the page, with a cookie for the token, which is then no longer in the address."""
        response = web.Response(status=303, headers={"location": "/"})
        response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
        return response

    async def _followed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Hold on to a tab as long as it is open, so that it can be ended."""
        tab = asyncio.current_task()
        if tab is None:  # aiohttp runs every request in one
            return await handler(request)
        self._tabs.add(tab)
        try:
            return await handler(request)
        finally:
            self._tabs.discard(tab)

    def _headers(self) -> dict[str, str]:
        """Return what the page may load: nothing from elsewhere."""
        allowed = (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the terminal writes its own styles
            "font-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' ws://{_HOST}:{self.port}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
        return {
            "content-security-policy": "; ".join(allowed),
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }


def serve_chat(arguments: Sequence[str], port: int = BROWSER_PORT) -> None:
    """Serve `moa chat` to browsers on this machine until it is stopped.

    Args:
        arguments: of `moa chat`.
        port: where to listen.

    Raises:
        UsageError: the port cannot be listened on.
    """
    server = BrowserServer([sys.executable, "-m", "moa", "chat", *arguments], port)
    try:
        server.serve()
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        why = "is taken" if error.errno == errno.EADDRINUSE else "may not be listened on"
        raise UsageError(f"Port {port} {why}. Choose another one: moa chat --web --port {port + 1}") from error


def _same(given: str, expected: str) -> bool:
    """Whether two secrets are the same; how long it takes tells nothing of them."""
    return secrets.compare_digest(given.encode(errors="replace"), expected.encode())

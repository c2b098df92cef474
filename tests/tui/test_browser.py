"""The chat in a browser, over real HTTP and a real WebSocket: who is let in, what is shown, how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest
import typer
from aiohttp import web
from textual_serve.app_service import AppService

from moa.cli.browser import in_browser, passed_on
from moa.cli.chat import ChatCommand, chat
from moa.errors import UsageError
from moa.tui.browser import BrowserServer
from tests.cli.terminal import moa

PATIENCE_SECONDS = 60
CHAT = """
import sys
import moa.tui
from tests.tui.scenes import done_scene, scripted_source
import moa.tui.source
moa.tui.source.open_mixture = lambda *_: scripted_source(done_scene())
sys.exit(moa.tui.run_chat())
"""


def free_port() -> int:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@dataclass
class Browser:
    """A served chat, and a browser that has not been there yet."""

    server: BrowserServer
    client: aiohttp.ClientSession

    async def status(self, path: str, **headers: str) -> int:
        async with self.client.get(self.server.public_url + path, headers=headers, allow_redirects=False) as response:
            return response.status

    async def enter(self) -> str:
        """Open the address that was printed, and return the page."""
        async with self.client.get(self.server.address) as response:
            assert response.status == 200
            assert str(response.url) == f"{self.server.public_url}/", "the token is no longer in the address"
            return await response.text()

    @asynccontextmanager
    async def tab(self, **headers: str) -> AsyncIterator[Tab]:
        address = f"{self.server.public_url}/ws?width=120&height=40"
        async with self.client.ws_connect(address, headers={"origin": self.server.public_url, **headers}) as socket_:
            yield Tab(socket_)


class Tab:
    """The WebSocket of a tab."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.drawn = ""

    async def shows(self, text: str) -> None:
        """Read until a text was drawn."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.drawn:
                message = await self.websocket.receive()
                assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, self.drawn[-2000:]
                if message.type == aiohttp.WSMsgType.BINARY:
                    self.drawn += re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", message.data.decode())

    async def ends(self) -> None:
        """Read until the other side closes it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.websocket.closed:
                await self.websocket.receive()

    async def type(self, keys: str) -> None:
        await self.websocket.send_json(["stdin", keys])


class Service(AppService):
    """A program behind a tab, as textual-serve runs it, that can be waited for."""

    every: ClassVar[list[Service]] = []

    async def start(self, width: int, height: int) -> None:
        self.every.append(self)
        await super().start(width, height)

    @classmethod
    async def all_ended(cls) -> None:
        for service in cls.every:
            assert service._process is not None
            await service._process.wait()


@asynccontextmanager
async def browser(code: str = CHAT) -> AsyncIterator[Browser]:
    server = BrowserServer([sys.executable, "-c", code], free_port())
    runner = web.AppRunner(await server._make_app())
    Service.every.clear()
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", server.port).start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            yield Browser(server, client)
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await runner.cleanup()
            await Service.all_ended()


@pytest.fixture(autouse=True)
def counted_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual_serve.server.AppService", Service)


async def test_a_question_is_asked_and_answered_in_a_tab() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        async with chat_page.tab() as tab:
            await tab.shows("Ask the panel")
            await tab.shows("· ready")
            await tab.type("Which primes?")
            await tab.shows("Which primes?")
            await tab.type("\r")
            await tab.shows("There are ten of them")


async def test_the_chat_follows_the_size_of_the_window() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        async with chat_page.tab() as tab:
            await tab.shows("· ready")
            await tab.websocket.send_json(["resize", {"width": 60, "height": 20}])
            await tab.type("Which primes?\r")
            await tab.shows("There are ten of them")
            assert "Timeline" not in tab.drawn, "there is no room for the panel"
            await tab.websocket.send_json(["resize", {"width": 120, "height": 40}])
            await tab.shows("Timeline")


async def test_quitting_in_a_tab_closes_it() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        async with chat_page.tab() as tab:
            await tab.shows("· ready")
            await tab.type("\x11")
            await tab.ends()


async def test_when_the_server_ends_the_tabs_end_with_it() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        async with chat_page.tab() as tab:
            await tab.shows("Ask the panel")
            await chat_page.server.on_shutdown(web.Application())
            await tab.ends()


async def test_without_the_token_nothing_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    async with browser() as stranger:
        for path in ("/", "/ws", "/static/js/textual.js", "/page/focus.js", "/download/x", "/nowhere"):
            assert await stranger.status(path) == 403, path
        assert await stranger.status("/?token=") == 403
        assert await stranger.status("/?token=guessed") == 403
        assert await stranger.status("/", cookie=f"moa-{stranger.server.port}=guessed") == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with stranger.tab():
                raise AssertionError("the door is open")
        assert stranger.server.address in capsys.readouterr().err, "where the token is said"


async def test_the_token_lets_in_once_for_all_and_the_cookie_is_not_for_scripts() -> None:
    async with browser() as chat_page:
        async with chat_page.client.get(chat_page.server.address, allow_redirects=False) as response:
            assert response.status == 303
            cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        for path in ("/", "/static/js/textual.js", "/static/css/xterm.css", "/page/focus.js"):
            assert await chat_page.status(path) == 200, path


async def test_another_page_cannot_use_the_cookie() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        assert await chat_page.status("/", origin="http://evil.example") == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with chat_page.tab(origin="http://evil.example"):
                raise AssertionError("the door is open")


async def test_a_host_name_that_was_rebound_to_this_machine_is_refused() -> None:
    async with browser() as chat_page:
        await chat_page.enter()
        assert await chat_page.status("/", host=f"evil.example:{chat_page.server.port}") == 403
        assert await chat_page.status("/", host="127.0.0.1") == 403


async def test_localhost_leads_to_the_address() -> None:
    async with browser() as chat_page:
        address = chat_page.server.address.replace("127.0.0.1", "localhost")
        async with chat_page.client.get(
            chat_page.server.address, headers={"host": address.split("/")[2]}, allow_redirects=False
        ) as response:
            assert response.status == 307
            assert response.headers["location"] == chat_page.server.address


async def test_the_page_loads_nothing_from_elsewhere_and_fits_into_no_frame() -> None:
    async with browser() as chat_page:
        page = await chat_page.enter()
        assert set(re.findall(r"(?:https?|wss?)://[^/\"]+", page)) == {
            chat_page.server.public_url,
            chat_page.server.public_url.replace("http", "ws"),
        }
        async with chat_page.client.get(chat_page.server.public_url) as response:
            policy = response.headers["content-security-policy"]
            assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy


async def test_what_fails_to_start_does_not_take_the_server_with_it() -> None:
    async with browser("import sys; sys.exit('no such mixture')") as chat_page:
        await chat_page.enter()
        async with chat_page.tab():
            pass
        assert await chat_page.status("/") == 200


async def test_moa_chat_web_says_its_address_and_ends_with_control_c(tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error::ResourceWarning", "-m", "moa", "chat", "--web", f"--port={port}"),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MOA_DATA": str(tmp_path)},
    )
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        said = (await process.stderr.readline()).decode() + (await process.stderr.readline()).decode()
        [address] = re.findall(r"http://\S+", said)
        assert address.startswith(f"http://127.0.0.1:{port}/?token=")
        # It is told before it listens.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            for _ in range(1000):
                try:
                    async with client.get(address) as response:
                        assert response.status == 200
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        rest = (await process.stderr.read()).decode()
        assert await process.wait() == 0
    assert "Traceback" not in rest


async def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        done = await moa("chat", "--web", f"--port={port}", folder=tmp_path)
    assert done.code == 2
    assert done.err.endswith(f"moa: Port {port} is taken. Choose another one: moa chat --web --port {port + 1}\n")


def test_without_textual_serve_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "moa.tui.browser")
    with pytest.raises(UsageError, match=r"pip install 'mixture-of-agents\[web\]'"):
        import moa.tui.browser  # noqa: F401


def test_a_tab_gets_the_options_of_the_command() -> None:
    given = ["--web", "--port", "9000", "--budget-usd", "1.5", "--cache", "--resume", "last", "my agents"]
    assert options_of(given) == ["--budget-usd=1.5", "--cache", "--", "my agents"]
    assert options_of(["--web"]) == []


def options_of(given: list[str]) -> list[str]:
    app = typer.Typer()
    app.command(cls=ChatCommand)(chat)
    command = typer.main.get_command(app)
    return passed_on(command.make_context("chat", list(given)))


def test_a_tab_is_known_by_the_driver_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    assert not in_browser()
    service = BrowserServer(["moa"], 1)
    assert service.command == "moa"
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    assert in_browser()

"""The screen of a server, over a real feed: figures, the list of runs, the way into a run and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from moa.events import Event, RunStarted
from moa.messages import Message
from moa.tui.app import MoaApp
from moa.tui.dialogs import HelpPage
from moa.tui.watched_run_screen import WatchedRunScreen
from moa.tui.watched_runs import WatchedRuns
from moa.tui.watching_feed import watched
from moa.tui.watching_items import Line, Received
from moa.tui.watching_screen import WatchingScreen
from moa.tui.watching_server import Server
from tests.fakes.event_feed import START, FakeEventFeed, backend
from tests.tui import scenes
from tests.tui.stage import until
from tests.tui.terminal import Terminal

Compare = Callable[..., bool]


@dataclass
class Watching:
    """A screen that watches a server."""

    server: FakeEventFeed
    screen: WatchingScreen
    app: MoaApp
    pilot: Pilot[None]
    may_try: asyncio.Event
    """Set as long as a broken line may be tried again."""

    @property
    def runs(self) -> WatchedRuns:
        return self.screen.query_one(WatchedRuns)

    def text(self) -> str:
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def shows(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""

        def shown() -> bool:
            if self.app.screen is self.screen:
                self.screen.draw()
            return all(text in self.text() for text in texts)

        try:
            await until(self.pilot, shown)
        except TimeoutError:
            raise AssertionError(f"{texts} not in\n{self.text()}") from None

    def tell(self, name: str, events: Sequence[Event]) -> None:
        """A run happens under another name."""
        [first, *rest] = events
        assert isinstance(first, RunStarted)
        self.server.tell(name, replace(first, run=name), *rest)

    async def opened(self) -> WatchedRunScreen:
        """Wait until a run lies on top."""
        await until(self.pilot, lambda: isinstance(self.app.screen, WatchedRunScreen))
        screen = self.app.screen
        assert isinstance(screen, WatchedRunScreen)
        return screen


@asynccontextmanager
async def watching(size: tuple[int, int] = (120, 40), **settings: Any) -> AsyncIterator[Watching]:
    async with FakeEventFeed(**settings) as server:
        may_try = asyncio.Event()
        may_try.set()

        async def wait(_: float) -> None:
            await asyncio.sleep(0)
            await may_try.wait()

        feed = partial(watched, wait=wait)
        screen = WatchingScreen(Server.at(server.url, server.key), feed, clock=lambda: 0.0)
        app = MoaApp(screen)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: server.listening == 1)
            yield Watching(server, screen, app, pilot, may_try)


async def test_the_figures_follow_what_happens() -> None:
    async with watching() as seen:
        await seen.shows("● live", "starter 0.2.0", "No run yet")
        seen.tell("one", scenes.done_scene())
        seen.tell("two", scenes.failed_scene())
        seen.server.stand(START + 31, in_flight=2, requests=2, failed=1)
        await seen.shows("2 under way", "2 since the start", "1 failed", "p50 9.4 s", scenes.QUESTION[:40])
        await seen.shows("✓ code + math", "✗ math", "math could not answer")


async def test_breakers_are_shown_with_their_reason() -> None:
    async with watching() as seen:
        broken = backend("open", retry_in=23.0, last_failure="It refused the connection.")
        seen.server.stand(backends={"local:a": backend(), "openai/b": broken})
        await seen.shows("✗ openai/b  open · next try in 23 s", "✓ local:a  closed", "1 closed, 1 not")


async def test_enter_opens_a_run_that_is_over_and_escape_leads_back() -> None:
    async with watching() as seen:
        seen.tell("one", scenes.done_scene())
        seen.server.stored["one"] = scenes.done_scene()
        await seen.shows("✓ code + math")
        await seen.pilot.press("enter")
        screen = await seen.opened()
        await until(seen.pilot, lambda: screen.view.over)
        await seen.shows("There are ten of them", "● code", "412 tokens in, 268 out", "run one")
        await seen.pilot.press("escape")
        await seen.shows("newest first")
        assert seen.app.is_running


async def test_a_run_under_way_is_followed_live() -> None:
    async with watching() as seen:
        events = scenes.done_scene()
        seen.tell("one", events[:6])
        await seen.shows("▸ code + math")
        await seen.pilot.press("enter")
        screen = await seen.opened()
        await until(seen.pilot, lambda: len(screen.view.drafts) == 2)
        assert not screen.view.over
        seen.server.tell("one", *events[6:])
        await until(seen.pilot, lambda: screen.view.over)
        await seen.shows("There are ten of them")


async def test_leaving_a_run_under_way_closes_its_line() -> None:
    async with watching() as seen:
        seen.tell("one", scenes.racing_scene())
        await seen.shows("▸ code + math")
        await seen.pilot.press("enter")
        await seen.opened()
        await until(seen.pilot, lambda: seen.server.listening == 2)
        await seen.pilot.press("q")
        await until(seen.pilot, lambda: seen.server.listening == 1)


async def test_earlier_turns_of_an_opened_run_are_shown() -> None:
    async with watching(size=(120, 60)) as seen:
        seen.tell("one", scenes.continued_scene())
        seen.server.stored["one"] = scenes.continued_scene()
        await seen.shows("✓ general")
        await seen.pilot.press("enter")
        await seen.shows("Johann Galle did.", "Around 1846.")


async def test_a_run_that_the_server_has_no_longer_is_said_to_be_gone() -> None:
    async with watching() as seen:
        seen.tell("one", scenes.fallback_scene())
        await seen.shows("◆ general")
        seen.server.held.clear()
        await seen.pilot.press("enter")
        await seen.shows("has nothing of run one any more", "Tell me something nice.")


async def test_a_run_that_is_chosen_stays_chosen_while_others_come() -> None:
    async with watching() as seen:
        for name in ("one", "two", "three"):
            seen.tell(name, scenes.fallback_scene())
        await until(seen.pilot, lambda: len(seen.screen.state.runs) == 3)
        await seen.shows("✓ ◆ general")
        assert chosen(seen) == "three"
        await seen.pilot.press("down")
        assert chosen(seen) == "two"
        seen.tell("four", scenes.fallback_scene())
        await until(seen.pilot, lambda: "four" in seen.screen.state.runs)
        seen.screen.draw()
        assert chosen(seen) == "two"
        await seen.pilot.press("home")
        assert chosen(seen) == "four"
        seen.tell("five", scenes.fallback_scene())
        await until(seen.pilot, lambda: "five" in seen.screen.state.runs)
        seen.screen.draw()
        assert chosen(seen) == "five", "at the top, the newest is followed"


def chosen(seen: Watching) -> str:
    assert seen.runs.chosen is not None
    return seen.runs.chosen.id


async def test_the_list_is_gone_through_by_pages_and_to_its_ends() -> None:
    async with watching(size=(80, 24)) as seen:
        for number in range(60):
            seen.tell(f"run-{number}", scenes.fallback_scene())
        await until(seen.pilot, lambda: len(seen.screen.state.runs) == 60)
        seen.screen.draw()
        page = seen.runs.page
        assert page < 20
        await seen.pilot.press("pagedown")
        assert chosen(seen) == f"run-{59 - page}"
        await seen.pilot.press("end")
        assert chosen(seen) == "run-0"
        await seen.pilot.press("pageup", "up", "down")
        assert chosen(seen) == f"run-{page}"
        await seen.pilot.press("home", "up")
        assert chosen(seen) == "run-59"


async def test_f_lists_only_runs_with_trouble() -> None:
    async with watching() as seen:
        seen.tell("one", scenes.fallback_scene())
        seen.tell("two", scenes.failed_scene())
        await seen.shows("✓ ◆ general", "✗ math")
        await seen.pilot.press("f")
        await seen.shows("Runs that failed or were degraded", "1 of 2")
        assert "◆ general" not in seen.text()
        await seen.pilot.press("f")
        await seen.shows("✓ ◆ general", "newest first")


async def test_a_click_opens_a_run() -> None:
    async with watching() as seen:
        for name in ("one", "two"):
            seen.tell(name, scenes.fallback_scene())
        seen.server.stored["one"] = scenes.fallback_scene()
        await until(seen.pilot, lambda: len(seen.screen.state.runs) == 2)
        seen.screen.draw()
        await seen.pilot.pause()
        await seen.pilot.click(WatchedRuns, offset=(10, 2))
        await seen.opened()
        await seen.shows("run one")


async def test_a_broken_line_is_said_and_mended() -> None:
    async with watching() as seen:
        await seen.shows("● live")
        seen.may_try.clear()
        seen.server.refuses(503, body='{"error": {"message": "The server is stopping"}}')
        seen.server.drop()
        await seen.shows("✗ no line, trying again", "r try again")
        seen.may_try.set()
        await until(seen.pilot, lambda: "stopping" in seen.screen.state.line.why)
        seen.may_try.clear()
        await seen.shows("✗ no line, trying again", "The server is stopping", "r try again")
        seen.server.refuses(None)
        seen.may_try.set()
        await seen.shows("● live")
        await until(seen.pilot, lambda: "The server is stopping" not in seen.text())


async def test_after_a_line_that_ended_for_good_r_tries_again() -> None:
    async with watching(key="secret") as seen:
        await seen.shows("● live")
        seen.server.key = "another"
        seen.server.drop()
        await seen.shows("✗ no line", "does not take this key")
        seen.server.key = "secret"
        await seen.pilot.press("r")
        await seen.shows("● live")


async def test_f1_shows_the_keys_and_q_quits() -> None:
    async with watching() as seen:
        await seen.pilot.press("f1")
        await until(seen.pilot, lambda: isinstance(seen.app.screen, HelpPage))
        await until(seen.pilot, lambda: "In moa watch" in seen.text())
        help_text = seen.text()
        assert help_text.index("In moa watch") < help_text.index("In the chat"), "what is of use here comes first"
        await seen.pilot.press("escape")
        await until(seen.pilot, lambda: seen.app.screen is seen.screen)
        await seen.pilot.press("q")
        await until(seen.pilot, lambda: not seen.app.is_running)
    assert seen.app.return_code == 0


@pytest.mark.parametrize("size", [(40, 20), (80, 24), (20, 8)])
async def test_it_fits_into_small_terminals_and_stands_being_resized(size: tuple[int, int]) -> None:
    async with watching() as seen:
        seen.tell("one", scenes.done_scene())
        await seen.shows("✓ code + math")
        await seen.pilot.resize_terminal(*size)
        await seen.shows("Requests")
        await seen.pilot.press("enter")
        await seen.opened()


async def test_what_servers_and_models_say_does_not_steer_the_terminal() -> None:
    async with watching() as seen:
        evil = "\x1b[2J\x1b]0;owned\x07 hello"
        seen.server.stand(mixture=evil, backends={evil: backend("open", last_failure=evil)})
        start = replace(scenes.started(), messages=(Message("user", evil),))
        seen.tell("one", [start, *scenes.done_scene()[1:]])
        await seen.shows("✓ code + math", "hello")
        assert "\x1b" not in seen.text()
        assert "\x07" not in seen.text()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def busy_server() -> list[Received | Line]:
    """Five minutes of a server, with an open breaker."""
    server = FakeEventFeed()
    kinds = ("done", "done", "fallback", "done", "degraded", "fallback", "failed")
    for number in range(90):
        start = number * 3.3 + 8 * (number % 3)
        [first, *rest] = scenes.SCENES[kinds[number % len(kinds)]]()
        assert isinstance(first, RunStarted)
        for event in (replace(first, run=f"run-{number}"), *rest):
            if event.type not in {"draft_delta", "answer_delta"}:
                server.tell_at(f"run-{number}", event, START + start + event.at)
    agents = {agent.name: {"model": agent.model, "in_flight": int(agent.name == "code")} for agent in scenes.AGENTS}
    refused = backend("open", failures=5, retry_in=23.0, last_failure=scenes.REFUSED)
    server.stand(
        START + 320,
        in_flight=2,
        queued=0,
        max_queued=64,
        requests=1234,
        failed=31,
        rejected=12,
        cost_usd=0.84,
        tokens={"input": 481_022, "output": 310_765},
        uptime=15_130,
        load={"cpu": 1.44, "memory_bytes": 412e6},
        agents=agents,
        backends={scenes.SMALL: backend(), scenes.LARGE: backend(), "http://127.0.0.1:8080/v1#qwen3-32b": refused},
    )
    items = sorted(server.held, key=lambda told: told.at)
    received = [Received(told.type, told.data) for told in items]
    return [Line("live"), *received, Received("server", server.standing_json())]


async def scripted(_: Server, items: Sequence[Received | Line]) -> AsyncGenerator[Received | Line, None]:
    for item in items:
        yield item
    await asyncio.Event().wait()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_it_looks_like_this(
    size: tuple[int, int], theme: str, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOA_THEME", theme)
    items = busy_server()
    screen = WatchingScreen(Server.at("http://127.0.0.1:8080"), partial(scripted, items=items), clock=lambda: 0.0)
    assert snap_compare(MoaApp(screen), terminal_size=size, run_before=all_read(screen))


def all_read(screen: WatchingScreen) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run_before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: screen.state.server is not None)
        screen.draw()
        await pilot.pause()

    return run_before


async def test_in_a_real_terminal_it_draws_follows_and_leaves_it_as_it_was(own_folders: Path) -> None:
    async with FakeEventFeed() as server:
        code = f"import sys; sys.argv = ['moa', 'watch', '{server.url}']; import moa.cli; moa.cli.main()"
        with Terminal(code, {"MOA_DATA": str(own_folders)}) as terminal:
            await asyncio.to_thread(terminal.wait_for, "● live")
            server.tell("one", *scenes.failed_scene())
            await asyncio.to_thread(terminal.wait_for, "math could not answer")
            terminal.press("q")
            assert await asyncio.to_thread(terminal.end) == 0
            assert terminal.settings == terminal.settings_before

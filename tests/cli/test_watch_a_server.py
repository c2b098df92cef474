"""`moa watch` and `moa serve` speak the same: what is asked of a real server is seen by a real watcher."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx

from moa.events import AnswerDelta, Event, RunFinished, RunStarted
from moa.tui.watching_feed import check, events_of, watched
from moa.tui.watching_items import Happened, Received, Standing, parsed
from moa.tui.watching_server import Server
from moa.tui.watching_state import Watched, watch

PATIENCE_SECONDS = 90
MIXTURE = """
from moa import Agent, Mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

echo = Agent("echo", model=ScriptedModel("Hello yourself."), about="echoes")
mixture = Mixture([echo], router=FixedRouter(echo=0.9), name="cave")
"""


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """Run `moa serve` and give its address."""
    (folder / "cave.py").write_text(MIXTURE)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moa", "serve", str(folder / "cave.py"), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "MOA_DATA": str(folder / "data"), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
            yield found[0]
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.communicate()


async def ask(base: str, question: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        body = {"model": "cave", "messages": [{"role": "user", "content": question}]}
        answered = await client.post(f"{base}/v1/chat/completions", json=body)
        assert answered.status_code == 200, answered.text


async def all_of(server: Server, run: str, *, live: bool) -> list[Event]:
    return [event async for event in events_of(server, run, live=live)]


async def test_a_question_to_the_server_is_seen_and_its_run_can_be_opened(tmp_path: Path) -> None:
    async with serving(tmp_path) as base:
        server = Server.at(f"{base}/v1")
        await check(server)
        state, asking = Watched(), None
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(watched(server)) as items:
            async for received in items:
                item = parsed(received) if isinstance(received, Received) else received
                assert item is not None, f"{received} is not understood"
                state = watch(state, item)
                if isinstance(item, Standing) and asking is None:
                    asking = asyncio.ensure_future(ask(base, "Hello?"))
                if isinstance(item, Happened) and isinstance(item.event, RunFinished):
                    break
        assert asking is not None
        await asking
        [run] = state.runs.values()
        assert (run.status, run.question, run.panel) == ("finished", "Hello?", ("echo",))
        assert state.server is not None
        assert state.server.mixture == "cave"
        assert state.line.state == "live"
        for live in (True, False):
            events = await all_of(server, run.id, live=live)
            assert isinstance(events[0], RunStarted)
            assert isinstance(events[-1], RunFinished)
            assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == "Hello yourself."

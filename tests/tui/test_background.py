"""Blocking work beside the screen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from moa.tui.background import in_background


async def test_it_returns_what_the_work_returns_from_another_thread() -> None:
    assert await in_background(threading.get_ident) != threading.get_ident()


async def test_it_raises_what_the_work_raises() -> None:
    def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await in_background(work)


async def test_whoever_stops_waiting_is_not_told_any_more() -> None:
    gate = threading.Event()
    waiting = asyncio.create_task(in_background(lambda: gate.wait() and None))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    assert await in_background(lambda: 391) == 391


def test_work_that_never_ends_does_not_keep_the_program_from_ending() -> None:
    code = """
import asyncio, threading
from moa.tui.background import in_background

async def main():
    work = asyncio.create_task(in_background(threading.Event().wait))
    await asyncio.sleep(0)
    work.cancel()

asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

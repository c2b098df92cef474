"""The terminal UI: a chat that shows every decision as it is made.

    >>> from moa.tui import run_chat
    >>> run_chat("agents/")  # doctest: +SKIP

Nothing here imports Textual before one of these functions is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moa.budget import Budget
    from moa.events import Event
    from moa.store.drafts import DraftCache
    from moa.tui.app import MoaApp
    from moa.tui.watching_server import Server

BROWSER_PORT: Final = 8642
"""Where the chat in a browser listens unless told otherwise."""


def run_chat(
    mixture: str | None = None,
    *,
    budget: Budget | None = None,
    cache: DraftCache | None = None,
    resume: str | None = None,
) -> int:
    """Chat with a mixture until the user quits. Every run is recorded, and each conversation is kept as a session.

    Args:
        mixture: a file, `file.py:name`, a folder of agents, or None for the default. It is loaded after the screen
            has been painted, so that what is wrong with it is shown there.
        budget: of all questions together; None is no limit.
        cache: of the models' answers, in place of the mixture's own.
        resume: the session to go on with: its identifier, the beginning of it, or `last`.

    Returns:
        The exit code: 0, or 1 after a crash, whose trace is in a file that the terminal names.
    """
    import gc
    from functools import partial

    # Until the first paint, when `MoaApp` enables it: what is imported stays, and looking through it for garbage takes
    # an eighth of the time until then.
    gc.disable()

    from moa.store import Sessions, Store
    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen
    from moa.tui.source import open_mixture

    sessions = Sessions(Store())
    return _run(MoaApp(ChatScreen(partial(open_mixture, mixture, budget, cache), sessions=sessions, resume=resume)))


def run_replay(events: Sequence[Event], speed: float = 1.0) -> int:
    """Show a stored run through the same widgets, with its own timing, until the user quits.

    Args:
        events: one run, in order. It may break off anywhere.
        speed: how many seconds of the run pass in one second; more than 0, and `inf` shows its end at once.

    Returns:
        The exit code, as `run_chat`.

    Raises:
        UsageError: the speed is not more than 0.
    """
    from moa.errors import UsageError

    if not speed > 0:
        raise UsageError(f"The speed of a replay must be more than 0, not {speed:g}.")
    from moa.tui.app import MoaApp
    from moa.tui.replay import ReplayScreen

    return _run(MoaApp(ReplayScreen(events, speed)))


def run_watch(server: Server) -> int:
    """Show what happens on a server until the user quits.

    Args:
        server: one that can be watched, as `moa.tui.watching_feed.check` finds out.

    Returns:
        The exit code, as `run_chat`.
    """
    from moa.tui.app import MoaApp
    from moa.tui.watching_screen import WatchingScreen

    return _run(MoaApp(WatchingScreen(server)))


def _run(app: MoaApp) -> int:
    import asyncio
    import sys

    async def until_the_end() -> None:
        try:
            await app.run_async()
        finally:
            if http := sys.modules.get("moa.backends.http"):
                await http.close_clients()

    asyncio.run(until_the_end())
    if app.crash:
        print(app.crash, file=sys.stderr)  # noqa: T201  (the terminal is an ordinary one again)
    return app.return_code or 0

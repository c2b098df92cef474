"""`moa watch`: what happens on a server, live."""

from __future__ import annotations

import json
import os
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.tui.watching_items import Line, Received
    from moa.tui.watching_server import Server
    from moa.tui.watching_state import Watched, WatchedRun

_KEY_VARIABLE = "MOA_API_KEY"


def watch(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="Where moa serve runs, such as http://127.0.0.1:8000.", show_default=False),
    ],
    key_env: Annotated[
        str | None,
        typer.Option(
            "--key-env",
            metavar="NAME",
            help=f"The environment variable that holds the key to the server. [default: {_KEY_VARIABLE}, if it is set]",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every item of the feed as it comes, one JSON object a line.")
    ] = False,
) -> None:
    """Watch a server: requests, who is asked, how long answers take, failures, breakers, load, spend.

    F1 shows the keys; Enter opens a run, also one that is under way. Where input or output is not a terminal, a line is
    printed for each run that ended. When the line breaks, it is opened again.

    Example: moa watch http://127.0.0.1:8000

    Example: moa watch https://moa.example.org --key-env TEAM_KEY

    Example: moa watch localhost:8000 --json | jq .event
    """
    import asyncio

    from moa.tui.watching_feed import check
    from moa.tui.watching_server import Server

    server = Server.at(url, _key(key_env))
    if as_json or not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        asyncio.run(_print(server, as_json=as_json))
        return
    asyncio.run(check(server))  # what is wrong with the address or the key is said in the terminal, without a screen
    from moa.tui import run_watch

    raise typer.Exit(run_watch(server))


def _key(name: str | None) -> str:
    """Return the key in an environment variable; without a name, that of the usual one, or none.

    Raises:
        UsageError: the variable that was named is not set.
    """
    from moa.errors import UsageError

    if name is None:
        return os.environ.get(_KEY_VARIABLE, "").strip()
    key = os.environ.get(name, "").strip()
    if not key:
        raise UsageError(
            f"The environment variable {one_line(name)} is not set or empty. "
            "--key-env takes the name of a variable that holds the key, not the key itself."
        )
    return key


async def _print(server: Server, *, as_json: bool) -> None:
    """Print what comes until the program is stopped.

    Raises:
        FeedError: the server cannot be watched, and trying again would be no use.
    """
    from moa.tui.watching_feed import TYPES, check, watched
    from moa.tui.watching_items import Line, parsed
    from moa.tui.watching_state import Watched
    from moa.tui.watching_state import watch as after

    await check(server)
    state = Watched()
    async with aclosing(watched(server, types="" if as_json else TYPES)) as items:
        async for received in items:
            if isinstance(received, Line):
                _tell(received, server)
                continue
            if as_json:
                print(_as_json(received), flush=True)
            elif item := parsed(received):
                before, state = state, after(state, item)
                for line in _ended(before, state):
                    print(line, flush=True)


def _as_json(received: Received) -> str:
    """Return an item as one line: `id`, `event` and `data`, as they came."""
    try:
        data = json.loads(received.data)
    except ValueError:
        data = received.data
    return json.dumps({"id": received.id, "event": received.type, "data": data}, ensure_ascii=False)


def _tell(line: Line, server: Server) -> None:
    match line.state:
        case "live":
            print(f"Watching {server.base}.", file=sys.stderr, flush=True)
        case "waiting":
            print(f"{line.why} Trying again in {max(1, round(line.retry_in))} s.", file=sys.stderr, flush=True)


def _ended(before: Watched, after: Watched) -> list[str]:
    """Return a line for each run that has ended in between."""
    return [
        _line(run)
        for name, run in after.runs.items()
        if run.over and not ((earlier := before.runs.get(name)) and earlier.over)
    ]


def _line(run: WatchedRun) -> str:
    """Return what became of a run: when it began, how it ended, what it took, who answered, what was asked."""
    from moa.tui.watching_lines import clock
    from moa.tui.words import duration, usd

    took = "" if run.seconds is None else duration(run.seconds)
    cost = usd(run.cost_usd) if run.status == "finished" else ""
    degraded = f" ({run.degraded} degraded)" if run.degraded else ""
    who = " + ".join(run.panel) or "nobody"
    told = f"{run.question} ✗ {run.error}" if run.error else run.question
    return one_line(f"{clock(run.started_at)} {run.status}{degraded} · {took or '?'} · {cost or '–'} · {who} · {told}")

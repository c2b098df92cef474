"""`moa keys`: who may use a server, and how much."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from moa.server.keys import Key

app = typer.Typer(help="Make, list and revoke the API keys of moa serve.", no_args_is_help=True, rich_markup_mode=None)

KeyFile = Annotated[Path | None, typer.Option("--keys", metavar="FILE", help="The file of keys.", show_default=False)]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it: who uses it, or where.")],
    requests: Annotated[
        int | None, typer.Option("--requests-per-minute", min=1, help="Requests a minute.", show_default=False)
    ] = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens-per-day", min=1, help="Tokens a day, read and written.", show_default=False)
    ] = None,
    usd: Annotated[float | None, typer.Option("--usd-per-day", help="US dollars a day.", show_default=False)] = None,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, help="Requests under way at once.", show_default=False)
    ] = None,
    agents: Annotated[
        list[str] | None, typer.Option("--agent", metavar="NAME", help="An agent it may ask; may be repeated.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="It may see the runs of all keys, and all figures.")] = False,
    keys: KeyFile = None,
) -> None:
    """Make a key and print it. It is shown this once: only its hash is kept.

    Example: moa keys add laptop

    Example: moa keys add intern --requests-per-minute 20 --usd-per-day 1 --agent general
    """
    import sys

    from moa.server.keys import Allowance, KeyBook

    allowance = Allowance(requests, tokens, usd, at_once, tuple(agents) if agents else None)
    book = KeyBook(keys)
    key, secret = book.add(name, allowance, watches=watch)
    print(secret)
    print(f"This is the key {key.name!r} ({key.id}). Keep it: it cannot be shown again.", file=sys.stderr)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
    keys: KeyFile = None,
) -> None:
    """List the keys, with what each may do. The keys themselves are not known to anybody any more."""
    from moa.cli.console import console, print_json
    from moa.server.keys import KeyBook

    known = KeyBook(keys).listed()
    if as_json:
        print_json([_json(key) for key in known])
        return
    if not known:
        print("There are no keys. Make one: moa keys add NAME")
        return
    from rich.table import Table

    table = Table("id", "name", "made", "may", "state", box=None, pad_edge=False)
    for key in known:
        state = "valid" if key.revoked_unix is None else f"revoked {_day(key.revoked_unix)}"
        table.add_row(key.id, key.name, _day(key.created_unix), _may(key), state)
    console().print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")],
    keys: KeyFile = None,
) -> None:
    """Take a key away. A running server heeds it within seconds, and breaks off what the key has under way."""
    from moa.server.keys import KeyBook

    key = KeyBook(keys).revoke(name)
    print(f"The key {key.name!r} ({key.id}) opens nothing any more.")


def _json(key: Key) -> dict[str, Any]:
    from dataclasses import asdict

    told = asdict(key)
    del told["hash"]
    return told


def _day(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d")


def _may(key: Key) -> str:
    """Return what a key may do, in a line."""
    allowance = key.allowance
    limits = {
        "requests a minute": allowance.requests_per_minute,
        "tokens a day": allowance.tokens_per_day,
        "USD a day": allowance.usd_per_day,
        "at once": allowance.concurrency,
    }
    told = [f"{limit} {unit}" for unit, limit in limits.items() if limit is not None]
    if allowance.agents is not None:
        told.append(f"only {', '.join(allowance.agents)}")
    if key.watches:
        told.append("watch all")
    return ", ".join(told) or "everything"

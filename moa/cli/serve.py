"""`moa serve`: a mixture as one more model for every client that speaks the OpenAI protocol."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from moa.mixture import Mixture
    from moa.server.files import AgentFiles
    from moa.server.house import House, Settings
    from moa.server.keys import KeyBook
    from moa.server.serving import Address

KeyFile = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="The file of API keys; see moa keys.", show_default=False),
]


class LogFormat(StrEnum):
    """How the log is written."""

    text = "text"
    json = "json"


def serve(
    mixtures: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MIXTURE]...", help="Files, file.py:name, or folders of agents.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    keys: KeyFile = None,
    places: Annotated[int, typer.Option("--at-once", min=1, help="Requests that are answered at once.")] = 512,
    seats: Annotated[int, typer.Option("--waiting", min=0, help="Requests that may wait for that.")] = 512,
    longest: Annotated[float, typer.Option("--seconds", min=1, help="What one request may take.")] = 600.0,
    drain: Annotated[float, typer.Option("--drain", min=0, help="Seconds to finish in when told to stop.")] = 30.0,
    record: Annotated[bool, typer.Option("--record", help="Record every run, as moa ask does.")] = False,
    feedback: Annotated[bool, typer.Option(help="Let feedback tip later decisions.")] = True,
    reload: Annotated[bool, typer.Option(help="Load the agents again when their files change.")] = True,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", metavar="URL", help="A web page that may use the server.", show_default=False),
    ] = None,
    log: Annotated[LogFormat, typer.Option("--log", help="How the log is written.")] = LogFormat.text,
) -> None:
    """Answer any OpenAI client over HTTP, with a mixture as the model.

    It listens on this machine only, unless --host says otherwise; then clients need a key, see moa keys. Ctrl+C lets
    what is under way finish; a second one ends it.

    Example: moa serve

    Example: moa serve agents/cloud.py --host 0.0.0.0 --port 8080
    """
    try:
        import moa.server.serving as _  # noqa: F401
    except ImportError as error:
        from moa.errors import UsageError

        raise UsageError(f"Serving needs {error.name}: pip install 'mixture-of-agents[serve]'") from error
    import asyncio
    import gc

    from moa.server.files import AgentFiles
    from moa.server.house import Settings
    from moa.server.keys import KeyBook
    from moa.server.logs import set_up_logs
    from moa.server.serving import LOOPBACK_NAMES, Address, insist_on_keys

    book = KeyBook(keys)
    address = Address(host, port, drain)
    keyed = any(key.valid for key in book.listed())
    insist_on_keys(address, keyed=keyed)
    set_up_logs(log.value)
    files = AgentFiles(tuple(mixtures) if mixtures else (None,), _prepare)
    settings = Settings(
        longest_seconds=longest,
        hosts=None if keyed else LOOPBACK_NAMES | {host.lower()},
        cors_origins=tuple(cors or ()),
        feedback=feedback,
    )
    house = _house(files, book if keyed else None, settings, places, seats, record=record)
    gc.collect()
    gc.freeze()  # what was loaded stays, and need not be looked through again and again
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(house, address, files if reload else None))


def _loop_factory() -> Callable[[], AbstractEventLoop] | None:
    """Return what makes event loops that take half the time; None where it is not to be had."""
    try:
        from uvloop import new_event_loop
    except ImportError:  # Windows
        return None
    return new_event_loop


def _prepare(mixture: Mixture) -> None:
    """Load the encoder, telling of a download."""
    from moa.cli.deciding import Downloading

    mixture.router.prepare(mixture.agents, on_progress=Downloading())


def _house(
    files: AgentFiles, book: KeyBook | None, settings: Settings, places: int, seats: int, *, record: bool
) -> House:
    from moa.routing.feedback import Feedback
    from moa.server.figures import Figures
    from moa.server.house import House
    from moa.server.lobby import Lobby
    from moa.server.offers import Offers
    from moa.server.readiness import why_not_ready
    from moa.server.tenants import Tenants
    from moa.server.traces import traces_if_wanted
    from moa.store import Store

    loaded = files.load()
    for mixture in loaded.values():
        if settings.feedback:
            mixture.feedback = mixture.feedback or Feedback(Store(), mixture.name)
    house = House(
        Offers(loaded),
        Tenants(book),
        Figures(),
        settings,
        Lobby(places, seats),
        traces=traces_if_wanted(),
        store=Store() if record else None,
    )
    house.ready = lambda: why_not_ready(house)
    return house


async def _serve(house: House, address: Address, files: AgentFiles | None) -> None:
    from moa.backends.http import close_clients
    from moa.server.serving import Serving

    def say(url: str) -> None:
        names = ", ".join(house.offers.mixtures)
        keyed = "clients need a key" if house.tenants.keyed else "no key needed"
        print(f"moa serves {names} at {url}/v1 ({keyed}). Ctrl+C stops it.", file=sys.stderr, flush=True)

    serving = Serving(house, address, files, on_started=say)
    serving.bind()
    try:
        await serving.run_here()
    finally:
        await close_clients()

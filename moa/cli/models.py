"""`moa models`: the models that can run on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.console import console, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa.local.files import Progress
    from moa.local.inventory import Holding

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Names = Annotated[
    list[str],
    typer.Argument(metavar="NAME", help="Names that `moa models` lists, or org/repo:Q4_K_M of the hub."),
]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: _Json = False) -> None:
    """List, fetch and remove local models. Without a command: list.

    Example: moa models pull qwen2.5-coder-1.5b-instruct
    """
    if context.invoked_subcommand is None:
        list_(as_json=as_json)


@app.command("list")
def list_(as_json: _Json = False) -> None:
    """List the models of the catalogue, and those of the hub that are in the cache.

    Sizes are those on disk. Memory is what a model takes while it runs, as measured on a CPU.

    Example: moa models list --json
    """
    from moa.local.inventory import holdings

    found = holdings()
    if as_json:
        print_json([{**asdict(held), "path": str(held.path) if held.path else None} for held in found])
    else:
        _print_table(found)


@app.command()
def pull(names: _Names) -> None:
    """Download models into the cache, and print where they lie. What was begun earlier is gone on with.

    Example: moa models pull qwen2.5-coder-1.5b-instruct

    Example: moa models pull Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M
    """
    from moa.local.inventory import pull as fetch

    for name in names:
        with _told(name) as tell:
            path = fetch(_plain(name), tell)
        print(path)


@app.command("rm")
def remove(names: _Names) -> None:
    """Delete models from the cache.

    Example: moa models rm smollm2-135m-instruct
    """
    from moa.local.files import size_text
    from moa.local.inventory import remove as delete

    for name in names:
        print(f"{name}: {size_text(delete(_plain(name)))} freed.", file=sys.stderr)


def _plain(name: str) -> str:
    return name.removeprefix("local:")


def _print_table(found: tuple[Holding, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from moa.local.files import size_text
    from moa.local.storage import models_folder

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("here", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("memory", justify="right", no_wrap=True)
    table.add_column("licence", no_wrap=True)
    table.add_column("what it is")
    for held in found:
        table.add_row(
            Text(held.name, "bold" if held.path else ""),
            Text("✓", "green") if held.path else Text("–", "dim"),
            size_text(held.bytes),
            size_text(held.memory_bytes) if held.memory_bytes else "?",
            held.licence or "?",
            Text(f"{held.kind}: {held.about}"),
        )
    console().print(table)
    print(f"\nCache: {models_folder()}", file=sys.stderr)


@contextmanager
def _told(name: str) -> Iterator[Callable[[Progress], None]]:
    """Tell how a download goes: by a bar on a terminal, else by a line now and then."""
    if not sys.stderr.isatty():
        yield _line_by_line(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(name, total=None)

        def tell(progress: Progress) -> None:
            what = "waiting for another process" if progress.waiting else progress.source
            bars.update(bar, description=f"{progress.file}, {what}", completed=progress.done, total=progress.total)

        yield tell


def _line_by_line(name: str) -> Callable[[Progress], None]:
    """Return what tells a download as lines on standard error, one for each tenth of a file."""
    from moa.local.files import size_text

    said: list[str] = []

    def tell(progress: Progress) -> None:
        if progress.waiting:
            line = f"{name}: another process downloads it; waiting"
        elif progress.fraction is None:
            line = f"{name}: {progress.file} from {progress.source}"
        else:
            tenths = int(progress.fraction * 10) * 10
            line = f"{name}: {progress.file}, {size_text(progress.total or 0)}, {tenths} %"
        if [line] != said[-1:]:
            said.append(line)
            print(line, file=sys.stderr, flush=True)

    return tell

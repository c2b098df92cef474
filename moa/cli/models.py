"""`moa models`: the models that can run on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.console import print_item, print_json

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
    from moa.local.storage import models_folder

    found = holdings()
    if as_json:
        print_json([{**asdict(held), "path": str(held.path) if held.path else None} for held in found])
        return
    for held in found:
        _show(held)
    print(f"\n✓ in {models_folder()}", file=sys.stderr)


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


def _show(held: Holding) -> None:
    from moa.local.files import size_text

    memory = f", {size_text(held.memory_bytes)} of memory when it runs" if held.memory_bytes else ""
    facts = [
        held.about,
        held.licence or "licence: see the hub",
        f"context {held.context_length:,}" if held.context_length else "",
    ]
    print_item(
        "ok" if held.path else "note",
        held.name,
        f"{size_text(held.bytes)}{memory}",
        below=[" · ".join(filter(None, facts))],
        remedy="" if held.path else f"moa models pull {held.name}",
    )


@contextmanager
def _told(name: str) -> Iterator[Callable[[Progress], None]]:
    """Tell how a download goes: by a bar on a terminal, else by a line now and then."""
    if not sys.stderr.isatty():
        yield _line_by_line(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(name, total=None)

        def tell(progress: Progress) -> None:
            what = f"{name}: another process downloads it" if progress.waiting else name
            bars.update(bar, description=what, completed=progress.done, total=progress.total)

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

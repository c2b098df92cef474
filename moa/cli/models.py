"""`moa models`: the models that can run on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.console import print_item, print_json
from moa.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from moa.local.files import Progress
    from moa.local.inventory import Holding
    from moa.local.report import Running

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Names = Annotated[
    list[str],
    typer.Argument(metavar="NAME", help="Names that `moa models` lists, or org/repo:Q4_K_M of the hub."),
]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: _Json = False) -> None:
    """List, fetch, measure and remove local models. Without a command: list.

    Example: moa models pull qwen2.5-coder-1.5b-instruct
    """
    if context.invoked_subcommand is None:
        list_(as_json=as_json)


@app.command("list")
def list_(as_json: _Json = False) -> None:
    """List the models of the catalogue, those of the hub that are in the cache, and what is in memory now.

    Sizes are those on disk. Memory is what a model takes while it runs, as measured on a CPU. Models that are in memory
    are told of whatever process of yours they run in.

    Example: moa models list --json
    """
    from moa.local.inventory import holdings
    from moa.local.report import running_engines
    from moa.local.storage import models_folder

    running = running_engines()
    held_by = {held: [each for each in running if _is_of(each, held)] for held in holdings()}
    known = {each for engines in held_by.values() for each in engines}
    for each in running:
        if each not in known:
            held_by.setdefault(_own_file(each.file), []).append(each)
    if as_json:
        print_json([_row(held, engines) for held, engines in held_by.items()])
        return
    for held, engines in held_by.items():
        _show(held, engines)
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


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]…", help="Names, files, or base+adapter.gguf; all that are in the cache if none."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Measure how quickly models load, read a prompt of some 500 tokens, and write 64: the median of three answers.

    Example: moa models bench smollm2-135m-instruct --json
    """
    from moa.local.bench import speed_of
    from moa.local.engine import stop_engines
    from moa.local.files import size_text
    from moa.local.inventory import holdings

    chosen = names or [held.name for held in holdings() if held.path and held.kind == "llm"]
    if not chosen:
        raise UsageError("No language model is in the cache. Fetch one: moa models pull smollm2-135m-instruct")
    rows = []
    try:
        for name in map(_plain, chosen):
            speed = speed_of(name, lambda text: print(text, file=sys.stderr, flush=True))
            rows.append(asdict(speed))
            if not as_json:
                reads = f"reads {speed.prompt_tokens_per_second:,.0f} tokens/s"
                writes = f"writes {speed.written_tokens_per_second:,.1f} tokens/s"
                loads = f"loads in {speed.load_seconds:.1f} s"
                print_item("ok", name, f"{reads}, {writes}, {loads}, {size_text(speed.bytes)}, {speed.device}")
    finally:
        stop_engines()
    if as_json:
        print_json(rows)


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


def _is_of(running: Running, held: Holding) -> bool:
    """Whether an engine runs a model's file; the path of one of the catalogue is its folder."""
    return held.path is not None and held.path.resolve() in (running.file, running.file.parent)


def _own_file(path: Path) -> Holding:
    """Return a file of the user's as if it were listed."""
    from moa.local.inventory import Holding

    size = path.stat().st_size if path.exists() else 0
    return Holding(str(path), "llm", "a file of your own", None, size, None, None, None, (), path)


def _row(held: Holding, running: Sequence[Running]) -> dict[str, object]:
    resident = [{**asdict(each), "file": str(each.file)} for each in running]
    return {**asdict(held), "path": str(held.path) if held.path else None, "resident": resident}


def _told_of(running: Running) -> str:
    """Say what an engine does, in a line."""
    from moa.local.files import size_text

    ago = max(0, round(time.time() - running.last_used))
    speed = f", {running.tokens_per_second:g} tokens/s" if running.tokens_per_second else ""
    slots = f"{running.busy} of {running.slots} slots busy"
    state = "in memory" if running.state == "loaded" else running.state
    return f"{state}: {size_text(running.bytes)}, {slots}{speed}, used {ago} s ago, process {running.process}"


def _show(held: Holding, running: Sequence[Running]) -> None:
    from moa.local.files import size_text

    memory = f", {size_text(held.memory_bytes)} of memory when it runs" if held.memory_bytes else ""
    facts = [
        held.about,
        held.licence or ("licence: see the hub" if held.sources else ""),
        f"context {held.context_length:,}" if held.context_length else "",
    ]
    print_item(
        "ok" if held.path else "note",
        held.name,
        f"{size_text(held.bytes)}{memory}",
        below=[" · ".join(filter(None, facts)), *map(_told_of, running)],
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

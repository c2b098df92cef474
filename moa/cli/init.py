"""`moa init`: a folder of agents to change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.console import print_json
from moa.errors import MoaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to make the folder agents.", show_default="here")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy the starter agents and mixtures into DIR/agents, to be changed and added to.

    Example: moa init my-panel
    """
    from moa.loader import starter_folder

    sources = sorted(starter_folder().glob("*.py"))
    folder = directory.expanduser() / "agents"
    targets = [folder / source.name for source in sources]
    _refuse_to_overwrite(folder, targets, force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, target in zip(sources, targets, strict=True):
            target.write_bytes(source.read_bytes())
    except OSError as error:
        place = error.filename or folder
        raise MoaError(f"{place} cannot be written: {error.strerror or error}. Choose another folder.") from error
    if as_json:
        print_json({"folder": str(folder.resolve()), "written": [target.name for target in targets]})
        return
    print(f"Wrote {len(targets)} files to {folder}: {', '.join(target.name for target in targets)}.")
    print(_next_steps(directory, folder))


def _refuse_to_overwrite(folder: Path, targets: Sequence[Path], *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and would have to be a folder. Choose another place: moa init DIR")
    existing = [target.name for target in targets if target.exists()]
    if existing and not force:
        raise UsageError(
            f"Nothing was written: {folder} already has {', '.join(existing)}. "
            "Choose another place (moa init DIR), or overwrite them (moa init --force)."
        )


def _next_steps(directory: Path, folder: Path) -> str:
    enter = "" if directory.resolve() == Path.cwd().resolve() else f"  cd {directory}\n"
    return (
        "Next:\n"
        f"{enter}"
        "  moa agents        who there is, and whether they are ready\n"
        "  moa chat          talk to them\n"
        f"and change what you like in {folder}: each agent is one small file."
    )

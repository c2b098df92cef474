"""Downloading models: each file from the first of its sources that works, checked, and moved into place whole."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from moa.errors import ChecksumMismatch, DownloadError, NoSpace
from moa.local.catalogue import CATALOGUE, entry
from moa.local.files import HubFile, ModelFile, Progress, Source, place
from moa.local.storage import PartialFile, is_whole, locked, models_folder, partial_folder, require_space

if TYPE_CHECKING:
    from moa.local.carriers import Carriers
    from moa.local.hub import Hub

__all__ = ["Progress", "bring", "fetch", "fetched"]

Tell = Callable[[Progress], None]


def fetched(name: str) -> Path | None:
    """Return the folder of a catalogue model if all of it is in the cache, else None.

    Raises:
        ModelReferenceError: the catalogue has no such name.
    """
    known = entry(name)
    folder = models_folder() / known.name
    return folder if all(is_whole(folder, file) for file in known.files) else None


def fetch(name: str, on_progress: Tell | None = None) -> Path:
    """Return the folder of a catalogue model, downloading what is missing. Blocks.

    Args:
        name: its name in the catalogue.
        on_progress: called in this thread several times a second. An exception that it raises stops the download,
            and what has arrived is kept for the next one.

    Raises:
        ModelReferenceError: the catalogue has no such name.
        ChecksumMismatch: what the sources give is not what the catalogue promises.
        NoSpace: the disk cannot hold it.
        DownloadError: no source works; the message holds the reason of each.
    """
    known = entry(name)
    folder = models_folder() / known.name
    bring(known.name, folder, known.files, on_progress)
    return folder


def bring(what: str, folder: Path, files: Sequence[ModelFile], on_progress: Tell | None = None) -> None:
    """Bring files into a folder of the cache; those that are there already are not touched.

    If another process is at it, this waits, and then finds them.

    Args:
        what: the model, for messages, as `moa models pull` takes it.
        folder: a folder below `models_folder()`.
        files: what it must hold.
        on_progress: as in `fetch`.

    Raises:
        DownloadError: as in `fetch`.
    """
    tell = on_progress or (lambda _: None)
    if all(is_whole(folder, file) for file in files):
        return
    try:
        waiting = Progress(what, 0, None, "another process", waiting=True)
        with locked(folder, lambda: tell(waiting)):
            _bring_missing(what, folder, [file for file in files if not is_whole(folder, file)], tell)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(
                f"The disk is full: {what} does not fit into {folder}. "
                "Free some space there, or set MOA_CACHE to a folder on a larger disk."
            ) from error
        raise DownloadError(
            f"{what} cannot be written to {folder}: {error.strerror or error}. "
            "Mend that, or set MOA_CACHE to another folder."
        ) from error


def _bring_missing(what: str, folder: Path, missing: Sequence[ModelFile], tell: Tell) -> None:
    from moa.local.carriers import Carriers
    from moa.local.hub import Hub

    growing = partial_folder(folder)
    for leftover in growing.glob("archive-*"):
        shutil.rmtree(leftover, ignore_errors=True)  # of a download that was killed
    partials = [PartialFile(file, folder) for file in missing]
    require_space(what, folder, sum(partial.missing for partial in partials))
    with Hub(what) as hub, Carriers(what, growing, missing) as carriers:
        for partial in partials:
            _bring_one(what, partial, hub, carriers, tell)
    shutil.rmtree(growing, ignore_errors=True)


def _bring_one(what: str, partial: PartialFile, hub: Hub, carriers: Carriers, tell: Tell) -> None:
    """Complete a file from the first source that works, and move it into place."""
    causes: list[DownloadError] = []
    if _take_twin(partial):
        return
    for source in partial.file.sources:
        try:
            _fill_and_publish(partial, source, hub, carriers, tell)
            return
        except NoSpace:
            raise
        except DownloadError as error:
            causes.append(error)
    kind = ChecksumMismatch if any(isinstance(cause, ChecksumMismatch) for cause in causes) else DownloadError
    listed = "".join(
        f"\n  - {place(source)}: {cause}" for source, cause in zip(partial.file.sources, causes, strict=True)
    )
    raise kind(
        f"{what} could not be downloaded. What was tried for {partial.file.name}:{listed}\n"
        f"Then repeat it with: moa models pull {what}"
    ) from causes[-1]


def _fill_and_publish(partial: PartialFile, source: Source, hub: Hub, carriers: Carriers, tell: Tell) -> None:
    """Complete a file from one source.

    If it was begun earlier and turns out wrong, the beginning may be to blame: then it is fetched once more, all of it.
    """
    begun = partial.size > 0
    while True:
        if isinstance(source, HubFile):
            hub.fill(partial, source, tell)
        else:
            carriers.fill(partial, source, tell)
        try:
            partial.publish(place(source))
            return
        except ChecksumMismatch:
            if not begun:
                raise
            begun = False


def _take_twin(partial: PartialFile) -> bool:
    """Copy the file from another model's folder, if it is there as well. Return whether that worked."""
    for other in CATALOGUE:
        folder = models_folder() / other.name
        for file in other.files:
            if file.sha256 != partial.file.sha256 or folder / file.name == partial.target or not is_whole(folder, file):
                continue
            with (folder / file.name).open("rb") as there, partial.open() as growing:
                growing.truncate(0)
                shutil.copyfileobj(there, growing)
            with suppress(ChecksumMismatch):
                partial.publish(f"the folder of {other.name}")
                return True
    return False

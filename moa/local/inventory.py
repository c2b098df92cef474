"""What is in the cache, what could be, and taking things out of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from moa.errors import MoaError, UsageError
from moa.local.catalogue import CATALOGUE, Entry
from moa.local.download import fetch, fetched
from moa.local.files import Progress, place
from moa.local.storage import locked, models_folder, partial_folder
from moa.local.weights import HubWeights, Weights, repository_name, weights_for


@dataclass(frozen=True, slots=True)
class Holding:
    """A model of the catalogue, or one of the hub that is in the cache."""

    name: str
    """What `moa models pull` takes; with `local:` before it, a model reference (of language models)."""
    kind: str
    """`llm` or `encoder`."""
    about: str
    licence: str | None
    """SPDX identifier; None if moa does not know it."""
    bytes: int
    """Size of its files."""
    memory_bytes: int | None
    """Memory that it takes while it runs, as `Entry.memory_bytes`; None if nobody measured it."""
    context_length: int | None
    sha256: str | None
    """Checksum of its weights."""
    sources: tuple[str, ...]
    """Where its weights can be had, in the order in which that is tried."""
    path: Path | None
    """Where it lies; None if it is not in the cache."""


def holdings() -> tuple[Holding, ...]:
    """Return every model of the catalogue, then the models of the hub that are in the cache."""
    known = (
        Holding(
            name=entry.name,
            kind=entry.kind,
            about=entry.about,
            licence=entry.licence,
            bytes=entry.bytes,
            memory_bytes=entry.memory_bytes,
            context_length=entry.context_length,
            sha256=entry.weights.sha256,
            sources=tuple(map(place, entry.weights.sources)),
            path=fetched(entry.name),
        )
        for entry in CATALOGUE
    )
    return (*known, *_from_hub())


def pull(name: str, on_progress: Callable[[Progress], None] | None = None) -> Path:
    """Fetch a model of the catalogue or of the hub and return where it lies. Blocks.

    Raises:
        ModelReferenceError: nothing has that name.
        DownloadError: it could not be fetched.
    """
    found = _named(name)
    return fetch(found.name, on_progress) if isinstance(found, Entry) else found.fetch(on_progress)


def remove(name: str) -> int:
    """Delete a model from the cache, with what was begun of it, and return how many bytes that freed.

    Raises:
        ModelReferenceError: nothing has that name.
        UsageError: it is a file of the user's.
        MoaError: it is not in the cache.
    """
    found = _named(name)
    if isinstance(found, Entry):
        folder = models_folder() / found.name
        doomed = [folder, partial_folder(folder)]
    elif isinstance(found, HubWeights):
        folder = found.folder
        doomed = [*found.files(), partial_folder(folder)]
    else:
        raise UsageError(f"{name} is a file of your own, not of the cache. Delete it yourself.")
    with locked(folder, lambda: None):
        freed = sum(_size(path) for path in doomed)
        for path in doomed:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if not freed:
        raise MoaError(f"{name} is not in the cache. `moa models` shows what is.")
    return freed


def _named(name: str) -> Entry | Weights:
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    return weights_for(name)


def _from_hub() -> list[Holding]:
    hub = models_folder() / "hub"
    found = []
    for repository in sorted(hub.glob("*/*")):
        repo = repository.relative_to(hub).as_posix()
        names = {repository_name(path.relative_to(repository)) for path in repository.rglob("*.gguf")}
        for name in sorted(names):
            files = HubWeights(repo, name).files()
            if files:
                size = sum(file.stat().st_size for file in files)
                about, sources = "from the hub", (f"Hugging Face hub ({repo})",)
                found.append(
                    Holding(f"{repo}:{name}", "llm", about, None, size, None, None, None, sources, path=files[0])
                )
    return found


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(inside.stat().st_size for inside in path.rglob("*") if inside.is_file())

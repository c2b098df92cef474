"""Model files: what they must be, and where each can be had."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the Hugging Face hub."""

    repo: str
    """`owner/name`."""
    file: str
    """Path within the repository."""
    revision: str = "main"
    """Branch or commit. The catalogue names commits: they do not change."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a model file, carried by a package: one member of its archive."""

    package: str
    version: str
    member: str
    """Path within the archive."""
    bytes: int
    """Size of the member."""
    archive_bytes: int | None = None
    """Size of the archive, where it differs much from the member's."""

    @property
    def download_bytes(self) -> int:
        """What is about to be downloaded for this piece."""
        return self.archive_bytes or self.bytes


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that packages of the package index carry, in pieces that are joined in order."""

    parts: tuple[Part, ...]


Source = HubFile | Carried


def place(source: Source) -> str:
    """Return what a source is called, for people."""
    if isinstance(source, HubFile):
        return f"Hugging Face hub ({source.repo})"
    first = source.parts[0]
    last = f" to {source.parts[-1].package}" if len(source.parts) > 1 else ""
    return f"package index ({first.package}{last}, {first.version})"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. Whatever the source, the bytes must be these."""

    name: str
    """Path within the model's folder."""
    bytes: int | None
    """Its size; None if nobody promised one."""
    sha256: str | None
    """Its checksum, in lower-case hex; None if nobody promised one."""
    sources: tuple[Source, ...]
    """Where it can be had, the first that works wins."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download has come."""

    file: str
    done: int
    """Bytes that need not be downloaded any more."""
    total: int | None
    """Bytes in all; of archives, this is a close estimate. None if the source did not say."""
    source: str
    """Where the bytes come from, for people."""
    waiting: bool = False
    """True while another process downloads the same model, and this one waits for it."""

    @property
    def fraction(self) -> float | None:
        """How much of it is done, 0 … 1; None if that is not known."""
        return min(1.0, self.done / self.total) if self.total else None


def size_text(size: int) -> str:
    """Return a number of bytes for people, in decimal units: `1.1 GB`, `98 MB`, `612 bytes`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return f"{size} bytes"

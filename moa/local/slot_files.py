"""What an engine's slots hold, kept on disk while the engine is not in memory.

Reading a long conversation takes a processor minutes; its KV state is written and read back in milliseconds (28 kB a
token of a model of 1.5 billion parameters). The files say what was said, so they lie in a folder that only this user
can open, and they go with the process. They are on disk and not in the system's folder for temporary files, which may
be memory: the very thing that is short.
"""

from __future__ import annotations

import atexit
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moa.errors import EngineError
from moa.local.adapters import lora_field
from moa.local.slots import Held, Slots
from moa.local.storage import free_bytes
from moa.paths import cache_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from moa.local.child import Child

_LEAST_FREE_BYTES = 2 * 10**9  # with less on the disk, conversations are rather read again
_SHORTEST_PROMPT = 400  # characters; what is shorter is read again as quickly


@dataclass(frozen=True, slots=True)
class Kept:
    """What was saved of an engine's slots."""

    files: dict[int, tuple[str, Held]]
    """The file, and what is in it, of each slot that was saved."""


def keep_slots(child: Child, slots: Slots) -> Kept:
    """Save what the slots of an engine hold, before its process is ended. Blocks, for milliseconds.

    What cannot be saved is only read again later: that is no error. The slots are empty afterwards.
    """
    files: dict[int, tuple[str, Held]] = {}
    folder = kept_folder()
    for number, held in slots.held().items():
        if len(held.prompt) < _SHORTEST_PROMPT or free_bytes(folder) < _LEAST_FREE_BYTES:
            continue
        name = f"{secrets.token_hex(8)}.kv"
        try:
            child.post(f"/slots/{number}?action=save", {"filename": name})
        except EngineError:
            (folder / name).unlink(missing_ok=True)
        else:
            files[number] = (name, held)
    slots.forget()
    return Kept(files)


def restore_slots(child: Child, slots: Slots, kept: Kept) -> None:
    """Put back what was saved into a new process of the same engine, and delete the files. Blocks."""
    for number, (name, held) in kept.files.items():
        with suppress(EngineError):
            if child.adapters:
                # A slot is emptied by a request that uses other adapters than the last one did, as a first one does.
                applied = lora_field(child.adapters, held.adapters)
                child.post("/completion", {"prompt": " ", "n_predict": 0, "id_slot": number, "lora": applied})
            child.post(f"/slots/{number}?action=restore", {"filename": name})
            slots.put(number, held)
    drop_kept(kept)


def drop_kept(kept: Kept) -> None:
    """Delete what was saved."""
    for name, _ in kept.files.values():
        (kept_folder() / name).unlink(missing_ok=True)


def kept_folder() -> Path:
    """Return the folder of this process's saved slots; it is made at the first call and goes with the process."""
    global _folder, _lock  # noqa: PLW0603  (one folder for each process)
    with _making:
        if _folder is None:
            from filelock import FileLock

            everyones = cache_folder() / "slots"
            everyones.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(everyones)
            folder = everyones / secrets.token_hex(8)
            _lock = FileLock(folder.with_suffix(".lock"))
            _lock.acquire()  # before the folder is there: nobody may take it for one of the dead
            folder.mkdir(mode=0o700)
            _folder = folder
            atexit.register(_remove)
        return _folder


def _sweep(everyones: Path) -> None:
    """Delete the folders of processes that were killed: nobody holds their locks any more."""
    from filelock import FileLock, Timeout

    for path in everyones.glob("*.lock"):
        with suppress(Timeout, OSError), FileLock(path, timeout=0):
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink(missing_ok=True)


def _remove() -> None:
    global _folder  # noqa: PLW0603
    with _making:
        if _folder and _lock:
            shutil.rmtree(_folder, ignore_errors=True)
            _lock.release()
            _folder.with_suffix(".lock").unlink(missing_ok=True)
            _folder = None


_making = threading.Lock()
_folder: Path | None = None
_lock: BaseFileLock | None = None

"""API keys of a server: made once, shown once, kept only as hashes, with what each may do."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from moa.errors import MoaError, UsageError
from moa.paths import data_folder

PREFIX: Final = "moa-"
_ID_BYTES = 4
_SECRET_BYTES = 32
_NOBODY = "0" * 64
_LOCK_SECONDS = 10.0


class KeyFileError(MoaError):
    """The file of keys cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may use; None means no limit of its own."""

    requests_per_minute: int | None = None
    tokens_per_day: int | None = None
    usd_per_day: float | None = None
    concurrency: int | None = None
    """Requests at once, those that wait for their turn included."""
    agents: tuple[str, ...] | None = None
    """Names of the agents that may be asked; None means all."""

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "tokens_per_day", "usd_per_day", "concurrency"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(
                    f"{name} of a key is {value}; it must be more than 0. `moa keys revoke` takes one away."
                )
        if self.agents is not None and not self.agents:
            raise UsageError("A key that may ask no agent is of no use. Name one, or leave the list out for all.")


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without its secret."""

    id: str
    """Its public part, which stands in lists and logs."""
    name: str
    """What people call it."""
    hash: str
    """SHA-256 of the whole key, in hexadecimal. A plain hash will do: the secret has 256 random bits, so that there is
    nothing to be guessed that a slow hash would protect."""
    created_unix: float
    allowance: Allowance = field(default_factory=Allowance)
    watches: bool = False
    """Whether it may see the runs of all keys, and the models' own words in errors."""
    revoked_unix: float | None = None

    @property
    def valid(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_unix is None


_KEYS = TypeAdapter(tuple[Key, ...])


class KeyBook:
    """The keys in one file. What other processes change in it counts from the next `refresh` on.

    Args:
        path: the file; `server-keys.json` in the data folder by default.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path or data_folder() / "server-keys.json"
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._seen: tuple[int, int, int] | None = None

    def listed(self) -> tuple[Key, ...]:
        """Return all keys, the oldest first, those that were revoked too.

        Raises:
            KeyFileError: the file cannot be read.
        """
        self.refresh()
        return tuple(self._keys.values())

    def refresh(self) -> bool:
        """Read the file if it has changed, and return whether it had.

        Raises:
            KeyFileError: it cannot be read. What was known before still counts.
        """
        seen = self._state()
        if seen == self._seen:
            return False
        self._keys = {key.id: key for key in self._read()} if seen else {}
        self._seen = seen
        return True

    def holder(self, presented: str) -> Key | None:
        """Return the valid key that somebody presents; None if it is none.

        Takes the same time whatever is wrong with it, as far as its hash is concerned.
        """
        key = self._keys.get(_id_of(presented))
        expected = key.hash if key else _NOBODY
        same = hmac.compare_digest(_hash(presented), expected)
        return key if key and same and key.valid else None

    def add(self, name: str, allowance: Allowance | None = None, *, watches: bool = False) -> tuple[Key, str]:
        """Make a key.

        Returns:
            The key, and the secret text of it, which nobody can find out again.

        Raises:
            UsageError: a valid key has this name already, or the name is blank or cannot be printed.
            KeyFileError: the file cannot be read or written.
        """
        if not name.strip() or not name.isprintable() or len(name) > 100:  # noqa: PLR2004
            raise UsageError("A key needs a name of 1 to 100 printable characters, for example: moa keys add laptop")
        with self._changing():
            if any(key.name == name and key.valid for key in self._keys.values()):
                raise UsageError(
                    f"There is a key called {name!r} already. Choose another name, or: moa keys revoke {name}"
                )
            identifier = secrets.token_hex(_ID_BYTES)
            secret = f"{PREFIX}{identifier}-{secrets.token_urlsafe(_SECRET_BYTES)}"
            key = Key(identifier, name, _hash(secret), self._clock(), allowance or Allowance(), watches)
            self._write((*self._keys.values(), key))
        return key, secret

    def revoke(self, named: str) -> Key:
        """Take a key away, by its name or its identifier. A server that uses the file heeds it within seconds.

        Raises:
            UsageError: there is no such key, or it was revoked already.
            KeyFileError: the file cannot be read or written.
        """
        with self._changing():
            found = [key for key in self._keys.values() if named in {key.id, key.name} and key.valid]
            if not found:
                raise UsageError(f"There is no valid key {named!r}. `moa keys list` shows those that there are.")
            revoked = replace(found[0], revoked_unix=self._clock())
            self._write(tuple(revoked if key.id == revoked.id else key for key in self._keys.values()))
        return revoked

    def _state(self) -> tuple[int, int, int] | None:
        try:
            facts = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyFileError(f"The keys in {self.path} cannot be read: {error.strerror}.") from error
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _read(self) -> tuple[Key, ...]:
        try:
            held: Any = json.loads(self.path.read_text("utf-8"))
            return _KEYS.validate_python(held["keys"])
        except OSError as error:
            raise KeyFileError(f"The keys in {self.path} cannot be read: {error.strerror}.") from error
        except (ValueError, ValidationError, LookupError, TypeError) as error:
            raise KeyFileError(
                f"{self.path} is not a file of keys. Put an older copy in its place, or delete it and make new keys: "
                "moa keys add NAME"
            ) from error

    def _changing(self) -> _Changing:
        return _Changing(self)

    def _write(self, keys: tuple[Key, ...]) -> None:
        """Replace the file in one step, readable by its owner alone."""
        text = json.dumps({"keys": [asdict(key) for key in keys]}, ensure_ascii=False, indent=2)
        try:
            with NamedTemporaryFile("w", encoding="utf-8", dir=self.path.parent, delete=False) as file:
                file.write(text)
            os.replace(file.name, self.path)  # noqa: PTH105  (what NamedTemporaryFile makes is 0600 from the start)
        except OSError as error:
            raise KeyFileError(f"The keys cannot be written to {self.path}: {error.strerror}.") from error
        self.refresh()


class _Changing:
    """Keeps other processes from changing the file meanwhile, and knows what is in it."""

    def __init__(self, book: KeyBook) -> None:
        self._book = book
        self._lock: FileLock | None = None

    def __enter__(self) -> None:
        path = self._book.path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(path.with_name(path.name + ".lock"), timeout=_LOCK_SECONDS)
            self._lock.acquire()
        except (OSError, Timeout) as error:
            raise KeyFileError(f"The keys in {path} cannot be changed: {error}.") from error
        try:
            self._book.refresh()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.release()


def _hash(presented: str) -> str:
    return hashlib.sha256(presented.encode("utf-8", "replace")).hexdigest()


def _id_of(presented: str) -> str:
    """Return the public part of a key, whatever it was that somebody presented."""
    return presented.removeprefix(PREFIX).partition("-")[0][: 2 * _ID_BYTES]

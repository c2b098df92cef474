"""Vectors kept on disk, so that the examples of agents are embedded once and not at every start."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FILES = 8
"""Files to keep, one an encoder."""
ROWS = 20_000
"""Vectors to keep of one encoder, the newest, if it is not given more at once; 1.5 kB each at 384 dimensions."""
_KEY_BYTES = 16


class VectorCache:
    """A folder with one table of vectors an encoder, in which a row is found by the hash of its text.

    So an example that is added or changed is embedded, and those beside it are not. It is only ever a short cut: a file
    that is missing, broken or cannot be written costs time and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, fingerprint: bytes, texts: Sequence[str], dimension: int) -> dict[str, NDArray[np.float32]]:
        """Return the vectors by this encoder, each of shape (dimension,), of those of the texts that are kept."""
        rows = self._read(fingerprint, dimension)
        places = {key: place for place, key in enumerate(rows["key"].tolist())}
        found = ((text, places.get(_key(text))) for text in dict.fromkeys(texts))
        return {text: rows["vector"][place] for text, place in found if place is not None}

    def save(self, fingerprint: bytes, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors of texts, each of shape (dimension,). Readers see the whole file or none."""
        if not vectors:
            return
        dimension = len(next(iter(vectors.values())))
        new = np.empty(len(vectors), _row(dimension))
        new["key"] = [_key(text) for text in vectors]
        new["vector"] = list(vectors.values())
        old = self._read(fingerprint, dimension)
        old = old[~np.isin(old["key"], new["key"])][: max(0, ROWS - len(new))]
        try:
            self._write(self._path(fingerprint), np.concatenate([new, old]))
        except OSError:
            return

    def _read(self, fingerprint: bytes, dimension: int) -> NDArray[Any]:
        none = np.empty(0, _row(dimension))
        try:
            rows = np.load(self._path(fingerprint), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return none
        if rows.dtype != none.dtype or rows.ndim != 1 or not np.isfinite(rows["vector"]).all():
            return none
        return rows  # type: ignore[no-any-return]

    def _write(self, path: Path, rows: NDArray[Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, half_made = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, rows, allow_pickle=False)
            Path(half_made).replace(path)
        except BaseException:
            Path(half_made).unlink(missing_ok=True)
            raise
        self._forget_the_oldest()

    def _path(self, fingerprint: bytes) -> Path:
        return self._folder / f"{fingerprint.hex()}.npy"

    def _forget_the_oldest(self) -> None:
        newest_first = sorted(self._folder.glob("*.npy"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in newest_first[FILES:]:
            path.unlink(missing_ok=True)


def _row(dimension: int) -> np.dtype[Any]:
    return np.dtype([("key", f"V{_KEY_BYTES}"), ("vector", "<f4", (dimension,))])


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]

"""Vectors kept on disk, so that the examples of agents are embedded once and not at every start."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FILES = 32
"""Files to keep; each holds the examples of one set of agents, some 300 kB for two hundred of them."""


class VectorCache:
    """A folder of arrays, each named by the hash of what it was made from.

    It is only ever a short cut: a file that is missing, broken or cannot be written costs time and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, fingerprint: bytes, texts: Sequence[str], dimension: int) -> NDArray[np.float32] | None:
        """Return the vectors of these texts by this encoder, shape (texts, dimension), or None."""
        path = self._path(fingerprint, texts)
        try:
            found = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if found.dtype != np.float32 or found.shape != (len(texts), dimension) or not np.isfinite(found).all():
            return None
        return found  # type: ignore[no-any-return]

    def save(self, fingerprint: bytes, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep the vectors of these texts. Readers see the whole file or none."""
        path = self._path(fingerprint, texts)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, half_made = tempfile.mkstemp(dir=self._folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.save(file, vectors, allow_pickle=False)
                Path(half_made).replace(path)
            except BaseException:
                Path(half_made).unlink(missing_ok=True)
                raise
            self._forget_the_oldest()
        except OSError:
            return

    def _path(self, fingerprint: bytes, texts: Sequence[str]) -> Path:
        key = sha256(fingerprint)
        for text in texts:
            piece = text.encode("utf-8", "surrogatepass")
            key.update(len(piece).to_bytes(8, "big") + piece)
        return self._folder / f"{key.hexdigest()}.npy"

    def _forget_the_oldest(self) -> None:
        newest_first = sorted(self._folder.glob("*.npy"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in newest_first[FILES:]:
            path.unlink(missing_ok=True)

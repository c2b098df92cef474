"""Vectors kept between runs: the encoding of all sets takes half an hour, everything else minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from moa.routing.embedding import Embedder
from moa.routing.encoder import Encoder

_AT_ONCE = 500
"""Keys of one look-up; SQLite takes 999 at least."""


class RememberingEncoder:
    """An encoder that looks into a file first.

    A vector is kept under the hash of its text and of the encoder's own fingerprint, so that another encoder, or
    another version of its weights, never meets these.

    Args:
        encoder: what turns text into vectors.
        path: of the file, made if it is not there.
    """

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.dimension = encoder.dimension
        self._fingerprint = Embedder(encoder).fingerprint()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, timeout=60)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension)."""
        keys = [self._key(text) for text in texts]
        known = self._look_up(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = self._encoder.encode(list(new.values()))
            made = dict(zip(new, vectors, strict=True))
            with self._lock, self._file:
                rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in made.items()]
                self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            known |= made
        return np.stack([known[key] for key in keys]) if keys else np.empty((0, self.dimension), np.float32)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _key(self, text: str) -> bytes:
        return sha256(self._fingerprint + text.encode("utf-8", "surrogatepass")).digest()

    def _look_up(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        known: dict[bytes, NDArray[np.float32]] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            with self._lock:
                found = self._file.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some).fetchall()
            known.update((key, np.frombuffer(vector, np.float32)) for key, vector in found)
        return known


class RememberingEmbedder(Embedder):
    """An embedder that forgets nothing: texts come again for every way of routing and every fold."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._known: dict[str, NDArray[np.float32]] = {}

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, float32, shape (texts, dimension).

        Raises:
            EncoderError: the encoder failed, or returned something that is not a vector.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, super().questions(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else super().questions(texts)

"""Embedding with care: long texts through windows, every vector checked, nothing computed twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import EncoderError
from moa.routing.vectors import VectorCache
from moa.routing.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.encoder import Encoder

REMEMBERED = 2048
"""Vectors of questions kept in memory, 1.5 kB each at 384 dimensions."""
_PROBE = "A fixed sentence, by whose vector an encoder is known."


class Embedder:
    """Embeds questions and examples with one encoder. Threads may share it.

    Args:
        encoder: what turns text into vectors.
        cache: where the vectors of examples are kept between starts; None keeps them nowhere.
    """

    def __init__(self, encoder: Encoder, cache: VectorCache | None = None) -> None:
        self.encoder = encoder
        self._cache = cache
        self._remembered: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()
        self._fingerprint: bytes | None = None

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, float32, shape (texts, dimension); texts that were seen lately cost nothing.

        Raises:
            EncoderError: the encoder failed, or returned something that is not a vector.
        """
        with self._lock:
            known = {text: self._remembered[text] for text in texts if text in self._remembered}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, self._embed(new), strict=True))
        with self._lock:
            for text in dict.fromkeys(texts):
                self._remembered[text] = known[text]
                self._remembered.move_to_end(text)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return np.array([known[text] for text in texts]) if texts else self._embed([])

    def examples(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors as `questions` does, from the cache on disk where it holds them.

        Raises:
            EncoderError: as `questions`.
        """
        if self._cache is None or not texts:
            return self._embed(texts)
        fingerprint = self.fingerprint()
        known = self._cache.load(fingerprint, texts, self.encoder.dimension)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, self._embed(new), strict=True))
            self._cache.save(fingerprint, known)
        return np.array([known[text] for text in texts])

    def fingerprint(self) -> bytes:
        """Return a hash that changes when the encoder does: of its name and of the vector it gives a fixed sentence."""
        if self._fingerprint is None:
            probe = self._embed([_PROBE])
            self._fingerprint = sha256(self.encoder.name.encode() + b"\0" + probe.tobytes()).digest()
        return self._fingerprint

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode every window of every text; the vector of a text is the mean of its windows', at length 1."""
        if not texts:
            return np.empty((0, self.encoder.dimension), np.float32)
        cut = [windows(text) for text in texts]
        vectors = self._encode([window for parts in cut for window in parts])
        if len(vectors) == len(texts):
            return vectors
        starts = np.cumsum([0, *(len(parts) for parts in cut[:-1])])
        return _unit(np.add.reduceat(vectors, starts, axis=0))

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        name = self.encoder.name
        try:
            returned = self.encoder.encode(texts)
            vectors = np.asarray(returned, np.float32)
        except EncoderError:
            raise
        except Exception as error:
            raise EncoderError(f"The encoder {name} failed: {error or type(error).__name__}") from error
        expected = (len(texts), self.encoder.dimension)
        if vectors.shape != expected:
            raise EncoderError(
                f"The encoder {name} returned an array of shape {vectors.shape} where {expected} was due: "
                "one row a text, as wide as its dimension."
            )
        if not np.isfinite(vectors).all():
            raise EncoderError(
                f"The encoder {name} returned numbers that are not finite (NaN or infinity), so nothing can be "
                "compared. Use another encoder, or load this one anew."
            )
        return _unit(vectors)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a row of zeros, like to nothing, stays as it is."""
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    lengths[lengths == 0] = 1
    return vectors / lengths[:, None]

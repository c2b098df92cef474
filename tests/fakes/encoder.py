"""Encoders that do what a test tells them to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


class WordEncoder:
    """Knows a text by its words: the cosine of two texts is the share of words that they have in common.

    It remembers every text that it was given.
    """

    def __init__(self, name: str = "words", dimension: int = 512) -> None:
        self.name = name
        self.dimension = dimension
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, crc32(word.encode()) % self.dimension] = 1
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        return vectors / lengths


class BrokenEncoder:
    """Returns, or raises, what a test gives it."""

    name = "broken"
    dimension = 4

    def __init__(self, encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self._encode = encode

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts)

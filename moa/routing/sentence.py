"""Any sentence-transformers model as an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import EncoderError
from moa.routing.encoder import cause

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SentenceEncoder:
    """Runs a model through sentence-transformers, on a GPU where torch finds one.

    Args:
        model: a folder, or a name on the Hugging Face hub.
        name: how the encoder is called; `model` by default.

    Raises:
        EncoderError: there is no such model, or it cannot be loaded.
    """

    def __init__(self, model: str, *, name: str | None = None) -> None:
        self.name = name or model
        try:
            from sentence_transformers import SentenceTransformer

            with _no_progress_bar():
                self._model = SentenceTransformer(model)
        except Exception as error:  # the library, the hub and torch raise errors of many kinds
            raise EncoderError(
                f"The encoder {model!r} cannot be loaded with sentence-transformers ({cause(error)}). "
                "Name a folder that holds such a model, or a model of the Hugging Face hub."
            ) from error
        self._one_at_a_time = Lock()
        self.dimension = self.encode(["How long is a vector?"]).shape[1]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension)."""
        with self._one_at_a_time:
            vectors = self._model.encode(
                list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )
        return np.asarray(vectors, np.float32).reshape(len(texts), -1)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing a bar into the terminal, which belongs to moa's user."""
    from transformers.utils import logging

    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]

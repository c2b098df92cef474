"""The light encoder: a small transformer on onnxruntime, without the seconds that importing torch takes."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import EncoderError
from moa.routing.cause import cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS = 256
"""What all-MiniLM-L6-v2 was made to read; the rest of a text is cut off."""

_SAYING_NOTHING = ("[CLS]", "[SEP]", "[UNK]", "[PAD]")
"""Tokens that stand for no word of the text."""


class LightEncoder:
    """Runs `model.onnx` with `tokenizer.json`: the last hidden states, averaged over the tokens, scaled to length 1.

    Texts are run one by one on one thread. On a processor, a batch of texts takes as long as they take one after
    another; padding would only add to it, and a second thread costs more in waiting than a short question takes.

    Args:
        folder: holds `model.onnx` and `tokenizer.json`.
        name: how the encoder is called; the folder's name by default.

    Raises:
        EncoderError: a file is missing or broken.
    """

    def __init__(self, folder: Path, *, name: str | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.name = name or folder.name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # warnings about the machine's devices would land in the user's terminal
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise bare Exceptions
            raise EncoderError(
                f"The encoder in {folder} cannot be loaded ({cause(error)}). Delete that folder; "
                "it is fetched again when it is next needed."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS)
        self._nothing = {
            place for token in _SAYING_NOTHING if (place := self._tokenizer.token_to_id(token)) is not None
        }
        self._inputs = {given.name for given in self._session.get_inputs()}
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension).

        A text of which the model knows no word, such as an emoji or a line in a script that it never read, is like to
        nothing: zeros. All such texts would have almost the same vector, and be taken for one another.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(self._tokenizer.encode(text).ids)
        return vectors

    def _vector(self, ids: list[int]) -> NDArray[np.float32]:
        if self._nothing.issuperset(ids):
            return np.zeros(self.dimension, np.float32)
        tokens = np.array([ids], np.int64)
        feeds = {
            "input_ids": tokens,
            "attention_mask": np.ones(tokens.shape, np.int64),
            "token_type_ids": np.zeros(tokens.shape, np.int64),
        }
        states = self._session.run(None, {name: feeds[name] for name in self._inputs})[0][0]
        total = np.add.reduce(states, axis=0)  # at length 1 it is what the mean is
        return np.asarray(total / sqrt(total @ total), np.float32)

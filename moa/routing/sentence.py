"""Any sentence-transformers model as an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import EncoderError
from moa.routing.cause import cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

FITTING_PROMPTS = ("classification", "clustering", "sts", "s2s_query", "query", "search_query")
"""Names that models give to their instructions, those first that fit best; letter case does not matter. A question is
compared with questions, to tell which field it belongs to. So both sides get the same instruction, a classifier's or a
query's, and not one of them the instruction for documents."""
BATCH = 32
"""Texts that go through the model together; the library's own default."""


class SentenceEncoder:
    """Runs a model through sentence-transformers, on a GPU where torch finds one.

    Many models were trained with instructions before the text ("Represent this question …: "), and carry them by name.
    Such a model gets the first of `FITTING_PROMPTS` that it has, else its own default. Its name then says which
    (`model#query`), as vectors with another instruction are those of another encoder; `encoder_for` takes such names.

    Args:
        model: a folder, or a name on the Hugging Face hub.
        name: how the encoder is called; by default `model`, and after a `#` its instruction if it carries any.
        prompt: the name of one of the model's instructions; or, ending in a colon or a blank, the instruction itself;
            or empty for none. By default the one that fits.
        device: what torch runs it on: `cpu`, `cuda`, `cuda:1`, `mps`, …; by default a GPU if there is one.
        batch_size: texts that go through the model together, 1 or more.

    Raises:
        EncoderError: there is no such model, instruction or device, or it cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        name: str | None = None,
        prompt: str | None = None,
        device: str | None = None,
        batch_size: int = BATCH,
    ) -> None:
        if batch_size < 1:
            raise EncoderError(f"batch_size of the encoder {model!r} is {batch_size}; it must be 1 or more.")
        try:
            from sentence_transformers import SentenceTransformer

            with _no_progress_bar():
                self._model = SentenceTransformer(model, device=device)
        except Exception as error:  # the library, the hub and torch raise errors of many kinds
            on = f" on {device}" if device else ""
            raise EncoderError(
                f"The encoder {model!r} cannot be loaded with sentence-transformers{on} ({cause(error)}). "
                "Name a folder that holds such a model, or a model of the Hugging Face hub"
                f"{', and a device that torch knows' if device else ''}."
            ) from error
        prompts = {known: text for known, text in self._model.prompts.items() if text}
        chosen = (
            _fitting(prompts, self._model.default_prompt_name) if prompt is None else _known(prompts, prompt, model)
        )
        self.prompt = prompts.get(chosen, chosen)
        """The instruction before every text; empty if there is none."""
        self.name = name or (f"{model}#{chosen}" if prompts or chosen else model)
        self._batch_size = batch_size
        self._one_at_a_time = Lock()
        self.dimension = self.encode(["How long is a vector?"]).shape[1]

    @property
    def device(self) -> str:
        """What it runs on, in torch's words: `cpu`, `cuda:0` or another."""
        return str(self._model.device)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension)."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with self._one_at_a_time:
            vectors = self._model.encode(
                list(texts),
                prompt=self.prompt,  # given even if empty, or the model would put its default there
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, np.float32).reshape(len(texts), -1)


def _fitting(prompts: Mapping[str, str], default: str | None) -> str:
    """Return the name of the instruction that suits questions best; empty if there is none."""
    by_name = {name.lower(): name for name in prompts}
    fitting = [by_name[name] for name in FITTING_PROMPTS if name in by_name]
    return next((name for name in (*fitting, default) if name and name in prompts), "")


def _known(prompts: Mapping[str, str], wanted: str, model: str) -> str:
    """Return what is wanted, if it is a name that the model knows, an instruction, or empty for none.

    Raises:
        EncoderError: it is none of these, and probably a name with a mistake in it.
    """
    if wanted in prompts or wanted != wanted.rstrip(": \n") or not wanted:
        return wanted
    raise EncoderError(
        f"The encoder {model!r} has no instruction {wanted!r}; it has: {', '.join(sorted(prompts)) or 'none'}. Name "
        "one of these, or write an instruction that ends in a colon or a blank, such as 'Represent the question: '."
    )


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

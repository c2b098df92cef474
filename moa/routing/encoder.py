"""Encoders: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.local.files import Progress

LIGHT = "all-minilm-l6-v2-int8"
"""The default: 23 MB, loads in a fraction of a second, and costs a few milliseconds a question."""
FULL = "all-minilm-l6-v2"
"""The same model at full precision, for where onnxruntime is not installed."""


@runtime_checkable
class Encoder(Protocol):
    """Turns text into vectors whose cosine says how alike two texts are in meaning."""

    @property
    def name(self) -> str:
        """How it is called in routings and on screen."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension).

        The vector of a text does not depend on the texts beside it. Text beyond what the model can read is left out.
        """
        ...


def encoder_for(name: str, on_progress: Callable[[Progress], None] | None = None) -> Encoder:
    """Load the encoder that a name stands for, fetching its weights if they are not here yet.

    `all-minilm-l6-v2-int8` runs on onnxruntime; where that is not installed, the same model runs at full precision on
    sentence-transformers, and the encoder's name says so. `all-minilm-l6-v2` comes from moa's catalogue. Any other
    name is a folder or a model of the Hugging Face hub, for sentence-transformers.

    Args:
        name: which encoder.
        on_progress: told of every step of a download.

    Raises:
        EncoderError: there is no such encoder, or it cannot be loaded.
        DownloadError: its weights could not be fetched.
    """
    from moa.local.download import fetch

    if name == LIGHT and find_spec("onnxruntime") and find_spec("tokenizers"):
        from moa.routing.light import LightEncoder

        return LightEncoder(fetch(LIGHT, on_progress), name=LIGHT)

    from moa.routing.sentence import SentenceEncoder

    if name == LIGHT:
        return SentenceEncoder(str(fetch(FULL, on_progress)), name=f"{FULL} (onnxruntime is not installed)")
    if name == FULL:
        return SentenceEncoder(str(fetch(FULL, on_progress)), name=FULL)
    return SentenceEncoder(name)


def cause(error: Exception) -> str:
    """Return the first line of what another library said, short enough to stand inside a sentence."""
    return next((line.strip()[:200] for line in str(error).splitlines() if line.strip()), type(error).__name__)

"""The encoders that there are, by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.local.files import Progress
    from moa.routing.encoder import Encoder

LIGHT = "all-minilm-l6-v2-int8"
"""The default: 23 MB, loads in a fraction of a second, and costs a few milliseconds a question."""
FULL = "all-minilm-l6-v2"
"""The same model at full precision, for where onnxruntime is not installed."""
STAND_IN = f"{FULL} (onnxruntime is not installed)"
"""What the full model is called where it stands in for the light one."""
_LOCAL = "local:"


def encoder_for(name: str, on_progress: Callable[[Progress], None] | None = None) -> Encoder:
    """Load the encoder that a name stands for, fetching its weights if they are not here yet.

    `all-minilm-l6-v2-int8` runs on onnxruntime; where that is not installed, the same model runs at full precision on
    sentence-transformers, and the encoder's name says so. `all-minilm-l6-v2` comes from moa's catalogue. `local:` and a
    language model are that model's own hidden states, centred. Any other name is a folder or a model of the Hugging
    Face hub, for sentence-transformers; after a `#` may stand the instruction to use (`model#clustering`, or `model#`
    for none).

    Args:
        name: which encoder.
        on_progress: told of every step of a download.

    Raises:
        EncoderError: there is no such encoder, or it cannot be loaded.
        DownloadError: its weights could not be fetched.
    """
    from moa.local.download import fetch

    name = name.removeprefix(_LOCAL) if name.removeprefix(_LOCAL) in {LIGHT, FULL} else name
    if name.startswith(_LOCAL):
        from moa.routing.centred import Centred
        from moa.routing.hidden_states import HiddenStates

        return Centred.of(HiddenStates(name.removeprefix(_LOCAL), on_progress=on_progress))
    if name == LIGHT and find_spec("onnxruntime") and find_spec("tokenizers"):
        from moa.routing.light import LightEncoder

        return LightEncoder(fetch(LIGHT, on_progress), name=LIGHT)

    from moa.routing.sentence import SentenceEncoder

    if name == LIGHT:
        return SentenceEncoder(str(fetch(FULL, on_progress)), name=STAND_IN)
    if name in {FULL, STAND_IN}:
        return SentenceEncoder(str(fetch(FULL, on_progress)), name=name)
    model, mark, prompt = name.partition("#")
    return SentenceEncoder(model, prompt=prompt if mark else None)

"""What an encoder is: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

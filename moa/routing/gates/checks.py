"""What every gate looks at before it scores: vectors that are vectors, and the texts if it reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def checked(vectors: NDArray[np.float32], dimension: int | None = None) -> NDArray[np.float32]:
    """Return vectors as float32, shape (questions, dimension), without a copy if they are that.

    Args:
        vectors: of questions.
        dimension: how long each must be; None for a gate that does not look at them.

    Raises:
        GateError: they have another shape, or hold numbers that are not finite.
    """
    vectors = np.asarray(vectors, np.float32)
    if vectors.ndim != 2 or (dimension is not None and vectors.shape[1] != dimension):  # noqa: PLR2004
        due = "(questions, dimension)" if dimension is None else f"(questions, {dimension})"
        raise GateError(
            f"The gate was given vectors of shape {vectors.shape}; it needs {due}. Encode the questions with the "
            "encoder that its examples were encoded with."
        )
    if not np.isfinite(vectors).all():
        raise GateError("The gate was given vectors with NaN or infinity, which cannot be compared with anything.")
    return vectors


def needed(texts: Sequence[str] | None, vectors: NDArray[np.float32], gate: str) -> Sequence[str]:
    """Return the texts of the questions, for a gate that cannot do without.

    Raises:
        GateError: there are none, or not one a question.
    """
    if texts is None:
        raise GateError(f"A {gate} reads the questions themselves. Give it their texts: scores(vectors, texts).")
    if isinstance(texts, str) or len(texts) != len(vectors):
        count = 1 if isinstance(texts, str) else len(texts)
        raise GateError(f"The {gate} was given {count} texts for {len(vectors)} questions; give it one a question.")
    return texts

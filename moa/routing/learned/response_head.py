"""The head of a gate of responses: figures of a question from its vector and its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.form import Form

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ResponseHead:
    """Predicts several figures of a question by linear algebra alone.

    However many questions it was trained on, a question costs two products of small matrices.
    """

    form: Form
    landmarks: NDArray[np.float32]
    """Meaning and form of some training questions, as `joined` makes them, shape (landmarks, dimension + figures)."""
    by_landmark: NDArray[np.float32]
    """Weights, shape (landmarks, outputs)."""
    forms: NDArray[np.float32]
    """Forms alone of some training questions, shape (forms, figures)."""
    by_form: NDArray[np.float32]
    """Weights, shape (forms, outputs)."""
    bias: NDArray[np.float32]
    """Shape (outputs,)."""

    @property
    def dimension(self) -> int:
        """Length of the vectors that it reads."""
        return int(self.landmarks.shape[1] - self.forms.shape[1])

    def predict(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Return every output for every question.

        Args:
            vectors: unit vectors of the questions, shape (questions, dimension).
            texts: the questions.

        Returns:
            float32, shape (questions, outputs).
        """
        forms = self.form.vectors(texts)
        predicted: NDArray[np.float32] = alike(joined(vectors, forms), self.landmarks) @ self.by_landmark
        predicted += alike(forms, self.forms) @ self.by_form + self.bias
        return predicted

    def mixed(self, mix: NDArray[np.float32]) -> ResponseHead:
        """Return a head whose outputs are sums of this one's, weighed by `mix`, shape (outputs, new outputs)."""
        return replace(
            self,
            by_landmark=self.by_landmark @ mix,
            by_form=self.by_form @ mix,
            bias=self.bias @ mix,
        )


def joined(vectors: NDArray[np.float32], forms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return meaning and form together, shape (questions, dimension + figures)."""
    return np.hstack([vectors, forms]).astype(np.float32)


def alike(questions: NDArray[np.float32], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return exp(−squared distance), shape (questions, landmarks); of what is joined, the product of both kernels."""
    distances = np.square(questions).sum(axis=1, keepdims=True) + np.square(landmarks).sum(axis=1)
    distances -= 2 * (questions @ landmarks.T)
    near: NDArray[np.float32] = np.exp(-distances)
    return near

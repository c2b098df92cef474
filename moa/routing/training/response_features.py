"""What a gate of responses learns from: meaning and form of a question as one row of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.form import Form
from moa.routing.learned.response_head import ResponseHead, alike, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANDMARKS = 500
"""Questions that meaning and form are seen by their likeness to."""
FORMS = 200
"""Questions that the form alone is seen by its likeness to."""
_FLAT = 1e-3
"""Directions of a kernel with a smaller eigenvalue hold little but rounding errors."""


@dataclass(frozen=True, eq=False)
class ResponseFeatures:
    """Turns questions into rows in which a plain ridge regression does what one with kernels would.

    Two questions are alike by the product of a kernel of their vectors and one of their forms, plus the kernel of the
    forms alone. A kernel is seen through landmarks: the likeness to them, turned so that products of rows are the
    kernel again, as far as the landmarks can tell (the Nyström method: Williams and Seeger, 2001).
    """

    form: Form
    landmarks: NDArray[np.float32]
    from_landmarks: NDArray[np.float64]
    """Shape (landmarks, features)."""
    forms: NDArray[np.float32]
    from_forms: NDArray[np.float64]
    """Shape (forms, features)."""

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], texts: Sequence[str], seed: int = 0) -> ResponseFeatures:
        """Find landmarks among questions: unit vectors, shape (questions, dimension), and texts."""
        # An order of their own, so that the same questions give the same gate in whatever order they come.
        order = np.array(sorted(range(len(texts)), key=lambda place: texts[place]))
        order = order[np.random.default_rng(seed).permutation(len(order))][:LANDMARKS]
        form = Form.fit(texts)
        forms = form.vectors([texts[place] for place in order])
        landmarks = joined(vectors[order], forms)
        forms = forms[:FORMS]
        return cls(form, landmarks, _turn(alike(landmarks, landmarks)), forms, _turn(alike(forms, forms)))

    def rows(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float64]:
        """Return one row a question, shape (questions, features)."""
        forms = self.form.vectors(texts)
        near = alike(joined(vectors, forms), self.landmarks)
        return np.hstack([near @ self.from_landmarks, alike(forms, self.forms) @ self.from_forms])

    def head(self, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> ResponseHead:
        """Fold weights of rows, shape (features, outputs), and bias, shape (outputs,), into a head."""
        of_landmarks, of_forms = np.split(weights, [self.from_landmarks.shape[1]])
        tables = (self.from_landmarks @ of_landmarks, self.from_forms @ of_forms, bias)
        by_landmark, by_form, intercept = (np.ascontiguousarray(each, np.float32) for each in tables)
        return ResponseHead(self.form, self.landmarks, by_landmark, self.forms, by_form, intercept)


def _turn(between: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what turns likeness to landmarks into rows whose products are the kernel, shape (landmarks, features)."""
    strengths, axes = np.linalg.eigh(between.astype(np.float64))
    kept = strengths > _FLAT
    return np.asarray(axes[:, kept] / np.sqrt(strengths[kept]))

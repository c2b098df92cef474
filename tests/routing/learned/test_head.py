from __future__ import annotations

import numpy as np
import pytest

from moa.routing.learned.head import NEAREST, Head, nearness
from moa.routing.learned.lexicon import Lexicon

LANDMARKS = np.eye(4, dtype=np.float32)


def head(weight: float, inside: int = 3) -> Head:
    return Head(
        Lexicon((), 0, np.empty(0, np.float32), (0.7, 0.7)),
        LANDMARKS,
        1.0,
        np.zeros((4, 2), np.float32),
        np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros(2, np.float32),
        weight,
        inside,
    )


def test_nearness_is_the_mean_of_the_highest_cosines() -> None:
    cosines = np.linspace(0, 1, 10, dtype=np.float32)[None]
    assert nearness(cosines) == pytest.approx(cosines[0, -NEAREST:].mean())


def test_nearness_to_nothing_is_none() -> None:
    assert nearness(np.empty((2, 0), np.float32)).tolist() == [0, 0]


def test_nearness_lifts_all_labels_alike() -> None:
    vectors = LANDMARKS[:2]
    lifted = head(2.0).scores(vectors, ["", ""]) - head(0.0).scores(vectors, ["", ""])

    assert lifted == pytest.approx(np.full((2, 2), 2 / 3))


def test_what_is_near_to_questions_out_of_scope_is_not_near() -> None:
    assert head(2.0).scores(LANDMARKS[3:], [""]) == pytest.approx(0)


def test_cosines_that_are_known_already_give_the_same_and_stay_as_they_are() -> None:
    cosines = LANDMARKS @ LANDMARKS.T
    given = head(2.0).scores(LANDMARKS, [""] * 4, cosines)

    assert given == pytest.approx(head(2.0).scores(LANDMARKS, [""] * 4))
    assert (cosines == np.eye(4)).all()

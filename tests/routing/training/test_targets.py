from __future__ import annotations

import numpy as np
import pytest

from moa.routing.embedding import Embedder
from moa.routing.thresholds import Precision, Recall
from moa.routing.training.gate import train_gate
from moa.routing.training.questions import Questions
from moa.routing.training.targets import fit_label_thresholds
from tests.fakes.encoder import WordEncoder
from tests.routing.shop import LABELLED, STRANGE

LABELS = ("sea", "land")


def measured(count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two labels that are true, and the labels drawn from them."""
    rng = np.random.default_rng(0)
    sea = rng.random(count)
    probabilities = np.column_stack([sea, 1 - sea])
    return probabilities, (rng.random(count) > sea).astype(np.intp)


@pytest.mark.parametrize("target", [Precision(0.9), Recall(0.9)])
def test_what_is_fitted_to_a_target_keeps_it_on_the_questions_of_the_other_half(target: Precision | Recall) -> None:
    found = fit_label_thresholds(*measured(), LABELS, target)

    for each in found.values():
        assert each.held_out
        kept = each.held_out.precision if isinstance(target, Precision) else each.held_out.recall
        assert kept == pytest.approx(0.9, abs=0.03)


def test_more_precision_needs_a_higher_threshold_and_more_recall_a_lower_one() -> None:
    def sea(target: Precision | Recall) -> float:
        threshold = fit_label_thresholds(*measured(), LABELS, target)["sea"].threshold
        assert threshold is not None
        return threshold

    assert sea(Precision(0.6)) < sea(Precision(0.8)) < sea(Precision(0.95))
    assert sea(Recall(0.95)) < sea(Recall(0.8)) < sea(Recall(0.6))


def test_a_label_that_cannot_reach_the_target_has_no_threshold_and_says_why() -> None:
    probabilities, codes = np.tile([0.6, 0.4], (50, 1)), np.arange(50) % 2
    found = fit_label_thresholds(probabilities, codes, LABELS, Precision(0.9))["sea"]

    assert found.threshold is None
    assert found.why == ("No threshold reaches a precision of 0.9 on 50 held-out rows; the best is 0.500, at 0.600.")


def test_questions_that_were_never_left_out_do_not_count() -> None:
    probabilities, codes = measured(200)
    more = np.vstack([probabilities, np.full((50, 2), np.nan)])
    found = fit_label_thresholds(more, np.append(codes, np.zeros(50, np.intp)), LABELS, Recall(0.5))

    assert all(each.threshold is not None for each in found.values())


def test_a_gate_carries_the_thresholds_that_it_was_trained_for() -> None:
    texts, labels = zip(*LABELLED, strict=True)
    questions = Questions((*texts, *STRANGE), (*labels, *[None] * len(STRANGE)))

    gate = train_gate(questions, Embedder(WordEncoder()), lambda _: None, target=Recall(0.9), calibration="isotonic")

    assert set(gate.thresholds) == set(gate.labels)
    assert gate.facts["thresholds"]["target"] == {"recall": 0.9}
    assert gate.facts["thresholds"]["labels"]["garden"]["threshold"] == gate.thresholds["garden"]
    assert gate.facts["calibration"]["method"] == "isotonic"
    assert gate.calibration.after is not None


def test_without_a_wish_all_calibrations_are_tried_and_the_best_is_taken() -> None:
    texts, labels = zip(*LABELLED, strict=True)
    gate = train_gate(Questions(texts, labels), Embedder(WordEncoder()), lambda _: None)

    tried = gate.facts["calibration"]["tried"]
    assert set(tried) == {"temperature", "platt", "isotonic"}
    least = min(each["log_loss"] for each in tried.values())
    assert tried[gate.facts["calibration"]["method"]]["log_loss"] <= least / 0.99
    assert gate.thresholds == {}

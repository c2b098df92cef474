from __future__ import annotations

import numpy as np
import pytest

from moa.routing.training.report import calibration_error, confusions, figures


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    right = np.array([True] * 6 + [False] * 4)
    assert calibration_error(np.full(10, 0.6), right) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.9), right) == pytest.approx(0.3)
    assert calibration_error(np.full(10, 1.0), np.ones(10, bool)) == 0


def test_figures_count_accuracy_in_scope_only_and_scope_by_the_highest_probability() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.2, 0.1]])
    codes = np.array([0, 1, 1, -1])

    found = figures(probabilities, codes)

    assert found.questions == 4
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx(2 / 3)
    assert found.out_of_scope_auroc == 1
    assert figures(probabilities[:3], codes[:3]).out_of_scope_auroc is None


def test_the_confusion_table_has_a_row_for_out_of_scope() -> None:
    table = confusions(np.array([0, 1, 0, 1]), np.array([0, 0, 1, -1]), 2)
    assert table.tolist() == [[1, 1], [1, 0], [0, 1]]

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from moa.routing.training.folded_ridge import FoldedRidge

NAN = float("nan")


def test_leaving_folds_out_is_fitting_on_the_others() -> None:
    random = np.random.default_rng(0)
    rows, targets = random.standard_normal((60, 5)), random.standard_normal((60, 3))
    targets[::4, 1] = NAN
    folds = [np.arange(start, 60, 4) for start in range(4)]
    penalties = (0.5, 20.0)

    found = FoldedRidge(rows, targets, folds, penalties).without({1, 3}).predict(rows)

    kept = np.sort(np.concatenate([folds[0], folds[2]]))
    for place, penalty in enumerate(penalties):
        for column in range(3):
            known = kept[~np.isnan(targets[kept, column])]
            if not len(known):
                continue
            peer = Ridge(alpha=penalty).fit(rows[known], targets[known, column])
            assert found[place, :, column] == pytest.approx(peer.predict(rows))


def test_what_nobody_knows_is_predicted_as_nothing() -> None:
    rows, targets = np.eye(6), np.column_stack([np.arange(6.0), np.full(6, NAN)])

    found = FoldedRidge(rows, targets, [np.arange(6)], (1.0,)).without().predict(rows)

    assert (found[0, :, 1] == 0).all()

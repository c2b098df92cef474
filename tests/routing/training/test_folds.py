from __future__ import annotations

import numpy as np

from moa.routing.training.folds import named_groups, pseudo_groups, random_folds


def test_every_question_is_in_one_fold_and_every_fold_has_its_share_of_every_label() -> None:
    labels = np.repeat([0, 1, -1], [50, 10, 5])

    folds = random_folds(labels, 5)

    assert sorted(np.concatenate(folds).tolist()) == list(range(65))
    for fold in folds:
        assert [int((labels[fold] == label).sum()) for label in (0, 1, -1)] == [10, 2, 1]


def test_groups_are_named_by_a_field() -> None:
    assert [group.tolist() for group in named_groups(["a", "b", "a"])] == [[0, 2], [1]]


def test_clusters_split_large_labels_only_and_stay_inside_them() -> None:
    vectors = np.random.default_rng(0).normal(size=(700, 8)).astype(np.float32)
    vectors[:200] += 9
    labels = np.repeat([0, 1, -1], [400, 100, 200])

    groups = pseudo_groups(vectors, labels)

    assert sorted(np.concatenate(groups).tolist()) == list(range(400))
    assert any(set(group.tolist()) == set(range(200)) for group in groups)


def test_small_labels_have_no_clusters() -> None:
    assert pseudo_groups(np.ones((40, 4), np.float32), np.repeat([0, 1], 20)) == []

"""From labelled questions to a gate: embed, learn, and put together what a gate needs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.routing.examples import Examples
from moa.routing.fields import built_in
from moa.routing.learned.gate import Origin, TrainedGate
from moa.routing.policy import Policy
from moa.routing.training.labels import Beside, Learned, Say, learn
from moa.routing.training.slips import slipped
from moa.routing.training.targets import facts_of, fit_label_thresholds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder
    from moa.routing.monotone import Method
    from moa.routing.thresholds import Precision, Recall
    from moa.routing.training.questions import Questions

BUILT_IN = 10.0
"""A built-in question counts as so many of the user's own."""
SLIPPED = 5.0
"""The same question with slips of the keyboard counts as so many."""
_AT_ONCE = 64
_THREADS = 2
"""An encoder that runs on one thread leaves room for another; more would stand in each other's way."""
_SAYS_EVERY = 16
_KEPT = 300
"""Characters of a training question that are kept, to explain a choice by."""


def train_gate(
    questions: Questions,
    embedder: Embedder,
    say: Say,
    *,
    target: Precision | Recall | None = None,
    calibration: Method | None = None,
) -> TrainedGate:
    """Learn a gate from labelled questions, and measure it on those left out.

    Args:
        questions: what to learn.
        embedder: of the encoder that the gate will be used with.
        say: told of each step, in a few words.
        target: what the threshold of every label is to reach; by default they share one.
        calibration: how probabilities are calibrated; by default as does best on questions left out.

    Raises:
        GateError: nothing can be learned from these questions.
        EncoderError: the encoder failed.
    """
    origin = Origin.of(embedder)
    own = len(questions.texts)
    beside_texts, beside_codes, counts = _beside(questions.labels)
    vectors = embed((*questions.texts, *beside_texts), embedder, say)
    beside = Beside(vectors[own:], beside_texts, beside_codes, counts)
    learned = learn(questions, vectors[:own], beside, say, calibration)
    owners = np.concatenate([questions.codes, beside_codes])[learned.pivots]
    owners[owners < 0] = len(questions.labels)
    written = beside_texts[: len(beside_texts) // 2]
    texts = (*questions.texts, *written, *written)  # nobody is shown a slip that nobody made
    examples = Examples(
        questions.labels, tuple(texts[place][:_KEPT] for place in learned.pivots), learned.head.landmarks, owners
    )
    threshold = Policy.threshold if learned.threshold is None else learned.threshold
    facts = _facts(questions, learned, len(beside_texts) // 2)
    thresholds = {}
    if target is not None:
        found = fit_label_thresholds(learned.left_out, questions.codes, questions.labels, target)
        facts["thresholds"] = facts_of(found, target)
        thresholds = {label: each.threshold for label, each in found.items() if each.threshold is not None}
    return TrainedGate(
        questions.labels, learned.head, learned.calibration, origin, examples, threshold, thresholds, facts
    )


def _beside(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.float32]]:
    """Return the built-in questions of labels, as written and again with slips, their labels and what they count."""
    pairs = built_in(labels)
    written = tuple(text for text, _ in pairs)
    codes = np.array([labels.index(label) for _, label in pairs], np.intp)
    counts = np.repeat(np.array([BUILT_IN, SLIPPED], np.float32), len(pairs))
    return (*written, *slipped(written)), np.tile(codes, 2), counts


def embed(texts: Sequence[str], embedder: Embedder, say: Say) -> NDArray[np.float32]:
    """Return the unit vectors of many texts, shape (texts, dimension)."""
    batches = [texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE)]
    done: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for vectors in pool.map(embedder.questions, batches):
                done.append(vectors)
                if len(done) % _SAYS_EVERY == 0 or len(done) == len(batches):
                    say(f"read {min(len(done) * _AT_ONCE, len(texts))} of {len(texts)} questions")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return np.vstack(done)


def _facts(questions: Questions, learned: Learned, built_in_questions: int) -> dict[str, Any]:
    inside = int((questions.codes >= 0).sum())
    return {
        "training": {
            "questions": len(questions.texts),
            "out_of_scope": len(questions.texts) - inside,
            "built_in": built_in_questions,
            "hash": questions.fingerprint,
            "ridge_share": learned.share,
            "seconds": round(learned.seconds, 1),
        },
        "held_out": asdict(learned.known),
        "held_out_groups": None if learned.unseen is None else asdict(learned.unseen),
        "groups": learned.grouped,
        "calibration": {
            "method": learned.method,
            "tried": {method: asdict(each) for method, each in learned.tried.items()},
        },
        "confusions": learned.confusions.tolist(),
    }

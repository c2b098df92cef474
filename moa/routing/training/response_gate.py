"""From a response matrix to a gate that can be saved: embed, learn, and say what it can do."""

from __future__ import annotations

from dataclasses import asdict, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from moa.routing.learned.gate import Origin
from moa.routing.training.gate import embed
from moa.routing.training.operating import PENALTIES, Wish
from moa.routing.training.responses import fit_responses

if TYPE_CHECKING:
    from moa.routing.embedding import Embedder
    from moa.routing.learned.responses import ResponseGate
    from moa.routing.training.labels import Say
    from moa.routing.training.matrix import ResponseMatrix
    from moa.routing.training.responses import LearnedResponses


def train_response_gate(
    matrix: ResponseMatrix, embedder: Embedder, say: Say, *, wish: Wish | None = None
) -> ResponseGate:
    """Learn a gate from a response matrix, and measure it on questions left out.

    Args:
        matrix: who was right on what, and at what cost.
        embedder: of the encoder that the gate will be used with.
        say: told of each step, in a few words.
        wish: what the routing is for; the highest success by default.

    Raises:
        GateError: a price is wanted, and the cost of an agent is not known.
        EncoderError: the encoder failed.
    """
    origin = Origin.of(embedder)
    vectors = embed(matrix.texts, embedder, say)
    started = perf_counter()
    learned = fit_responses(matrix, vectors, wish=wish or Wish(), say=say)
    seconds = round(perf_counter() - started, 1)
    return replace(learned.gate, origin=origin, facts=_facts(matrix, learned, seconds))


def _facts(matrix: ResponseMatrix, learned: LearnedResponses, seconds: float) -> dict[str, Any]:
    setting = learned.setting
    return {
        "training": {
            "questions": len(matrix.texts),
            "answers": int(matrix.asked.sum()),
            "hash": matrix.fingerprint,
            "penalty": None if setting.edges is None else PENALTIES[setting.edges],
            "seconds": seconds,
        },
        "price": setting.price / matrix.unit,
        "best_single": learned.gate.best,
        "held_out": None if learned.held_out is None else asdict(learned.held_out),
        "held_out_groups": None if learned.held_out_groups is None else asdict(learned.held_out_groups),
    }

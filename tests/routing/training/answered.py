"""Answers to the shop's questions by agents that are each good at something, for tests of learning from responses."""

from __future__ import annotations

import numpy as np

from moa.routing.training.matrix import ResponseMatrix
from tests.fakes.encoder import WordEncoder
from tests.routing.shop import LABELLED

AGENTS = ("cook", "gardener", "mechanic")
TEXTS = tuple(text for text, _ in LABELLED)
FIELDS = tuple(label for _, label in LABELLED)
VECTORS = WordEncoder().encode(TEXTS)
_BEST = {"kitchen": 0, "garden": 1, "garage": 2}


def specialists(*, agents: tuple[str, ...] = AGENTS, groups: bool = False) -> ResponseMatrix:
    """Everyone is right about their own department and now and then about others; the gardener more than the rest."""
    random = np.random.default_rng(1)
    luck = random.random((len(TEXTS), 3)) < np.array([0.2, 0.4, 0.2])
    own = np.array([_BEST[field] for field in FIELDS])
    success = np.where(own[:, None] == np.arange(3), 1.0, luck)
    order = [AGENTS.index(name) for name in agents]
    return ResponseMatrix(TEXTS, agents, success[:, order], None, FIELDS if groups else None)


def twins() -> ResponseMatrix:
    """A large agent and a small one, whose answers are better and worse by chance alone."""
    random = np.random.default_rng(2)
    success = (random.random((len(TEXTS), 2)) < np.array([0.8, 0.5])).astype(float)
    return ResponseMatrix(TEXTS, ("large", "small"), success, np.tile([10.0, 1.0], (len(TEXTS), 1)))


def thrift() -> ResponseMatrix:
    """A dear agent that is right about everything, and a cheap one that is right about the kitchen alone."""
    kitchen = np.array([field == "kitchen" for field in FIELDS])
    success = np.column_stack([np.ones(len(TEXTS)), kitchen])
    return ResponseMatrix(TEXTS, ("dear", "cheap"), success.astype(float), np.tile([4.0, 1.0], (len(TEXTS), 1)))

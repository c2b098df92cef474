"""The family of gates: each small, pure and interchangeable. They are imported on first use, and numpy with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.routing.gates.blend import BlendGate as BlendGate
    from moa.routing.gates.cluster import ClusterGate as ClusterGate
    from moa.routing.gates.language_model import LanguageModelGate as LanguageModelGate
    from moa.routing.gates.lexical import LexicalGate as LexicalGate
    from moa.routing.gates.linear import LinearGate as LinearGate
    from moa.routing.gates.neighbours import NeighboursGate as NeighboursGate
    from moa.routing.gates.prototype import PrototypeGate as PrototypeGate
    from moa.routing.gates.responses import Responses as Responses
    from moa.routing.gates.rules import Rule as Rule
    from moa.routing.gates.rules import RulesGate as RulesGate
    from moa.routing.gates.scaled import ScaledGate as ScaledGate
    from moa.routing.gates.success import SuccessGate as SuccessGate

HOME = {
    "BlendGate": "moa.routing.gates.blend",
    "ClusterGate": "moa.routing.gates.cluster",
    "LanguageModelGate": "moa.routing.gates.language_model",
    "LexicalGate": "moa.routing.gates.lexical",
    "LinearGate": "moa.routing.gates.linear",
    "NeighboursGate": "moa.routing.gates.neighbours",
    "PrototypeGate": "moa.routing.gates.prototype",
    "Responses": "moa.routing.gates.responses",
    "Rule": "moa.routing.gates.rules",
    "RulesGate": "moa.routing.gates.rules",
    "ScaledGate": "moa.routing.gates.scaled",
    "SuccessGate": "moa.routing.gates.success",
}
"""Where each name lives."""

__all__ = sorted(HOME)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in HOME:
        raise AttributeError(f"module 'moa.routing.gates' has no attribute {name!r}")
    return getattr(import_module(HOME[name]), name)

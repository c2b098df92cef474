"""Routing: which agents answer a turn, and why. The gates are imported on first use, and numpy with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from moa.routing.decision import redecide
from moa.routing.encoder import Encoder
from moa.routing.gate import Gate
from moa.routing.gates import HOME as _GATES
from moa.routing.load import Load
from moa.routing.policy import Policy
from moa.routing.router import Router
from moa.routing.wishes import Wishes

if TYPE_CHECKING:
    from moa.routing.gates import BlendGate as BlendGate
    from moa.routing.gates import ClusterGate as ClusterGate
    from moa.routing.gates import LanguageModelGate as LanguageModelGate
    from moa.routing.gates import LexicalGate as LexicalGate
    from moa.routing.gates import LinearGate as LinearGate
    from moa.routing.gates import NeighboursGate as NeighboursGate
    from moa.routing.gates import PrototypeGate as PrototypeGate
    from moa.routing.gates import Responses as Responses
    from moa.routing.gates import Rule as Rule
    from moa.routing.gates import RulesGate as RulesGate
    from moa.routing.gates import ScaledGate as ScaledGate
    from moa.routing.gates import SuccessGate as SuccessGate

__all__ = [
    "BlendGate",
    "ClusterGate",
    "Encoder",
    "Gate",
    "LanguageModelGate",
    "LexicalGate",
    "LinearGate",
    "Load",
    "NeighboursGate",
    "Policy",
    "PrototypeGate",
    "Responses",
    "Router",
    "Rule",
    "RulesGate",
    "ScaledGate",
    "SuccessGate",
    "Wishes",
    "redecide",
]


def __getattr__(name: str) -> object:
    if name not in _GATES:
        raise AttributeError(f"module 'moa.routing' has no attribute {name!r}")
    return getattr(import_module(_GATES[name]), name)

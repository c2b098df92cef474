"""Routing: which agents answer a turn, and why."""

from moa.routing.encoder import Encoder
from moa.routing.gate import Gate
from moa.routing.router import Router

__all__ = ["Encoder", "Gate", "Router"]

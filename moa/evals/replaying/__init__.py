"""Routers scored from who had what right at what cost: no model, no key."""

from moa.evals.replaying.metrics import aiq, apgr, arena_score, cpt
from moa.evals.replaying.responses import Responses, Strategy, responses_of, strategies_of

__all__ = ["Responses", "Strategy", "aiq", "apgr", "arena_score", "cpt", "responses_of", "strategies_of"]

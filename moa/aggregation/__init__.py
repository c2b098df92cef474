"""Aggregation: how drafts become one answer."""

from moa.aggregation.auto import Auto
from moa.aggregation.base import Aggregator, Chooses, Opening, Opens, Work
from moa.aggregation.custom import Custom, Function, as_aggregator
from moa.aggregation.escalate import Escalate
from moa.aggregation.guard import Guard
from moa.aggregation.judge import Judge
from moa.aggregation.policy_file import AggregationPolicy, load_policy
from moa.aggregation.refine import Refine
from moa.aggregation.select import Select
from moa.aggregation.selfmix import SelfMix
from moa.aggregation.solo import Solo
from moa.aggregation.synthesize import Synthesize
from moa.aggregation.verifier import Verifier
from moa.aggregation.vote import Vote

__all__ = [
    "AggregationPolicy",
    "Aggregator",
    "Auto",
    "Chooses",
    "Custom",
    "Escalate",
    "Function",
    "Guard",
    "Judge",
    "Opening",
    "Opens",
    "Refine",
    "Select",
    "SelfMix",
    "Solo",
    "Synthesize",
    "Verifier",
    "Vote",
    "Work",
    "as_aggregator",
    "load_policy",
]

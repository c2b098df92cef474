"""Aggregation: how drafts become one answer."""

from moa.aggregation.base import Aggregator, Chooses, Opening, Opens, Work
from moa.aggregation.solo import Solo
from moa.aggregation.synthesize import Synthesize

__all__ = ["Aggregator", "Chooses", "Opening", "Opens", "Solo", "Synthesize", "Work"]

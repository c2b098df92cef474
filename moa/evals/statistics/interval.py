"""A figure and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95
"""Of all intervals."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    se: float
    """Standard error."""
    n: int
    """Samples."""
    clusters: int
    """Groups of samples that belong together; as many as samples where none do."""

"""A question with what its answer is measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moa.messages import Conversation


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of a suite."""

    id: str
    """Its name, unique within the suite; records, pairs and resuming go by it."""
    input: Conversation
    """What every system is asked."""
    target: Any = None
    """What the scorer measures against: a string, a number, several accepted ones, tests to run. None if the scorer
    needs none, as a judge does."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else is known: `field` (the agent who ought to answer), `group` (samples that belong together, such as
    questions on one passage, are clustered in the statistics), and so on. It can be written as JSON."""

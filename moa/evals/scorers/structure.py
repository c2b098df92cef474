"""A scorer of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from moa.contract import OutputContract
from moa.errors import AgentError, ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled
from moa.json_reply import without_fence


@dataclass(frozen=True)
class JsonSchema(Settled):
    """The answer is JSON, with nothing around it but a block of code, and fits a schema: the target, or a setting."""

    schema: Mapping[str, Any] | None = None
    """JSON schema for all samples; None takes each sample's target, as an object or as its text."""

    kind: ClassVar = "json_schema"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        schema = sample.target if self.schema is None else self.schema
        try:
            schema = json.loads(schema) if isinstance(schema, str) else schema
            if not isinstance(schema, Mapping):
                raise ScoringError(f"Sample {sample.id!r} has no JSON schema for its target, but {schema!r:.80}.")
            problems = OutputContract(schema=schema).problems(output)
        except (ValueError, AgentError) as error:
            raise ScoringError(f"Sample {sample.id!r} has a target that is no JSON schema: {error}") from error
        said = without_fence(output)
        if problems:
            return Score(0.0, said, " ".join(problems))
        return Score(1.0, said, "It fits the schema.")

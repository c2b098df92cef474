"""MATH-500: 500 problems of competitions (Hendrycks et al., 2021, as Lightman et al., 2023, drew them; MIT)."""

from pathlib import Path

from moa.evals.published import hub, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TEST = hub("HuggingFaceH4/MATH-500", "test.jsonl")
HOW = r"Think it through, and put the final answer into \boxed{}."


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's set, or of a file with `problem` (or `question`) and `answer`."""
    samples = []
    for number, row in enumerate(records(data, [TEST]), start=1):
        question = text_of(row.first("problem", "question"), row.place)
        name = str(row.get("id", "unique_id") or f"math500-{number}")
        known = {"field": "math", "subject": row.get("subject"), "level": row.get("level")}
        samples.append(Sample(name, Conversation.of(f"{question}\n\n{HOW}"), str(row.first("answer")), known))
    return Suite("math500", samples, named("math")).limited(limit, seed)

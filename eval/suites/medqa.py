"""MedQA: questions of the medical licensing exam of the United States (Jin et al., 2020; MIT)."""

from pathlib import Path

from moa.evals.published import hub, letter_of, lettered, multiple_choice, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TEST = hub("GBaker/MedQA-USMLE-4-options", "phrases_no_exclude_test.jsonl")
"""A copy that others keep: the owners publish theirs as an archive on a drive, which no program can fetch."""


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the test set, or of a file with `question`, `options` (or `choices`) and `answer`."""
    samples = []
    for number, row in enumerate(records(data, [TEST]), start=1):
        choices = lettered(row.first("choices", "options"), row.place)
        question = multiple_choice(text_of(row.first("question"), row.place), choices)
        target = letter_of(row.first("answer_idx", "answer"), choices, row.place)
        known = {"field": "medicine", "choices": choices}
        samples.append(Sample(str(row.get("id") or f"medqa-{number}"), Conversation.of(question), target, known))
    return Suite("medqa", samples, named("choice")).limited(limit, seed)

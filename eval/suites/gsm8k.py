"""GSM8K: grade-school word problems with a number for an answer (Cobbe et al., 2021; MIT)."""

from pathlib import Path

from moa.evals.published import ANSWER_LINE, github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TEST = github(
    "openai/grade-school-math", "grade_school_math/data/test.jsonl", "3101c7d5072418e28b9008a6636bde82a006892c"
)


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's test set, or of a file with `question` and `answer`."""
    samples = []
    for number, row in enumerate(records(data, [TEST]), start=1):
        question = text_of(row.first("question"), row.place)
        answer = str(row.first("answer")).rpartition("####")[2].strip()
        name = str(row.get("id") or f"gsm8k-{number}")
        samples.append(Sample(name, Conversation.of(f"{question}\n\n{ANSWER_LINE}"), answer, {"field": "math"}))
    return Suite("gsm8k", samples, named("numeric")).limited(limit, seed)

"""LSAT: logical reasoning and analytical games of the law school admission test (AGIEval: Zhong et al., 2023; MIT).

Logic in the language of law schools, not law: its field is general. Questions on one passage are clustered.
"""

from pathlib import Path

from moa.evals.published import github, letter_of, lettered, multiple_choice, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

COMMIT = "666a4895b23b8471f7bf9b18cac7ca8ca4de49f8"
TESTS = [github("ruixiangcui/AGIEval", f"data/v1/lsat-{part}.jsonl", COMMIT) for part in ("lr", "ar")]


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of AGIEval's files, or of a file with `passage`, `question`, `choices` and `answer`."""
    samples, passages = [], {}
    for number, row in enumerate(records(data, TESTS), start=1):
        passage = str(row.get("passage") or "")
        choices = lettered(row.first("choices", "options"), row.place)
        question = multiple_choice(text_of(row.first("question"), row.place), choices, passage)
        target = letter_of(row.first("answer", "label"), choices, row.place)
        group = passages.setdefault(passage or number, f"passage-{len(passages) + 1}")
        known = {"field": "general", "group": group, "choices": choices}
        samples.append(Sample(str(row.get("id") or f"lsat-{number}"), Conversation.of(question), target, known))
    return Suite("lsat", samples, named("choice")).limited(limit, seed)

"""PubMedQA: questions that abstracts of papers answer with yes, no or maybe (Jin et al., 2019; MIT)."""

from pathlib import Path

from moa.evals.published import github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

LABELLED = github("pubmedqa/pubmedqa", "data/ori_pqal.json", "1f00b98d5cc626844bf8c4ca513b6e62c40071ec")
HOW = 'End with one line that says "Answer: " and yes, no or maybe.'


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's labelled set, or of a file with `question`, `contexts` and `answer`."""
    samples = []
    for row in records(data, [LABELLED]):
        question = text_of(row.first("QUESTION", "question"), row.place)
        contexts = "\n\n".join(map(str, row.first("CONTEXTS", "contexts")))
        answer = str(row.first("final_decision", "answer"))
        asked = f"From the abstract of a paper:\n\n{contexts}\n\n{question}\n\n{HOW}"
        samples.append(Sample(str(row.first("id")), Conversation.of(asked), answer, {"field": "medicine"}))
    return Suite("pubmedqa", samples, named("exact")).limited(limit, seed)

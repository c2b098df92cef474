"""Arena-Hard: hard prompts of users, judged against the answers of a baseline (Li et al., 2024; Apache-2.0).

Needs a judge: the variable `MOA_JUDGE` names its model.
"""

import os
from pathlib import Path

from moa.errors import SuiteError
from moa.evals.published import Record, github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

FOLDER = "data/arena-hard-v0.1"
QUESTIONS = github("lmarena/arena-hard-auto", f"{FOLDER}/question.jsonl", "6c82720015d5da7b8795b809b91f63ef74abbf6a")
BASELINE = github(
    "lmarena/arena-hard-auto", f"{FOLDER}/model_answer/gpt-4-0314.jsonl", "e0a8ea1df42c1df76451a6cd04b14e31ff992b87"
)


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's questions and baseline, or of a file with `prompt` and `reference`."""
    judge = os.environ.get("MOA_JUDGE")
    if not judge:
        raise SuiteError("This suite is judged by a model. Name it: export MOA_JUDGE=openai/gpt-5-mini")
    answers = [] if data else records(None, [BASELINE])
    baseline = {str(row.first("question_id", "uid")): answer_of(row) for row in answers}
    samples = []
    for row in records(data, [QUESTIONS]):
        name = str(row.first("question_id", "uid", "id"))
        asked = row.get("prompt") or row.first("turns")[0]["content"]
        reference = baseline.get(name) or row.first("reference", "reference_output")
        known = {"field": "general", "category": row.get("category"), "group": row.get("cluster")}
        samples.append(Sample(name, Conversation.of(text_of(asked, row.place)), str(reference), known))
    return Suite("arena_hard", samples, named("judge", model=judge)).limited(limit, seed)


def answer_of(row: Record) -> str:
    """Return the text of a model's answer, in the older or the newer form of the owner's files."""
    if "messages" in row.values:
        content = row.values["messages"][-1]["content"]
        return str(content["answer"] if isinstance(content, dict) else content)
    return str(row.first("choices")[0]["turns"][0]["content"])

"""TruthfulQA: questions that many people answer wrongly, as a choice (Lin et al., 2022; Apache-2.0)."""

import random
from pathlib import Path

from moa.evals.published import LETTERS, github, multiple_choice, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

ALL = github("sylinrl/TruthfulQA", "TruthfulQA.csv")
MOST_CHOICES = 5


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's set, or of a file with `question`, `best_answer` and `incorrect_answers`.

    One true answer stands among up to four false ones. Their order is drawn for each question, and stays the same.
    """
    samples = []
    for number, row in enumerate(records(data, [ALL]), start=1):
        question = text_of(row.first("Question", "question"), row.place)
        best = str(row.first("Best Answer", "best_answer")).strip()
        false = row.first("Incorrect Answers", "incorrect_answers")
        wrong = [part.strip() for part in (false.split(";") if isinstance(false, str) else false) if str(part).strip()]
        choices = [best, *dict.fromkeys(each for each in wrong if each != best)][:MOST_CHOICES]
        random.Random(question).shuffle(choices)  # noqa: S311  (an order is no secret)
        target = LETTERS[choices.index(best)]
        known = {"field": "general", "category": row.get("Category", "category"), "choices": choices}
        name = str(row.get("id") or f"truthfulqa-{number}")
        samples.append(Sample(name, Conversation.of(multiple_choice(question, choices)), target, known))
    return Suite("truthfulqa", samples, named("choice")).limited(limit, seed)

"""MMLU: four options from 57 subjects (Hendrycks et al., 2021; MIT). Questions of one subject are clustered."""

from pathlib import Path

from moa.evals.published import Published, letter_of, lettered, multiple_choice, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

ALL = Published("https://people.eecs.berkeley.edu/~hendrycks/data.tar")
COLUMNS = ("question", "A", "B", "C", "D", "answer")
FIELDS = {
    "math": ("mathematics", "algebra", "statistics"),
    "code": ("computer_science", "computer_security", "machine_learning"),
    "law": ("law", "jurisprudence"),
    "medicine": ("medicine", "anatomy", "clinical", "genetics", "virology", "nutrition"),
}
"""Field → what the names of its subjects hold; every other subject is general."""


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's test set, or of a file or folder.

    Files ending in .csv are as the owner's, without a line of names and with the subject for their names, such as
    `anatomy_test.csv`; those of JSON lines have `question`, `choices`, `answer`, and `subject`.
    """
    samples = []
    for number, row in enumerate(records(data, [ALL], only="*test*", columns=COLUMNS), start=1):
        subject = str(row.get("subject") or row.file.rpartition("/")[2].removesuffix("_test"))
        choices = lettered(row.get("choices", "options") or [row.first(letter) for letter in "ABCD"], row.place)
        question = multiple_choice(text_of(row.first("question"), row.place), choices)
        target = letter_of(row.first("answer"), choices, row.place)
        known = {"field": field_of(subject), "subject": subject, "group": subject, "choices": choices}
        samples.append(Sample(str(row.get("id") or f"{subject}-{number}"), Conversation.of(question), target, known))
    return Suite("mmlu", samples, named("choice")).limited(limit, seed)


def field_of(subject: str) -> str:
    """Return the field of a subject."""
    return next((field for field, words in FIELDS.items() if any(word in subject for word in words)), "general")

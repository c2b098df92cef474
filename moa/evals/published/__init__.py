"""Public sets of questions: fetched from where their owners publish them, or read from a path of the user's."""

from moa.evals.published.asking import ANSWER_LINE, LETTERS, letter_of, lettered, multiple_choice
from moa.evals.published.files import Published, github, hub
from moa.evals.published.rows import Record, records, text_of

__all__ = [
    "ANSWER_LINE",
    "LETTERS",
    "Published",
    "Record",
    "github",
    "hub",
    "letter_of",
    "lettered",
    "multiple_choice",
    "records",
    "text_of",
]

"""What is known of well-known fields before any training: a few dozen questions of each, written for moa.

Training data come from few sources, and a gate that learns only from these learns their style too. Questions of other
styles beside them keep it on the subject, so that it does better on sources that it has never seen. They are used only
for a label whose name says that it is one of these fields, whatever the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from moa.routing.fields import code, general, law, math, medicine, subjects

QUESTIONS: dict[str, tuple[str, ...]] = {
    "math": math.QUESTIONS,
    "code": code.QUESTIONS,
    "law": law.QUESTIONS,
    "medicine": medicine.QUESTIONS,
    "general": (*general.QUESTIONS, *subjects.QUESTIONS),
}
_NAMES = {
    "math": {"math", "maths", "mathematics"},
    "code": {"code", "coding", "programming", "computer programming", "software", "software engineering"},
    "law": {"law", "legal"},
    "medicine": {"medicine", "medical", "health", "healthcare", "health care", "clinical"},
    "general": {"general", "general knowledge", "everyday"},
}
_REST_OF = 2
"""`general` means what is left beside other fields, if so many of these are labels too."""


def field_of(name: str) -> str | None:
    """Return the well-known field that a label or an agent is named after, if its name says so.

    Example:
        >>> field_of("Medical"), field_of("health-care"), field_of("card_arrival")
        ('medicine', 'medicine', None)
    """
    words = " ".join(re.findall(r"[a-z]+", name.lower()))
    return next((field for field, names in _NAMES.items() if words in names), None)


def built_in(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return built-in questions of labels, each with its label; none for labels that are not well-known fields."""
    fields = {label: field_of(label) for label in labels}
    known = [field for field in fields.values() if field not in {None, "general"}]
    if len(set(known)) != len(known):  # two labels of one field are two parts of it, and nobody knows which is which
        return []
    if len(known) < _REST_OF:
        fields = {label: field for label, field in fields.items() if field != "general"}
    return [(question, label) for label, field in fields.items() if field for question in QUESTIONS[field]]

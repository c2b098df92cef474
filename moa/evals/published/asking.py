"""How questions of public sets are put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from moa.errors import SuiteError

LETTERS = ascii_uppercase
ANSWER_LINE = 'Think it through, and end with one line that says "Answer: " and the answer.'
"""What a question that is scored by its answer asks for."""
_CHOICE_LINE = 'Think it through, and end with one line that says "Answer: " and the letter of the right option.'


def multiple_choice(question: str, choices: Sequence[str], passage: str = "") -> str:
    """Return a question with its options, lettered, and how to answer it."""
    listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
    parts = [part for part in (passage.strip(), question.strip(), listed, _CHOICE_LINE) if part]
    return "\n\n".join(parts)


def lettered(choices: object, place: str) -> list[str]:
    """Return options as a list, from a list or from an object of letters, without letters of their own.

    Raises:
        SuiteError: there are not at least two.
    """
    if isinstance(choices, Mapping):
        choices = [choices[letter] for letter in sorted(choices)]
    if not isinstance(choices, Sequence) or isinstance(choices, str) or len(choices) < 2:  # noqa: PLR2004
        raise SuiteError(f"{place} has the choices {choices!r:.60}; it needs at least two.")
    return [_bare(str(choice), letter) for letter, choice in zip(LETTERS, choices, strict=False)]


def _bare(choice: str, letter: str) -> str:
    """Return an option without the letter that some sets put before it, such as `(A)`."""
    for mark in (f"({letter})", f"{letter})", f"{letter}."):
        if choice.startswith(mark):
            return choice[len(mark) :].strip()
    return choice.strip()


def letter_of(answer: Any, choices: Sequence[str], place: str) -> str:
    """Return the letter of an answer that is a letter, a place from 0, or the words of an option.

    Raises:
        SuiteError: it is none of them.
    """
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        return LETTERS[answer]
    plain = str(answer).strip().strip("().")
    if len(plain) == 1 and plain.upper() in LETTERS[: len(choices)]:
        return plain.upper()
    if plain in choices:
        return LETTERS[list(choices).index(plain)]
    raise SuiteError(f"{place} has the answer {answer!r:.60}, which is none of its {len(choices)} choices.")

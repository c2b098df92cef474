"""Whether an answer is right: the number, the letter, or code that passes its tests."""

from __future__ import annotations

from benchmarks.aggregation.sets import Question
from moa.aggregation.extract import extract
from moa.aggregation.running import Limits, passes
from moa.code_blocks import code_in

LIMITS = Limits(seconds=20)
"""Wide, because other work on the machine must not make right code wrong."""
READ = 600
"""Characters at the end of an answer in which the words of a choice are looked for."""


class Scorer:
    """Remembers what it found, so that no code runs twice."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    async def right(self, question: Question, text: str) -> bool:
        """Return whether a text answers a question."""
        key = (question.id, text)
        if key not in self._known:
            self._known[key] = await _right(question, text)
        return self._known[key]


async def _right(question: Question, text: str) -> bool:
    if question.tests:
        code = code_in(text)
        return code is not None and (await passes(code, question.tests, LIMITS)).passed
    if question.choices:
        return chosen(question, text) == question.answer
    said, wanted = extract(text, "number"), extract(f"The answer is {question.answer}.", "number")
    if wanted is None:
        raise ValueError(f"The answer {question.answer!r} of {question.id} cannot be read.")
    return said is not None and said.value == wanted.value


def chosen(question: Question, text: str) -> str | None:
    """Return the letter of the choice that an answer comes to, or whose words its end repeats and no other's."""
    if said := extract(text, "choice"):
        return said.value
    end = _plain(text[-READ:])
    repeated = [letter for letter, choice in zip("ABCDE", question.choices, strict=False) if _plain(choice) in end]
    return repeated[0] if len(repeated) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")

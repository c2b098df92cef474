"""Whether an answer to a question of the local sample is right."""

from __future__ import annotations

import pytest

from benchmarks.aggregation.scoring import Scorer, chosen
from benchmarks.aggregation.sets import Question

SUM = Question("sum", "gsm8k_test", "How much is it?", "1,200")
WHICH = Question("which", "lsat", "Which one?", "B", choices=("It rained.", "The dog barked.", "Nobody came."))
CODE = Question("code", "mbpp", "Write add.", tests=("assert add(1, 2) == 3", "assert add(0, 0) == 0"))


@pytest.mark.parametrize(
    ("question", "text", "right"),
    [
        (SUM, "First 600, twice that is\n1200", True),
        (SUM, "It is $\\boxed{1200.00}$ dollars.", True),
        (SUM, "1200 less 200 is\n1000", False),
        (SUM, "I cannot tell.", False),
        (WHICH, "Hence the answer is B.", True),
        (WHICH, "Hence the answer is (C).", False),
        (CODE, "```python\ndef add(a, b):\n    return a + b\n```", True),
        (CODE, "```python\ndef add(a, b):\n    return 3\n```", False),
        (CODE, "You add them.", False),
    ],
)
async def test_an_answer_is_right_or_not(question: Question, text: str, right: bool) -> None:  # noqa: FBT001
    assert await Scorer().right(question, text) is right


def test_an_answer_without_a_letter_is_told_by_the_words_of_the_one_choice_that_it_repeats() -> None:
    assert chosen(WHICH, "So it follows that the dog  barked.") == "B"
    assert chosen(WHICH, "Either it rained, or the dog barked.") is None
    assert chosen(WHICH, "Neither.") is None

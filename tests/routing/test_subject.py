from __future__ import annotations

import pytest

from moa.messages import Conversation
from moa.routing.subject import leans, subject


@pytest.mark.parametrize(
    "turn",
    [
        "and now in Python?",
        "What about French law?",
        "Now do the same for a triangle.",
        "Why is that so?",
        "without recursion",
        "in Rust, please",
        "Shorter, please.",
        "Can you explain it step by step?",
        "Are you sure?",
        "Is your answer still right if x is negative?",
        "Why?",
        "continue",
        "How are they different?",
        "What does that mean?",
        "Explain the second step.",
    ],
)
def test_a_turn_that_cannot_stand_alone_leans(turn: str) -> None:
    assert leans(turn)


@pytest.mark.parametrize(
    "turn",
    [
        "What is the capital of Australia?",
        "Is it legal to record a phone call?",
        "Why is the sky blue on a clear day?",
        "What is 17 * 23?",
        "In which year did the Second World War end?",
        "Prove that the square root of 2 is irrational.",
        "Write a function that reverses a linked list.",
        "Explain this: 'caveat emptor'",
        "Why is my query slow although it has an index?",
        "And here is another matter: my landlord wants to raise the rent by thirty percent next month.",
    ],
)
def test_a_turn_that_says_what_it_is_about_does_not(turn: str) -> None:
    assert not leans(turn)


def test_a_single_question_is_its_own_subject() -> None:
    assert subject(Conversation.of("and now?")) == ("and now?", 0)


def test_a_follow_up_takes_the_question_before_it_along() -> None:
    conversation = Conversation.of("Explain binary search.").then("It halves …", "and now in Python?")

    assert subject(conversation) == ("Explain binary search.\nand now in Python?", 1)


def test_a_change_of_subject_leaves_the_earlier_ones_behind() -> None:
    conversation = Conversation.of("Explain binary search.").then("It halves …", "What is the capital of Australia?")

    assert subject(conversation) == ("What is the capital of Australia?", 0)


def test_a_chain_of_follow_ups_reaches_back_to_its_subject() -> None:
    conversation = (
        Conversation.of("Tell me a joke about my cat's birthday.")
        .then("…", "What causes psoriasis in adults?")
        .then("…", "Is that contagious?")
        .then("…", "and how is it treated?")
    )

    assert subject(conversation) == (
        "What causes psoriasis in adults?\nIs that contagious?\nand how is it treated?",
        2,
    )


def test_an_endless_chain_reaches_back_three_questions() -> None:
    conversation = Conversation.of("one")
    for _ in range(9):
        conversation = conversation.then("…", "and then?")

    assert subject(conversation) == ("and then?\n" * 3 + "and then?", 3)


def test_answers_are_never_routed() -> None:
    text, _ = subject(Conversation.of("Hm").then("def f(): return 1", "why?"))

    assert text == "Hm\nwhy?"

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moa.routing.fields import QUESTIONS
from moa.routing.wrappers import core, speaks_of_answering

ORDINARY = [question for questions in QUESTIONS.values() for question in questions]
BEFORE = [
    "Please answer the following question.",
    "Kindly read the query below and reply with the best option.",
    "Have a look at this multiple-choice question and pick the right answer from the options given.",
    "You are a helpful and knowledgeable AI assistant.",
    "Use the context below to answer the question.",
    "I will give you a question; think step by step before you respond.",
    "### Instruction",
    "Context: None",
    "Background: not available",
    "<|im_start|>user",
    "[INST]",
]
AFTER = [
    "Provide your final answer in \\boxed{}.",
    "Put the letter of your choice in \\boxed{X}, where X is the correct letter.",
    "Keep your explanation within 3 sentences.",
    "Limit the reasoning to a single short paragraph, and do not repeat the question.",
    'Respond only with "yes" or "no", without any explanation.',
    "Return the answer as a JSON object.",
    "Answer:",
    "### Response:",
    "[/INST]",
]


@pytest.mark.parametrize("question", ORDINARY)
def test_an_ordinary_question_is_left_as_it_is(question: str) -> None:
    assert core(question) == question


@given(some.sampled_from(ORDINARY), some.lists(some.sampled_from(BEFORE)), some.lists(some.sampled_from(AFTER)))
def test_a_question_comes_out_of_any_wrapping(question: str, before: list[str], after: list[str]) -> None:
    assert core("\n\n".join([*before, question, *after])) == question


@pytest.mark.parametrize("label", ["Question:", "Query: ", "**Problem:** ", "Q: ", "### Question: ", "Inquiry:\n"])
def test_the_label_of_a_question_goes(label: str) -> None:
    assert core(f"{label}Which treaty ended the war?\n") == "Which treaty ended the war?"


def test_tags_around_parts_of_a_prompt_go() -> None:
    asked = "<context>None</context>\n<question>Which treaty ended the war?</question>"
    assert core(asked) == "Which treaty ended the war?"


def test_what_is_to_be_read_for_the_answer_stays() -> None:
    asked = core("Use the passage to answer.\n\nPassage: The fox sleeps.\n\nQuestion: Who sleeps at night?")
    assert asked == "The fox sleeps.\n\nWho sleeps at night?"


def test_options_stay_because_they_are_about_the_subject() -> None:
    asked = "Which gas do plants take in?\nOptions:\nA. oxygen\nB. carbon dioxide"
    assert core(asked) == "Which gas do plants take in?\nA. oxygen\nB. carbon dioxide"


@pytest.mark.parametrize(
    "question",
    [
        "What is the answer?",
        "Is my answer to this question right?\nPlease explain.",
        "Answer: 42",
        "Write a function that counts the words of a sentence. Return a list of letters.",
        "Translate the following sentence into Czech.\n\nThe lawyer sleeps.",
        "def answer(question):\n    # Return the answer to the question.\n    return question",
        "```\n# Answer the question.\nQuestion: none\n```\nWhy does it fail?",
        "See https://example.org/question: it does not open. What now?",
        "Note: the reaction is reversible. What shifts it?",
        "x < y and y > z. Which is larger?",
    ],
)
def test_what_only_looks_like_a_wrapper_stays(question: str) -> None:
    assert core(question) == question


def test_a_field_that_the_instruction_names_stays() -> None:
    asked = "Please answer the following legal question.\nMay he keep it?"
    assert core(asked) == asked


def test_of_a_transcript_the_last_question_decides() -> None:
    chat = "User: What causes psoriasis?\nAssistant: Your immune system.\nUser: What is the capital of Australia?"
    assert core(chat) == "What is the capital of Australia?"


def test_of_a_transcript_a_follow_up_takes_its_subject_along() -> None:
    chat = "Human: Explain binary search.\nAI: It halves …\nHuman: and now in Python?\nAI:"
    assert core(chat) == "Explain binary search.\nand now in Python?"


@given(some.text())
def test_nothing_is_ever_left_blank(text: str) -> None:
    assert bool(core(text).strip()) == bool(text.strip())


@given(some.text(alphabet="ab :?.\n<>[]#A", max_size=80))
def test_a_core_has_no_wrapper(text: str) -> None:
    assert core(core(text)) == core(text)


def test_both_ends_of_a_whole_book_are_looked_at() -> None:
    book = "The ship sailed on.\n" * 10_000
    wrapped = f"Please answer the following question.\n{book}Keep the answer within two sentences."

    assert core(wrapped).strip() == book.strip()


@pytest.mark.parametrize("sentence", ["How long is the answer of a choir?", "Explain the choice of judges.", "Why?"])
def test_a_sentence_with_a_subject_does_not_only_speak_of_answering(sentence: str) -> None:
    assert not speaks_of_answering(sentence)

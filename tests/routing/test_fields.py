from __future__ import annotations

import pytest

from moa.routing.fields import QUESTIONS, built_in, field_of


@pytest.mark.parametrize(
    ("name", "field"),
    [("math", "math"), ("Mathematics", "math"), ("health_care", "medicine"), ("Legal", "law"), ("bills", None)],
)
def test_a_field_is_known_by_its_name(name: str, field: str | None) -> None:
    assert field_of(name) == field


def test_questions_come_with_the_label_as_the_user_calls_it() -> None:
    labels = {label for _, label in built_in(["medical", "coding", "cars"])}
    assert labels == {"medical", "coding"}


def test_general_is_only_what_is_left_beside_other_fields() -> None:
    assert built_in(["general", "billing"]) == []
    assert {label for _, label in built_in(["general", "law", "code"])} == {"general", "law", "code"}


def test_two_labels_of_one_field_get_none() -> None:
    assert built_in(["health", "medical"]) == []


def test_no_question_is_twice_there() -> None:
    every = [question for questions in QUESTIONS.values() for question in questions]
    assert len(set(every)) == len(every)
    assert all(question.strip() for question in every)

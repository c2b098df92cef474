"""JSON in what models say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.json_reply import field_in, object_in, strict_json, without_fence

values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
objects = st.dictionaries(st.text(), values, max_size=4)


@given(objects, st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```", "Here it is: {}", "{} That is my verdict."]))
def test_an_object_is_found_bare_in_a_block_and_beside_words(value: dict[str, object], around: str) -> None:
    assert object_in(around.replace("{}", json.dumps(value))) == value


@pytest.mark.parametrize(
    "said", ["", "no", "[1]", "3", '{"a": NaN}', '{"a": 1} and {"a": 2}', 'It says {"a": 1} inside.', '{"a":' * 99_999]
)
def test_anything_else_is_none(said: str) -> None:
    assert object_in(said) is None


@given(st.text())
def test_no_text_breaks_it(said: str) -> None:
    object_in(said)
    object_in("{" + said)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "[" * 99_999, "{'a': 1}", ""])
def test_what_the_standard_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no JSON|nested too deeply|Expecting"):
        strict_json(text)


def test_only_a_block_that_is_all_there_is_is_taken_off() -> None:
    assert without_fence("\n```json\n[1]\n```\n") == "[1]"
    assert without_fence("See:\n```json\n[1]\n```") == "See:\n```json\n[1]\n```"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ('{"grade": 7}', 7),
        ('```json\n{"grade": 7}\n```', 7),
        ('My verdict: {"grade": 7}', 7),
        ('{"grade": null}', None),
        ('{"other": 7}', None),
        ("7", "7"),
        ("about seven", "about seven"),
        ('{"grade": NaN}', '{"grade": NaN}'),
        ("", ""),
        ("[" * 100_000, "[" * 2000),
    ],
)
def test_a_field_is_read_from_the_object_and_else_the_reply_is_what_was_meant(said: str, value: object) -> None:
    assert field_in(said, "grade") == value

"""Thinking aloud is told apart from the answer, wherever the tokens were cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.backends.base import Delta, Finish, Notice
from moa.backends.thinking import Thoughts, unannounced
from moa.messages import Usage

CASES = [
    ("<think>Hmm.</think>4", "Hmm.", "4"),
    ("<think>\nHmm.\n</think>\n\nThe answer is 4.\n", "\nHmm.\n", "The answer is 4.\n"),
    ("<thinking>Hmm.</thinking> 4", "Hmm.", "4"),
    ("<THINK>Hmm.</Think>4", "Hmm.", "4"),
    ("<think></think>4", "", "4"),
    ("<think>one</think>4 <think>two</think>and 5", "onetwo", "4 and 5"),
    ("<think>never closed", "never closed", ""),
    ("4 <think>never closed", "never closed", "4 "),
    ("<think>a < b and `x` and <b></think>4", "a < b and `x` and <b>", "4"),
    ("<think>```\ncode\n</think>4", "```\ncode\n", "4"),
    ("Write `<think>` before it.", "", "Write `<think>` before it."),
    ("```xml\n<think>x</think>\n```\ndone", "", "```xml\n<think>x</think>\n```\ndone"),
    ("an open ` tick\n<think>x</think>4", "x", "an open ` tick\n4"),
    ("1 < 2, <b>, <thin>, <", "", "1 < 2, <b>, <thin>, <"),
    ("  spaces  stay\n", "", "  spaces  stay\n"),
    ("", "", ""),
]


def split(pieces: Iterable[str]) -> tuple[str, str]:
    thoughts = Thoughts()
    chunks = [part for piece in pieces for part in thoughts.parts(Delta(piece))]
    chunks += thoughts.parts(Finish(Usage()))
    deltas = [chunk for chunk in chunks if isinstance(chunk, Delta)]
    assert all(delta.text for delta in deltas if delta.reasoning)
    thought = "".join(delta.text for delta in deltas if delta.reasoning)
    return thought, "".join(delta.text for delta in deltas if not delta.reasoning)


@pytest.mark.parametrize(("text", "thought", "said"), CASES)
def test_in_one_piece(text: str, thought: str, said: str) -> None:
    assert split([text]) == (thought, said)


@pytest.mark.parametrize(("text", "thought", "said"), CASES)
def test_character_by_character(text: str, thought: str, said: str) -> None:
    assert split(text) == (thought, said)


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<thinking>", "`", "```", "\n", "word ", "<", "th"]), max_size=12),
    st.data(),
)
def test_where_it_is_cut_makes_no_difference(parts: Sequence[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(pieces) == split([text])


@given(st.text(alphabet=st.characters(exclude_characters="<`")))
def test_text_without_tags_passes_as_it_is(text: str) -> None:
    thoughts, delta = Thoughts(), Delta(text)
    assert [*thoughts.parts(delta)] == [delta]


def test_what_a_server_already_told_apart_and_notices_pass_as_they_are() -> None:
    thoughts = Thoughts()
    for chunk in (Delta("<think>", reasoning=True), Notice("loading", "Loading.")):
        assert [*thoughts.parts(chunk)] == [chunk]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Let me see. 2 + 2.\n</think>\n\n4", ("Let me see. 2 + 2.", "4")),
        ("</think>4", ("", "4")),
        ("4", None),
        ("The tag </think> ends it.", None),
        ("```\n</think>\n", None),
    ],
)
def test_reasoning_that_never_began_is_found_by_its_end(text: str, found: tuple[str, str] | None) -> None:
    assert unannounced(text) == found

from __future__ import annotations

import pytest

from moa.routing.transcript import last_turns


@pytest.mark.parametrize(
    "text",
    ["What is a trie?", "User: What is a trie?", "User: one\nUser: two", "Assistant: A tree.", "Note: it is late."],
)
def test_what_only_one_side_says_is_no_transcript(text: str) -> None:
    assert last_turns(text) is None


def test_a_turn_goes_on_until_the_next_speaker() -> None:
    chat = "**User**: Explain this.\nx = 1\n\n**Assistant**: It assigns.\nUser: Which gas do plants\ntake in at night?"
    assert last_turns(chat) == "Which gas do plants\ntake in at night?"


def test_words_of_the_system_are_nobody_elses_question() -> None:
    assert last_turns("System: You are a lawyer.\nUser: Who wrote the novel Emma?") == "Who wrote the novel Emma?"

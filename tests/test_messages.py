from __future__ import annotations

import pytest

from moa.errors import ConversationError
from moa.messages import Conversation, Message, Usage


def test_a_string_is_a_conversation_of_one_question() -> None:
    assert Conversation.of("Why?").messages == (Message("user", "Why?"),)


def test_dictionaries_in_the_openai_shape_are_accepted() -> None:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    assert Conversation.of(asked).messages == (Message("system", "Be brief."), Message("user", "Why?"))


def test_a_conversation_continues_with_an_answer_and_a_question() -> None:
    longer = Conversation.of("Why?").then("Because.", "Really?")
    assert [message.role for message in longer.messages] == ["user", "assistant", "user"]
    assert longer.question == "Really?"


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_is_refused_in_words(question: str) -> None:
    with pytest.raises(ConversationError, match="The question is empty"):
        Conversation.of(question)


def test_the_last_word_must_be_the_users() -> None:
    with pytest.raises(ConversationError, match="end with a message from the user"):
        Conversation.of([Message("user", "Why?"), Message("assistant", "Because.")])


def test_no_messages_are_no_conversation() -> None:
    with pytest.raises(ConversationError):
        Conversation.of([])


def test_an_unknown_role_is_named_with_its_place() -> None:
    with pytest.raises(ConversationError, match=r"Message 2 has the role 'robot'; use one of system, user, assistant"):
        Conversation.of([{"role": "user", "content": "a"}, {"role": "robot", "content": "b"}])


def test_a_message_without_text_is_refused() -> None:
    with pytest.raises(ConversationError, match="Message 1 has no text"):
        Conversation.of([{"role": "user", "content": None}])


def test_unknown_tokens_stay_unknown_in_a_sum() -> None:
    assert Usage(1, 2) + Usage(3, 4) == Usage(4, 6)
    assert Usage(1, 2) + Usage(None, 4) == Usage(None, 6)
    assert Usage(1, None).total is None
    assert Usage(1, 2).total == 3

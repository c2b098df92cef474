"""What is said: messages, conversations, and the tokens they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from moa.errors import ConversationError

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool called."""

    id: str
    """Made by the model; the result goes back under it."""
    name: str
    arguments: str
    """JSON, as the model wrote it: it may be broken."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: who speaks, and the text."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """What the assistant wants called; only with the role `assistant`."""
    tool_call_id: str | None = None
    """The call whose result this is; only with the role `tool`."""

    def to_json(self) -> dict[str, Any]:
        """Return the message as the OpenAI chat protocol writes it."""
        written: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            written["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.tool_calls
            ]
        if self.tool_call_id is not None:
            written["tool_call_id"] = self.tool_call_id
        return written


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order, ending with the user's turn that wants an answer.

    Raises:
        ConversationError: there is no message, the last one is not the user's, or it is blank.
    """

    messages: tuple[Message, ...]

    def __post_init__(self) -> None:
        if not self.messages or self.messages[-1].role != "user":
            raise ConversationError("A conversation must end with a message from the user.")
        if not self.messages[-1].content.strip():
            raise ConversationError("The question is empty. Ask something, for example: moa ask 'What is 17 * 23?'")

    @classmethod
    def of(cls, asked: Asked) -> Conversation:
        """Make a conversation from a question, from messages, or from OpenAI-style dictionaries.

        Raises:
            ConversationError: a message has an unknown role or no text, or the conversation cannot be answered.
        """
        if isinstance(asked, Conversation):
            return asked
        if isinstance(asked, str):
            return cls((Message("user", asked),))
        return cls(tuple(_message(item, number) for number, item in enumerate(asked, start=1)))

    @property
    def question(self) -> str:
        """The user's last turn."""
        return self.messages[-1].content

    def then(self, answer: str, question: str) -> Conversation:
        """Return this conversation, continued by an answer and the next question."""
        return Conversation((*self.messages, Message("assistant", answer), Message("user", question)))


Asked = str | Conversation | Iterable[Message | Mapping[str, object]]
"""What can be asked: a question, a conversation, or its messages."""


def _message(item: Message | Mapping[str, object], number: int) -> Message:
    if isinstance(item, Message):
        return item
    role, content = item.get("role"), item.get("content")
    if role not in ROLES:
        raise ConversationError(f"Message {number} has the role {role!r}; use one of {', '.join(ROLES)}.")
    if not isinstance(content, str):
        raise ConversationError(f"Message {number} has no text: its content must be a string.")
    return Message(role, content)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or of many. None means that nobody reported them, which is not zero."""

    input: int | None = 0
    output: int | None = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(_sum(self.input, other.input), _sum(self.output, other.output))

    @property
    def total(self) -> int | None:
        """Input and output together, or None if either is unknown."""
        return _sum(self.input, self.output)


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right

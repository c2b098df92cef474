"""The rounds of a draft whose agent calls its own tools: what was called, what came of it, and what it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from moa.backends.base import Finish, Request
from moa.messages import Message, ToolCall, Usage
from moa.tools import Tool, made

MOST_ROUNDS = 8
"""Times that a draft may ask for tools and go on; a model that wants more goes round in circles."""
_MOST_CALLS = 16  # of one round
_NO_MORE = "Error: this call was not made, because there are too many at once."
_LAST = "\n\n[No more tools can be called. Answer now, with what you have.]"


@dataclass(slots=True)
class Rounds:
    """What a draft has done with its tools so far."""

    finishes: list[Finish] = field(default_factory=list)
    """How each round ended: always with calls."""
    messages: list[Message] = field(default_factory=list)
    """What each round adds to the conversation: the model's message with its calls, then their results."""
    returned: Callable[[ToolCall, str], None] = lambda _, __: None
    """Told of each call that was made, and what it returned."""

    @property
    def over(self) -> bool:
        """Whether no more rounds are made."""
        return len(self.finishes) >= MOST_ROUNDS

    async def make(self, said: str, finish: Finish, tools: Sequence[Tool], tell: Callable[[str], None]) -> None:
        """Make the calls of one round, one after another in the model's order, and keep what they return.

        Args:
            said: the text of the model's message.
            finish: its end, with the calls.
            tools: what may be called.
            tell: told what is called, before each call.
        """
        results = []
        for number, call in enumerate(finish.tool_calls):
            if number < _MOST_CALLS:
                tell(f"Calling {call.name}.")
                result = await made(call, tools)
                self.returned(call, result)
                results.append(Message("tool", result, tool_call_id=call.id))
            else:
                results.append(Message("tool", _NO_MORE, tool_call_id=call.id))
        self.finishes.append(finish)
        if self.over:
            results[-1] = replace(results[-1], content=results[-1].content + _LAST)
        self.messages += [Message("assistant", said, finish.tool_calls), *results]

    def following(self, request: Request) -> Request:
        """Return a request that goes on where the rounds ended."""
        return replace(request, messages=(*request.messages, *self.messages)) if self.messages else request

    def used(self, last: Usage) -> Usage:
        """Return the tokens of all rounds and of the last call."""
        return sum((finish.usage for finish in self.finishes), last)

    def cost(self, last: float | None) -> float | None:
        """Return the price of all rounds and of the last call in USD; None if one of them is not known."""
        costs = [last, *(finish.cost_usd for finish in self.finishes)]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

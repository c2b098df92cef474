"""Acting: calls of tools that drafts only propose are made once, by whoever finishes the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa.aggregation.fence import fence_texts
from moa.answers import Draft
from moa.messages import Conversation, Message, ToolCall
from moa.tools import made

if TYPE_CHECKING:
    from moa.agent import Agent

MOST_CALLS = 16
"""Of one answer: a panel that proposes more is not thinking but looping."""


@dataclass(frozen=True, slots=True)
class Acted:
    """One call that was made, and what came of it."""

    agent: str
    call: ToolCall
    result: str

    def told(self) -> str:
        """Return call and result as text."""
        return f"{self.call.name}({self.call.arguments})\n→ {self.result}"


async def act(drafts: Sequence[Draft], agents: Mapping[str, Agent], tell: Callable[[str, str], None]) -> list[Acted]:
    """Make the calls that drafts propose, each once however many propose it, the weightiest draft's first.

    Args:
        drafts: with the most weight first.
        agents: agent name → agent, for its tools.
        tell: told the id of the draft and what is called, before each call.
    """
    done: dict[tuple[str, str], Acted] = {}
    for draft in drafts:
        tools = agents[draft.agent].toolbox
        for call in draft.tool_calls:
            key = (call.name, _normal(call.arguments))
            if key not in done and len(done) < MOST_CALLS:
                tell(draft.id, f"Calling {call.name}.")
                done[key] = Acted(draft.agent, call, await made(call, tools))
    return list(done.values())


def with_results(conversation: Conversation, acted: Sequence[Acted]) -> Conversation:
    """Return the conversation with the results of tools as material beside the question."""
    *earlier, last = conversation.messages
    shown = fence_texts([each.told() for each in acted], label="result")
    asked = f"{last.content}\n\n---\nResults of tools that were called for this, as material for the answer:\n\n{shown}"
    return Conversation((*earlier, Message("user", asked)))


def _normal(arguments: str) -> str:
    """Return arguments in their one form, so that the order of names and blanks does not make two calls of one."""
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return arguments

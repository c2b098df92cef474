"""`moa ask`: one question, one answer."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moa.answers import Answer
    from moa.messages import Conversation
    from moa.mixture import Mixture


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    mixture: Annotated[
        str | None,
        typer.Option("--mixture", "-m", metavar="MIXTURE", help="A file, file.py:name, or a folder of agents."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the text.")] = False,
) -> None:
    """Ask one question and print the answer as it is written.

    Who was chosen, and what is being loaded, goes to standard error.

    Example: moa ask "What is the capital of Australia?" --json
    """
    import asyncio

    from moa.cli.deciding import Downloading
    from moa.loader import load_mixture
    from moa.messages import Conversation

    conversation = Conversation.of(sys.stdin.read() if question == "-" else question)
    loaded = load_mixture(mixture)
    loaded.router.prepare(loaded.agents, on_progress=Downloading())
    answer = asyncio.run(_ask(loaded, conversation, stream=not as_json))
    if as_json:
        print(json.dumps(answer.to_json(), ensure_ascii=False))


async def _ask(mixture: Mixture, conversation: Conversation, *, stream: bool) -> Answer:
    from moa.backends.http import close_clients
    from moa.cli.narration import Narrator
    from moa.events import RunFinished
    from moa.routing.feedback import Feedback
    from moa.store import Store, recorded

    # A terminal can be told that a text is withdrawn; a file or a pipe cannot take it back.
    replaceable = not stream or sys.stdout.isatty()
    narrator, store = Narrator(answer_to=sys.stdout if stream else None), Store()
    mixture.feedback = mixture.feedback or Feedback(store, mixture.name)
    asked = mixture.stream(conversation, replaceable=replaceable)
    try:
        async with aclosing(recorded(asked, store, on_problem=narrator.problem)) as events:
            async for event in events:
                narrator.tell(event)
                if isinstance(event, RunFinished):
                    answer = event.answer
    finally:
        await close_clients()
    return answer

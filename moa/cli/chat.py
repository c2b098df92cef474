"""`moa chat`: a conversation, in the terminal UI or line by line."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.spending import BudgetCalls, BudgetSeconds, BudgetTokens, BudgetUsd, Cached
from moa.errors import MoaError

if TYPE_CHECKING:
    from moa.budget import Budget
    from moa.messages import Conversation
    from moa.mixture import Mixture
    from moa.session import Session
    from moa.store import Store


def chat(
    mixture: Annotated[
        str | None,
        typer.Argument(metavar="MIXTURE", help="A file, file.py:name, or a folder of agents.", show_default=False),
    ] = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    budget_seconds: BudgetSeconds = None,
    cached: Cached = False,
) -> None:
    """Chat with a mixture, and watch who is chosen, what is drafted, and what it takes.

    F1 shows the keys. Where input or output is not a terminal, questions are read from standard input, one a line,
    and the answers are written to standard output. A budget is that of all questions together.

    Example: moa chat agents/starter.py

    Example: moa chat < questions.txt > answers.txt

    Example: moa chat --budget-usd 1
    """
    from moa.cli.spending import budget_of, cache_of

    budget = budget_of(budget_usd, budget_tokens, budget_calls, budget_seconds)
    # Textual draws on standard error, so that has to be the terminal too.
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from moa.tui import run_chat

        raise typer.Exit(run_chat(mixture, budget=budget, cache=cache_of(cached)))
    raise typer.Exit(_chat_in_lines(mixture, budget, cached=cached))


def _chat_in_lines(spec: str | None, budget: Budget | None, *, cached: bool) -> int:
    """Answer the questions on standard input, each continuing the conversation.

    Returns:
        The exit code: 0, or that of the last question that could not be answered.
    """
    from moa.cli.deciding import Downloading
    from moa.cli.spending import cache_of
    from moa.loader import load_mixture
    from moa.messages import Conversation
    from moa.routing.feedback import Feedback
    from moa.session import Session
    from moa.store import Store

    mixture, store = load_mixture(spec), Store()
    mixture.cache = cache_of(cached) or mixture.cache
    session = Session(budget) if budget else None
    mixture.router.prepare(mixture.agents, on_progress=Downloading())
    mixture.feedback = mixture.feedback or Feedback(store, mixture.name)
    conversation: Conversation | None = None
    answer, exit_code = "", 0
    # One loop for all questions, so that connections are kept; but it does not run while a question is awaited,
    # so that Ctrl+C ends the wait at once.
    with asyncio.Runner() as runner:
        try:
            for line in sys.stdin:
                question = line.strip()
                if not question:
                    continue
                asked = Conversation.of(question) if conversation is None else conversation.then(answer, question)
                try:
                    answer = runner.run(_answer(mixture, store, asked, session))
                except MoaError as error:
                    exit_code = error.exit_code
                else:
                    conversation = asked
        finally:
            runner.run(_close())
    return exit_code


async def _answer(mixture: Mixture, store: Store, conversation: Conversation, session: Session | None) -> str:
    """Print the answer and what leads to it, and return its text.

    Raises:
        MoaError: there is none; the reason has been printed.
    """
    from moa.cli.narration import Narrator
    from moa.events import RunFinished
    from moa.store import recorded

    narrator = Narrator(answer_to=sys.stdout, tell_to=sys.stderr)
    text = ""
    try:
        asked = mixture.stream(conversation, session=session)
        async with aclosing(recorded(asked, store, on_problem=narrator.problem)) as events:
            async for event in events:
                narrator.tell(event)
                if isinstance(event, RunFinished):
                    text = event.answer.text
    except MoaError as error:
        narrator.problem(error)
        raise
    return text


async def _close() -> None:
    from moa.backends.http import close_clients

    await close_clients()

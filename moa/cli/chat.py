"""`moa chat`: a conversation, in the terminal UI or line by line."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from moa.cli.browser import in_browser, serve_in_browser
from moa.cli.spending import BudgetCalls, BudgetSeconds, BudgetTokens, BudgetUsd, Cached
from moa.errors import MoaError
from moa.tui import BROWSER_PORT

if TYPE_CHECKING:
    from moa.budget import Budget
    from moa.messages import Conversation
    from moa.mixture import Mixture
    from moa.session import Session
    from moa.store import Sessions, Slot


class ChatCommand(TyperCommand):
    """`--resume` without a session means the last one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        given = list(args)
        for place, word in enumerate(args):
            if word == "--resume" and (place + 1 == len(args) or args[place + 1].startswith("-")):
                given.insert(place + 1, "last")
                break
        return super().parse_args(ctx, given)


def chat(
    context: typer.Context,
    mixture: Annotated[
        str | None,
        typer.Argument(metavar="MIXTURE", help="A file, file.py:name, or a folder of agents.", show_default=False),
    ] = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    budget_seconds: BudgetSeconds = None,
    cached: Cached = False,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="[SESSION]",
            help="Go on with a session: its identifier, the beginning of it, or last, which is meant without one.",
            show_default=False,
        ),
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Chat in a browser on this machine; the address is printed.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Where to listen, with --web.", show_default=True)
    ] = BROWSER_PORT,
) -> None:
    """Chat with a mixture, and watch who is chosen, what is drafted, and what it takes.

    F1 shows the keys. Where input or output is not a terminal, questions are read from standard input, one a line,
    and the answers are written to standard output. A budget is that of all questions together. The conversation is
    kept as a session; moa sessions lists them.

    Example: moa chat agents/starter.py

    Example: moa chat --resume last

    Example: moa chat < questions.txt > answers.txt

    Example: moa chat --budget-usd 1

    Example: moa chat --web
    """
    from moa.cli.spending import budget_of, cache_of

    budget = budget_of(budget_usd, budget_tokens, budget_calls, budget_seconds)
    session = _session(resume)
    if web:
        serve_in_browser(context, session, port)
        return
    # Textual draws on standard error, so that has to be the terminal too.
    if in_browser() or all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from moa.tui import run_chat

        raise typer.Exit(run_chat(mixture, budget=budget, cache=cache_of(cached), resume=session))
    raise typer.Exit(_chat_in_lines(mixture, budget, session, cached=cached))


def _session(name: str | None) -> str | None:
    """Return the identifier of the session that is meant, before anything is loaded.

    Raises:
        StoreError: there is none of this name, or several.
    """
    if name is None:
        return None
    from moa.store import Sessions, Store

    with Store() as store:
        return Sessions(store).find(name).id


def _chat_in_lines(spec: str | None, budget: Budget | None, resume: str | None, *, cached: bool) -> int:
    """Answer the questions on standard input, each continuing the conversation.

    Returns:
        The exit code: 0, or that of the last question that could not be answered.
    """
    import asyncio

    from moa.cli.deciding import Downloading
    from moa.cli.spending import cache_of
    from moa.loader import load_mixture
    from moa.messages import Conversation
    from moa.routing.feedback import Feedback
    from moa.session import Session
    from moa.store import Sessions, Slot, Store, new_session_id

    mixture, store = load_mixture(spec), Store()
    sessions, slot = Sessions(store), Slot(resume or new_session_id())
    mixture.cache = cache_of(cached) or mixture.cache
    session = Session(budget) if budget else None
    mixture.router.prepare(mixture.agents, on_progress=Downloading())
    mixture.feedback = mixture.feedback or Feedback(store, mixture.name)
    conversation, answer = _so_far(sessions, resume)
    exit_code = 0
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
                    answer = runner.run(_answer(mixture, sessions, slot, asked, session))
                except MoaError as error:
                    exit_code = error.exit_code
                else:
                    conversation = asked
        finally:
            runner.run(_close())
    return exit_code


def _so_far(sessions: Sessions, resume: str | None) -> tuple[Conversation | None, str]:
    """Return the conversation up to the last answered question of a session, and that answer."""
    from moa.messages import Conversation

    conversation: Conversation | None = None
    answer = ""
    for turn in sessions.turns(resume) if resume else ():
        if turn.answer:
            asked = turn.question
            conversation = Conversation.of(asked) if conversation is None else conversation.then(answer, asked)
            answer = turn.answer
    return conversation, answer


async def _answer(
    mixture: Mixture, sessions: Sessions, slot: Slot, conversation: Conversation, session: Session | None
) -> str:
    """Print the answer and what leads to it, and return its text.

    Raises:
        MoaError: there is none; the reason has been printed.
    """
    from moa.cli.narration import Narrator
    from moa.events import RunFinished
    from moa.store import filed, recorded

    narrator = Narrator(answer_to=sys.stdout, tell_to=sys.stderr)
    text = ""
    try:
        asked = recorded(mixture.stream(conversation, session=session), sessions.store, on_problem=narrator.problem)
        async with aclosing(filed(asked, sessions, slot, on_problem=narrator.problem)) as events:
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

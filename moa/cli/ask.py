"""`moa ask`: one question, one answer."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.output import JsonSchema
from moa.cli.spending import BudgetCalls, BudgetSeconds, BudgetTokens, BudgetUsd, Cached

if TYPE_CHECKING:
    from moa.answers import Answer
    from moa.budget import Budget
    from moa.contract import OutputContract
    from moa.messages import Conversation
    from moa.mixture import Mixture


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    mixture: Annotated[
        str | None,
        typer.Option("--mixture", "-m", metavar="MIXTURE", help="A file, file.py:name, or a folder of agents."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the text.")] = False,
    json_schema: JsonSchema = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_calls: BudgetCalls = None,
    budget_seconds: BudgetSeconds = None,
    cached: Cached = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and ask nobody.")] = False,
) -> None:
    """Ask one question and print the answer as it is written.

    Who was chosen, and what is being loaded, goes to standard error. The budget takes the place of the mixture's; where
    it ends, the best answer so far is given, and the answer says so. With a schema the answer is JSON; one that does
    not fit is written again once, and what does not fit even then is printed all the same, with exit code 1.

    Example: moa ask "What is the capital of Australia?" --json

    Example: moa ask "The capital of Australia, and its people?" --json-schema city.json

    Example: moa ask "Prove that there are infinitely many primes." --budget-usd 0.05 --budget-seconds 60
    """
    import asyncio

    from moa.cli.deciding import Downloading
    from moa.cli.output import contract_of
    from moa.cli.spending import budget_of, cache_of
    from moa.loader import load_mixture
    from moa.messages import Conversation

    budget = budget_of(budget_usd, budget_tokens, budget_calls, budget_seconds)
    contract = contract_of(json_schema)
    conversation = Conversation.of(sys.stdin.read() if question == "-" else question)
    loaded = load_mixture(mixture)
    loaded.router.prepare(loaded.agents, on_progress=Downloading())
    if estimate:
        _estimate(loaded, conversation, as_json=as_json)
        return
    loaded.cache = cache_of(cached) or loaded.cache
    answer = asyncio.run(_ask(loaded, conversation, budget, contract, stream=not as_json))
    if as_json:
        print(json.dumps(answer.to_json(), ensure_ascii=False))
    contract.read(answer.text)


def _estimate(mixture: Mixture, conversation: Conversation, *, as_json: bool) -> None:
    import asyncio
    from dataclasses import asdict

    from moa.cli.spending import estimate_line

    found = asyncio.run(mixture.estimate(conversation))
    print(json.dumps(asdict(found), ensure_ascii=False) if as_json else estimate_line(found))


async def _ask(
    mixture: Mixture, conversation: Conversation, budget: Budget | None, contract: OutputContract, *, stream: bool
) -> Answer:
    from moa.backends.http import close_clients
    from moa.cli.narration import Narrator
    from moa.events import RunFinished
    from moa.routing.feedback import Feedback
    from moa.store import Store, recorded

    # A terminal can be told that a text is withdrawn; a file or a pipe cannot take it back.
    replaceable = not stream or sys.stdout.isatty()
    narrator, store = Narrator(answer_to=sys.stdout if stream else None, tell_to=sys.stderr), Store()
    mixture.feedback = mixture.feedback or Feedback(store, mixture.name)
    asked = mixture.stream(conversation, replaceable=replaceable, budget=budget, output=contract)
    try:
        async with aclosing(recorded(asked, store, on_problem=narrator.problem)) as events:
            async for event in events:
                narrator.tell(event)
                if isinstance(event, RunFinished):
                    answer = event.answer
    finally:
        await close_clients()
    return answer

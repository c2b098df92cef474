"""Options that several commands share: what an answer, or a whole chat, may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moa.budget import Budget
    from moa.estimate import Estimate
    from moa.store.drafts import DraftCache

BudgetUsd = Annotated[
    float | None,
    typer.Option("--budget-usd", metavar="USD", help="Spend no more US dollars.", show_default=False),
]
BudgetTokens = Annotated[
    int | None,
    typer.Option("--budget-tokens", metavar="N", help="Use no more tokens, read and written.", show_default=False),
]
BudgetCalls = Annotated[
    int | None,
    typer.Option("--budget-calls", metavar="N", help="Make no more model calls, retries included.", show_default=False),
]
BudgetSeconds = Annotated[
    float | None,
    typer.Option("--budget-seconds", metavar="S", help="Take no longer.", show_default=False),
]
Cached = Annotated[
    bool, typer.Option("--cache", help="Keep the models' answers, and do not pay twice for the same request.")
]


def budget_of(usd: float | None, tokens: int | None, calls: int | None, seconds: float | None) -> Budget | None:
    """Return the budget that the options give; None if they give none.

    Raises:
        AgentError: a limit is negative.
    """
    from moa.budget import NO_LIMITS, Budget

    budget = Budget(usd, tokens, calls, seconds)
    return None if budget == NO_LIMITS else budget


def cache_of(wanted: bool) -> DraftCache | None:
    """Return the cache that `--cache` asks for.

    Raises:
        StoreError: it cannot be used.
    """
    if not wanted:
        return None
    from moa.store.drafts import DraftCache

    cache = DraftCache()
    cache.check()
    return cache


def estimate_line(estimate: Estimate) -> str:
    """Return an estimate in a sentence or two."""
    calls = f"{estimate.calls} call{'' if estimate.calls == 1 else 's'}"
    used = f"{estimate.tokens.total} tokens ({estimate.tokens.input} read, {estimate.tokens.output} written)"
    if estimate.usd is None:
        who = " and ".join(estimate.unpriced)
        have = "have" if len(estimate.unpriced) > 1 else "has"
        return f"About {calls} and {used}. The cost is unknown: {who} {have} no known price."
    cost = f"{estimate.usd:.4f} USD" if estimate.usd else "for free"
    return f"About {calls} and {used}, {cost}."

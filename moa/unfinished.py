"""What was written until the time was up, or until the answer was asked for at once: better than nothing."""

from __future__ import annotations

from collections.abc import Sequence

from moa.answers import Degradation, Draft
from moa.errors import AllDraftsFailed, BudgetExceeded, MoaError
from moa.panel import Outcome


def longest_of(outcomes: Sequence[Outcome]) -> Draft | None:
    """Return the longest of the drafts that were cut off; None if none of them had any text."""
    written = [each.draft for each in outcomes if each.cut_off and each.draft.text]
    return max(written, key=lambda draft: len(draft.text), default=None)


def cut_off(draft: Draft, *, hurried: bool) -> Degradation:
    """Return what is told of a draft that is the answer as far as it has come.

    Args:
        draft: the draft.
        hurried: whether it was cut off because the answer was asked for at once, and not because the time was up.
    """
    cause = "The answer was asked for" if hurried else "The time was up"
    why = f"{cause} before {draft.agent} had finished: this is what it had written."
    return Degradation("draft" if hurried else "budget", draft.agent, why)


def failure_of(outcomes: Sequence[Outcome]) -> MoaError:
    """Return what to raise where there is nothing to show: it lists every cause."""
    causes = {each.draft.agent: each.cause for each in outcomes if each.cause}
    failed = AllDraftsFailed(causes)
    refused = all(isinstance(cause, BudgetExceeded) for cause in causes.values())
    return BudgetExceeded(str(failed)) if refused else failed

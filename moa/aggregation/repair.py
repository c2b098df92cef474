"""The form that was asked for: an answer that breaks it is mended once, or replaced by a draft that keeps it."""

from __future__ import annotations

from moa.aggregation.base import Work
from moa.answers import Degradation


async def conforming(text: str, work: Work) -> tuple[str, Degradation | None]:
    """Return the answer in the form that was asked for, as far as it can be had, and what had to be done for it.

    Args:
        text: the answer.
        work: its drafts, contract, and the way to call a model.
    """
    problems = work.contract.problems(text)
    if not problems:
        return text, None
    for draft in work.drafts:
        if not work.contract.problems(draft.text):
            return draft.text, Degradation("contract", draft.agent, f"{problems[0]} This draft keeps to it.")
    return text, Degradation("contract", "answer", problems[0])

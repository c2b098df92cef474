"""What a panel is asked, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from moa.answers import Draft
from moa.contract import ANYTHING, OutputContract
from moa.errors import MoaError
from moa.messages import Conversation


@dataclass(frozen=True, slots=True)
class Brief:
    """What a panel is asked."""

    conversation: Conversation
    contract: OutputContract = ANYTHING
    """What the answer should be like."""
    confidence: bool = False
    """Whether to ask the backends how sure they are."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Agent name → routing weight; empty where all count the same."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one agent's drafting ended. `cause` is the error if it failed, None if it did not."""

    draft: Draft
    cause: MoaError | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    """What did not go as planned and did not stop it, as `what` and `why` of a `Degradation`."""
    cut_off: bool = False
    """Whether the time for the whole turn ended it, or the wish for an answer at once, so that what it had written may
    be the best there is."""


Place = Callable[[str, Callable[[], None]], AbstractAsyncContextManager[None]]
"""Holds a place to write in for the named agent, waiting where there is none; then it calls the function first."""


def at_once(_: str, __: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    """Let everybody write at once."""
    return nullcontext()

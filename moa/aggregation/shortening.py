"""Material that fits: a request to an aggregator's model, with less and less in it until its window holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from moa.aggregation.fence import LONGEST
from moa.answers import Draft
from moa.backends.base import Backend, Request
from moa.context import fitted, tokens_in

_HALVINGS = 5
"""How often long drafts are cut by half, from what the fence leaves of them; less than that says little more."""
_SHORTEST = 400
"""Characters that are left of each draft at least."""
_CUT = "\n[…]\n"
_ANSWER_TOKENS = 1024
"""Kept free for an answer without an upper limit, but no more than a quarter of the window."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request, and what was left out for it to fit."""

    request: Request
    left_out: str = ""
    """In a sentence; empty if nothing was."""


def attempts(
    drafts: Sequence[Draft], ask: Callable[[Sequence[Draft]], Request], backend: Backend, window: int | None
) -> Iterator[Attempt]:
    """Yield requests, the one with the most in it first: each is for a model that found the one before too long.

    Where the window is known, the oldest turns of the conversation stay away first, and only requests that fit are
    tried. Where it is not, drafts are shortened first, and the earlier conversation is left out last.

    Args:
        drafts: what is to be shortened, all to the same length.
        ask: makes the request of drafts.
        backend: the model, for messages.
        window: tokens that it can read and write together; None if nobody knows.
    """
    sizes = list(_sizes(drafts))
    for place, some in enumerate(sizes):
        request, told = ask(some), "long drafts were shortened" if place else ""
        if window is not None:
            room = _room(request, window)
            fit = fitted(request.messages, window - room)
            last = place == len(sizes) - 1
            if not last and tokens_in(fit.messages) > window - room:
                continue
            request = replace(request, messages=fit.messages)
            told = _joined(told, "the oldest messages were left out" if fit.dropped else "")
        yield Attempt(request, _sentence(told, backend))
    system, *earlier, question = ask(sizes[-1]).messages
    if earlier and window is None:
        request = replace(ask(sizes[-1]), messages=(system, question))
        told = _joined("long drafts were shortened" if len(sizes) > 1 else "", "the earlier messages were left out")
        yield Attempt(request, _sentence(told, backend))


def shortened(drafts: Sequence[Draft], most: int) -> tuple[Draft, ...]:
    """Return drafts of which none has more than about `most` characters: the beginning and the end of a longer one."""
    most = max(most, _SHORTEST)
    half = (most - len(_CUT)) // 2
    return tuple(
        draft if len(draft.text) <= most else replace(draft, text=draft.text[:half] + _CUT + draft.text[-half:])
        for draft in drafts
    )


def _sizes(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, ...]]:
    """Yield drafts as they are, and then ever shorter, as long as there is anything to take away."""
    last = tuple(drafts)
    yield last
    longest = min(LONGEST, max(len(draft.text) for draft in drafts))
    for halvings in range(1, _HALVINGS + 1):
        shorter = shortened(drafts, longest >> halvings)
        if shorter != last:
            yield (last := shorter)


def _room(request: Request, window: int) -> int:
    wanted = request.sampling.max_tokens
    return min(wanted, window // 2) if wanted else min(_ANSWER_TOKENS, window // 4)


def _joined(*told: str) -> str:
    return " and ".join(filter(None, told))


def _sentence(told: str, backend: Backend) -> str:
    return f"To fit into the window of {backend.reference}, {told}." if told else ""

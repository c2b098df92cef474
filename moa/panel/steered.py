"""Drafts in the hand of whoever follows the run: one is given up, or all that are not needed any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from moa.panel.brief import Outcome
from moa.panel.one_draft import OneDraft
from moa.steering import Steering

Tasks = Mapping["asyncio.Task[Outcome]", OneDraft]


@contextmanager
def steered(tasks: Tasks, steering: Steering) -> Iterator[None]:
    """Let drafts be cancelled one at a time, and let the rest be given up when the answer is asked for at once."""
    for task in tasks:
        # Asked for before anything had arrived: then the first draft that is complete is enough.
        task.add_done_callback(lambda _: _hurry(tasks) if steering.hurried else None)
    with steering.steered(partial(_hurry, tasks), partial(_cancel, tasks)):
        yield


def _hurry(tasks: Tasks) -> None:
    """Give up what is not complete, unless there would be nothing to answer with."""
    under_way = [(task, draft) for task, draft in tasks.items() if not task.done()]
    if not any(map(_succeeded, tasks)) and not any(draft.text for _, draft in under_way):
        return
    for task, draft in under_way:
        draft.wanted_as_it_is = True
        _give_up(task, draft, "Cancelled", ", because the answer was asked for at once")


def _cancel(tasks: Tasks, draft_id: str) -> bool:
    for task, draft in tasks.items():
        if draft.id == draft_id and not task.done():
            _give_up(task, draft, "Cancelled by hand")
            return True
    return False


def _give_up(task: asyncio.Task[Outcome], draft: OneDraft, how: str, why: str = "") -> None:
    if not draft.abandoned:  # a second cancellation would break into the closing of its call
        draft.abandoned = f"{how} after {draft.turn.at() - draft.started:.1f} s, unfinished{why}."
        task.cancel()


def _succeeded(task: asyncio.Task[Outcome]) -> bool:
    return task.done() and not task.cancelled() and not task.exception() and task.result().cause is None

"""Drafting: the agents of a panel answer in parallel, and the failure of one is not the failure of all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from moa.agent import Agent
from moa.events import ToolCalled
from moa.panel.brief import Brief, Outcome, Place, at_once
from moa.panel.one_draft import OneDraft
from moa.panel.quorum import Standing, share_in, strongest, verdict
from moa.panel.settings import Drafting
from moa.panel.steered import steered

if TYPE_CHECKING:
    from moa.messages import ToolCall
    from moa.turn import Turn

_Tasks = dict["asyncio.Task[Outcome]", OneDraft]


async def draft_all(
    agents: Sequence[Agent],
    brief: Brief,
    turn: Turn,
    *,
    drafting: Drafting | None = None,
    passthrough: bool = False,
    place: Place = at_once,
) -> list[Outcome]:
    """Ask every agent at once and wait for all of them, or for a quorum.

    Args:
        agents: whom to ask; the same agent may stand there several times.
        brief: what they are asked.
        turn: the turn that this belongs to; gets the events.
        drafting: what is waited for, and for how long.
        passthrough: a single draft whose text is the answer itself, streamed as `AnswerDelta`.
        place: what each draft waits for before it starts; nothing by default.

    Returns:
        One outcome an agent, in the agents' order. Failures are outcomes, not exceptions, and so are drafts that a
        quorum made superfluous or that were given up by hand; only cancellation leaves early, and takes every call
        along.
    """
    drafting = drafting or Drafting()
    several = len(agents) > 1
    share = 1 - drafting.reserve if several else 1.0
    async with asyncio.TaskGroup() as group:
        drafts = [OneDraft(agent, brief, turn, drafting, place, share, passthrough) for agent in agents]
        for draft in drafts:
            draft.rounds.returned = partial(_tell_of_call, turn, draft.id)
        tasks = {group.create_task(draft.run()): draft for draft in drafts}
        with steered(tasks, turn.steering):
            if several and drafting.quorum is not None:
                await _until_quorum(tasks, brief, drafting.quorum, drafting.patience)
            else:
                await asyncio.wait(tasks)
    return [task.result() for task in tasks]


def _tell_of_call(turn: Turn, draft: str, call: ToolCall, result: str) -> None:
    turn.emit(ToolCalled(turn.at(), draft, call, result))


async def _until_quorum(tasks: _Tasks, brief: Brief, quorum: float, patience: float) -> None:
    """Wait until a quorum of drafts is in, by the rule of `moa.panel.quorum`, and give the rest up."""
    clock = asyncio.get_running_loop().time
    waiting: set[asyncio.Task[Outcome]] = set(tasks)
    ends: float | None = None
    while waiting:
        _, waiting = await asyncio.wait(
            waiting,
            timeout=None if ends is None else max(0.0, ends - clock()),
            return_when=asyncio.FIRST_COMPLETED,
        )
        standings = _standings(tasks, brief)
        now = verdict(standings, quorum)
        if now == "strongest" and ends is None:
            ends = clock() + patience
        if now == "reached" or (ends is not None and clock() >= ends):
            break
    for task in waiting:
        draft = tasks[task]
        draft.abandoned = _why(draft, standings, quorum, patience)
        task.cancel()


def _standings(tasks: _Tasks, brief: Brief) -> list[Standing]:
    """Return how each draft stands. An agent that drafts several times has its weight divided among them."""
    times = Counter(draft.agent.name for draft in tasks.values())
    return [
        Standing(draft.agent.name, brief.weights.get(draft.agent.name, 0.0) / times[draft.agent.name], _state(task))
        for task, draft in tasks.items()
    ]


def _state(task: asyncio.Task[Outcome]) -> Literal["drafting", "ok", "failed"]:
    if not task.done():
        return "drafting"
    return "failed" if task.cancelled() or task.exception() or task.result().cause else "ok"


def _why(draft: OneDraft, standings: Sequence[Standing], quorum: float, patience: float) -> str:
    """Say why a draft is given up."""
    turn, agent = draft.turn, draft.agent
    names = sorted({standing.agent for standing in standings if standing.state == "ok"})
    carried = f"{' and '.join(names)} carried {share_in(standings):.0%} of the weight; {quorum:.0%} make a quorum"
    why = f"Cancelled after {turn.at() - draft.started:.1f} s, unfinished, because {carried}."
    if all(each.state == "drafting" and each.agent == agent.name for each in strongest(standings)):
        why += f" As the agent with the most weight it was given {patience:g} s more than that."
    return why

"""What the pool says to those who wait: what they wait for, with the numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from moa.local.files import size_text
from moa.local.lease import Step
from moa.local.member import Member
from moa.local.plan import Plan


def step_of(member: Member, plan: Plan, members: Mapping[Hashable, Member], budget: int) -> Step:
    """Return what is done for those who wait for an engine, or what they wait for.

    Args:
        member: the engine.
        plan: what was decided last.
        members: all engines.
        budget: bytes that they may take together.
    """
    name, here = member.engine.name, [each for each in members.values() if each.is_here]
    if member.state == "loading":
        return Step("loading", f"Loading {name} into memory, {size_text(member.bytes)} of {size_text(budget)}.")
    if member.state == "leaving":
        return Step("loading", f"{name} is started anew.")
    if member.state == "loaded":
        return _of_loaded(member)
    need = f"{name} ({size_text(member.bytes)})"
    if member.engine in plan.loads:
        leaving = [each for each in here if each.state == "leaving"]
        if leaving:
            return Step("loading", f"Evicting {_listed(leaving)} to make room for {need} in {size_text(budget)}.")
        before = [each for each in here if each.state == "loading"]
        return Step("loading", f"{need} is loaded next, after {_listed(before)}.")
    working = [each for each in here if each.in_flight or each.state != "loaded"]
    held = f", and what is in use stays: {_listed(working)}" if working else ""
    return Step("waiting", f"{need} waits for memory: models may take {size_text(budget)}{held}.")


def _of_loaded(member: Member) -> Step:
    name, running = member.engine.name, member.engine.running
    if member.is_outgrown:
        return Step("waiting", f"{name} starts anew, with a longer context, more slots or adapters, when it is idle.")
    if not member.has_room and running:
        answers = "1 answer" if running.slots == 1 else f"{running.slots} answers"
        return Step("queued", f"{name} writes {answers} at a time; this one waits for its turn.")
    return Step("waiting", f"{name} takes no more work for now: it makes room for a model that has waited long.")


def _listed(members: Iterable[Member]) -> str:
    return " and ".join(f"{member.engine.name} ({size_text(member.bytes)})" for member in members)

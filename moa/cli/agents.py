"""`moa agents`: who there is, what runs them, and whether they could answer now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moa.cli.console import print_item, print_json

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.backends.base import Readiness

_HOSTED = re.compile(r"[A-Za-z0-9_.-]+/\S+")


def agents(
    mixture: Annotated[
        str | None,
        typer.Argument(metavar="[MIXTURE]", help="A file, file.py:name, or a folder of agents.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the agents of a mixture: their fields, their models, where these run, and whether they are ready.

    No model is loaded or called. Without MIXTURE: the agents folder here, else the starter.

    Example: moa agents agents/cloud.py
    """
    from moa.cli.checks import state_of
    from moa.loader import load_mixture

    loaded = load_mixture(mixture)
    looked_at = [(agent, agent.backend.readiness()) for agent in (*loaded.agents, *loaded.reviewers)]
    if as_json:
        rows = [_row(agent, readiness) for agent, readiness in looked_at]
        print_json({"mixture": loaded.name, "fallback": loaded.fallback, "agents": rows})
        return
    for agent, readiness in looked_at:
        beside = "answers when nobody's field is clear" if agent.name == loaded.fallback else ""
        beside = "reviews every answer" if agent.reviews else beside
        facts = " · ".join((agent.backend.reference, where(agent.backend.reference), readiness.text))
        below = (agent.about, facts) if agent.about else (facts,)
        state = state_of(agent.backend, readiness)
        print_item(state, agent.name, beside, below=below, remedy=readiness.remedy)


def where(reference: str) -> str:
    """Return where a model runs, as its reference tells: `local`, `replay`, `endpoint`, `API`, or `custom`."""
    if reference.startswith("local:"):
        return "local"
    if reference.startswith("replay:"):
        return "replay"
    if reference.startswith(("http://", "https://")):
        return "endpoint"
    return "API" if _HOSTED.fullmatch(reference) else "custom"


def _row(agent: Agent, readiness: Readiness) -> dict[str, Any]:
    return {
        "name": agent.name,
        "about": agent.about,
        "reviews": agent.reviews,
        "examples": len(agent.examples),
        "model": agent.backend.reference,
        "runs": where(agent.backend.reference),
        "ready": readiness.ready,
        "status": readiness.text,
        "remedy": readiness.remedy,
    }

"""A run that a test kills: `python -m tests.evals.interrupted FOLDER`. It prints a line for each call that it makes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from moa.agent import Agent
from moa.backends.base import Request
from moa.evals.folder import RunFolder
from moa.evals.runner import Runner, Settings
from moa.evals.shared import Sharing
from moa.evals.system import System, agent_system, mixture_system
from moa.mixture import Mixture
from tests.evals.arithmetic import adds, doubles_small, sums
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter


async def run(folder: Path) -> None:
    """Have two agents and a mixture of both answer forty sums."""

    def told(request: Request) -> str:
        sys.stdout.write(f"{request.messages[-1].content}\n")
        sys.stdout.flush()
        return adds(request)

    agents = [
        Agent("good", model=ScriptedModel(told, "fake/good")),
        Agent("weak", model=ScriptedModel(doubles_small, "fake/weak")),
    ]
    suite = sums(40)
    with RunFolder(folder) as opened:
        sharing = Sharing(opened.replies)
        systems: list[System] = [agent_system(agent, sharing) for agent in agents]
        mixture = Mixture(agents, name="both", router=FixedRouter(good=0.6, weak=0.4), aggregator=_first)
        systems.append(mixture_system(mixture, sharing))
        opened.describe([suite], [{"name": system.name, "kind": "agent"} for system in systems], {})
        await Runner(opened, [suite], systems, Settings(workers=3), sharing).run()


async def _first(question: str, drafts: object) -> str:
    del question
    return str(drafts[0].text)  # type: ignore[index]


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))

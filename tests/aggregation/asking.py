"""A mixture of scripted agents is asked, and what a reader would have seen is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from moa.agent import Agent
from moa.aggregation import Aggregator, Function
from moa.answers import Answer
from moa.events import AnswerDelta, AnswerReplaced, Event, RunFinished
from moa.messages import Asked
from moa.mixture import Mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

Script = ScriptedModel | str | Sequence[Any]


def model(script: Script, name: str = "model") -> ScriptedModel:
    """Return what plays a script."""
    return script if isinstance(script, ScriptedModel) else ScriptedModel(script, f"scripted:{name}")


def agent(name: str, script: Script, **settings: Any) -> Agent:
    """Return an agent that says what its script says."""
    return Agent(name, model=model(script, name), **settings)


def mixture(
    drafts: Mapping[str, Script], aggregator: Aggregator | Function | None, *more: Agent, **settings: Any
) -> Mixture:
    """Return a mixture whose agents write these drafts; each has less weight than the one before.

    Args:
        drafts: agent → what it says.
        aggregator: of the mixture.
        more: agents beside the panel, or reviewers.
        settings: of the mixture.
    """
    weights = dict(zip(drafts, (0.5, 0.3, 0.15, 0.05), strict=False))
    agents = [*(agent(name, script) for name, script in drafts.items()), *more]
    return Mixture(agents, router=FixedRouter(**weights), aggregator=aggregator, **settings)


@dataclass
class Heard:
    """What came of a question."""

    events: list[Event]
    answer: Answer

    @property
    def shown(self) -> str:
        """What stands on a reader's screen in the end."""
        text = ""
        for event in self.events:
            match event:
                case AnswerDelta(text=more):
                    text += more
                case AnswerReplaced(text=instead):
                    text = instead
        return text

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def degraded(self) -> list[tuple[str, str]]:
        """What is said of each degradation: its kind, and why."""
        return [(item.what, item.why) for item in self.answer.degraded]


async def ask(mixture: Mixture, asked: Asked = "What is 17 * 23?", **wanted: Any) -> Heard:
    """Ask, and see that what was shown is the answer."""
    events: list[Event] = []
    async with aclosing(mixture.stream(asked, **wanted)) as stream:
        async for event in stream:
            events.append(event)  # noqa: PERF401  (a comprehension would not close the stream)
    assert isinstance(events[-1], RunFinished)
    heard = Heard(events, events[-1].answer)
    assert heard.shown == heard.answer.text
    return heard

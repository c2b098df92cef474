"""A mixture of agents that say again what was drafted once, so that every aggregator works on the same drafts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.aggregation.drafts import BRIEF, LARGE, PROGRAM, SMALL, WORKED, Wanted, Written
from benchmarks.aggregation.scoring import LIMITS
from benchmarks.aggregation.sets import Question
from moa.agent import Agent
from moa.aggregation import Aggregator
from moa.aggregation.running import Ran, run_python
from moa.answers import Routing, ScoredAgent
from moa.backends.base import Chunk, Delta, Finish, Readiness, Request
from moa.code_blocks import code_in
from moa.errors import BackendError
from moa.messages import Conversation, Usage
from moa.mixture import Mixture
from moa.routing import Router

SIZES = {SMALL: 0.494, LARGE: 1.544}
"""Billions of parameters: what a token of each costs, beside the other's."""
CHEAP = "small"
"""Name of the agent that the small model runs; the large one runs the agents of all fields."""
SPECIALISTS = {
    CHEAP: (SMALL, WORKED),
    "brief": (LARGE, BRIEF),
    "small-brief": (SMALL, BRIEF),
    "program": (LARGE, PROGRAM),
}
"""Agents beside those of the fields, which the large model runs → model and style of their drafts."""
WEIGHTS = (2 / 3, 1 / 3)
"""Of the field's agent and of the small one, where both are asked."""


@dataclass
class Kept:
    """A backend that says again what its model wrote; remembers what it gave."""

    model: str
    question: Question
    drafts: Mapping[str, Written]
    style: str = WORKED
    given: list[Written] = field(default_factory=list)
    reference: str = field(init=False)
    priced: bool = True

    def __post_init__(self) -> None:
        self.reference = f"replay:kept#{self.model}"

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the draft of the request's seed if it wants one drawn, else the greedy one.

        A seed of 0 stands for the greedy draft too, which makes it the first of several samples.

        Raises:
            BackendError: another question is asked, there is no such draft, or its program does not run.
        """
        sampling = request.sampling
        number = (sampling.seed or 0) if sampling.temperature else 0
        draft = self.drafts.get(Wanted(self.question, self.model, number, self.style).key)
        if draft is None or request.messages[-1].content != self.question.text:
            raise BackendError(f"{self.model} drafted no sample {number} of this.")
        self.given.append(draft)
        yield Delta(await computed(draft.text) if self.style == PROGRAM else draft.text)
        yield Finish(Usage(draft.input_tokens, draft.output_tokens), "stop", 0.0, confidence=draft.confidence)

    def readiness(self) -> Readiness:
        """It is always ready."""
        return Readiness(ready=True, text="kept")


_computed: dict[str, Ran] = {}


async def computed(draft: str) -> str:
    """Return what the program of a draft comes to, in a sentence.

    Raises:
        BackendError: it holds no program, or one that fails.
    """
    code = code_in(draft)
    if code is None:
        raise BackendError("The draft holds no program.")
    if code not in _computed:
        _computed[code] = await run_python(f"{code}\nprint(solution())", LIMITS)
    ran = _computed[code]
    if not ran.passed:
        raise BackendError(f"The program failed: {ran.why}")
    return f"The answer is {ran.output.strip()}."


class Given(Router):
    """Gives the field's agent the question, and the small one beside it if it is wanted."""

    def __init__(self, probabilities: Mapping[str, float], panel: Sequence[str]) -> None:
        super().__init__()
        self.probabilities, self.panel = probabilities, tuple(panel)

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """Agree: nothing is to be told apart."""

    def route(self, conversation: Conversation, agents: Sequence[Agent], *, fallback: str, **given: object) -> Routing:
        """Return the decision that it was made with."""
        del conversation, given
        weights = dict(zip(self.panel, WEIGHTS if len(self.panel) > 1 else (1.0,), strict=True))
        scored = tuple(
            ScoredAgent(
                agent.name,
                score=self.probabilities.get(agent.name, 0.0),
                probability=self.probabilities.get(agent.name, 0.0),
                weight=weights.get(agent.name, 0.0),
                chosen=agent.name in self.panel,
            )
            for agent in agents
        )
        return Routing(self.panel, scored, False, 0.35, "given", 0.0, fallback)  # noqa: FBT003


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question."""

    text: str
    tokens: int
    """Generated, by everybody."""
    work: float
    """Tokens times billions of parameters."""
    seconds: float
    """Sum over all calls, each as long as it took beside others."""
    degraded: tuple[str, ...] = ()


def usual_probabilities(routed: Mapping[str, float]) -> dict[str, float]:
    """Return the agents' probabilities with the small one's: half of the field's, as a vote counts them."""
    return {**routed, CHEAP: max(routed.values()) / 2}


def mixture_of(
    question: Question,
    drafts: Mapping[str, Written],
    routed: Mapping[str, float],
    aggregator: Aggregator,
    *,
    alone: str | None = None,
) -> tuple[Mixture, list[Kept]]:
    """Return a mixture for one question, and its backends.

    Args:
        question: the one that will be asked.
        drafts: by their keys.
        routed: the router's probability of each field's agent.
        aggregator: of the mixture.
        alone: the model of the only agent of the panel; None for the field's agent and the small one.
    """
    large = Kept(LARGE, question, drafts)
    others = {name: Kept(model, question, drafts, style) for name, (model, style) in SPECIALISTS.items()}
    agents = [Agent(name, model=large) for name in routed] + [Agent(name, model=kept) for name, kept in others.items()]
    best = max(routed, key=lambda name: routed[name])
    panel = {None: (best, CHEAP), LARGE: (best,), SMALL: (CHEAP,)}[alone]
    router = Given(usual_probabilities(routed), panel)
    return Mixture(agents, router=router, aggregator=aggregator, fallback=best), [large, *others.values()]


async def outcome_of(
    question: Question,
    drafts: Mapping[str, Written],
    routed: Mapping[str, float],
    aggregator: Aggregator,
    *,
    alone: str | None = None,
) -> Outcome:
    """Ask, and return what came of it. Calls of an aggregator count as the large model's."""
    mixture, backends = mixture_of(question, drafts, routed, aggregator, alone=alone)
    answer = await mixture.ask(question.text)
    given = [draft for backend in backends for draft in backend.given]
    drafted = sum(draft.output_tokens for draft in given)
    more = max(0, (answer.tokens.output or drafted) - drafted)  # a program that fails reports nothing
    work = sum(SIZES[backend.model] * draft.output_tokens for backend in backends for draft in backend.given)
    live = answer.seconds if more > 0 else 0.0
    return Outcome(
        answer.text,
        drafted + more,
        work + SIZES[LARGE] * more,
        sum(draft.seconds for draft in given) + live,
        tuple(f"{item.what}: {item.why}" for item in answer.degraded),
    )

"""What comes back: the routing, the drafts, the answer. Their fields are the JSON that `moa ask --json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from moa.messages import ToolCall, Usage

DraftStatus = Literal["ok", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An example question near to the one asked; `similarity` is their cosine, −1 … 1."""

    text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ScoredAgent:
    """What the router thought of one agent, and why."""

    name: str
    score: float
    """The gate's raw score; its scale is the gate's own."""
    probability: float
    """Calibrated probability that this question is the agent's, 0 … 1."""
    weight: float = 0.0
    """Share in the aggregation, 0 … 1; the weights of a panel sum to 1, all others are 0."""
    chosen: bool = False
    reason: str = ""
    """One sentence for a person."""
    nearest: tuple[Neighbour, ...] = ()
    """The agent's most similar examples, nearest first."""
    threshold: float | None = None
    """The probability that this agent had to reach, 0 … 1; None in routings from before agents had their own."""
    feedback_bias: float = 0.0
    """What people's feedback on similar questions adds to the probability in selection; the weight knows nothing of
    it."""
    load_bias: float = 0.0
    """What evening out the load adds where agents are ranked; neither the probability nor the weight knows of it."""
    in_flight: int = 0
    """Drafts that it was writing, or was about to, when the decision was made."""
    capacity: int | None = None
    """How many it may write at once; None is no limit."""
    parts: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The part that each gate of a blend has in the score, by its name; empty if there is one gate."""
    price: float = 0.0
    """What the agent's cost takes off its probability in selection, 0 or more; the weight knows nothing of it."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Who was chosen for a turn, with every score and every reason. A pure decision: it holds no hidden state."""

    panel: tuple[str, ...]
    """Names of the chosen agents, the most probable first."""
    agents: tuple[ScoredAgent, ...]
    """Every agent of the mixture, in the mixture's order."""
    fallback: bool
    """True if nobody cleared the threshold, so that the fallback agent answers."""
    threshold: float
    """The probability that an agent had to reach, 0 … 1."""
    encoder: str
    """Name of the encoder that embedded the question."""
    seconds: float
    """Time taken by the decision, the encoding included, the loading of the encoder not."""
    fallback_agent: str = ""
    """The agent that answers, or would have, if nobody is chosen."""
    policy: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The settings that the panel was chosen by; with them and the agents' figures it can be chosen again."""
    pinned: tuple[str, ...] = ()
    """Agents that had to be on the panel."""
    excluded: tuple[str, ...] = ()
    """Agents that could not be on the panel."""
    mentioned: tuple[str, ...] = ()
    """Those of the pinned that the question itself names, as in `@law`."""
    turns_back: int = 0
    """How many earlier questions were read together with this one."""

    @property
    def field(self) -> str:
        """The field of the question: the name of the agent whose it most probably is, whoever answers it."""
        return max(self.agents, key=lambda agent: agent.probability).name

    def __getitem__(self, name: str) -> ScoredAgent:
        for agent in self.agents:
            if agent.name == name:
                return agent
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Draft:
    """One agent's answer, finished or not."""

    id: str
    """Unique within its run, for example `math.1`."""
    agent: str
    model: str
    """The model reference that was called."""
    status: DraftStatus
    text: str
    """The visible answer; of a failed or cancelled draft, what had arrived."""
    tokens: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    """Price in USD; None if the model's price is not known."""
    seconds: float = 0.0
    """From the start of the call to its end, retries included."""
    first_token_seconds: float | None = None
    """From the start of the call to the first visible token; None if there was none."""
    reasoning: str = ""
    """What a reasoning model thought aloud, kept apart from its answer."""
    finish_reason: str | None = None
    """`stop`, `length`, … as the backend reported it."""
    error: str | None = None
    """Why it failed, in a sentence; None if it did not."""
    confidence: float | None = None
    """Geometric mean of its tokens' probabilities, 0 … 1; None if nobody asked, or the backend does not tell."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Calls of tools that it proposes and that were not made."""
    cached: bool = False
    """Whether it is an earlier answer to the same request, out of the cache."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Which aggregator was asked for, which one really ran, and why it was that one."""

    asked: str
    ran: str
    why: str


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer said of the answer."""

    agent: str
    verdict: Literal["pass", "annotate", "block", "failed"]
    """`failed` if the reviewer could not be asked or did not say; the answer was then not reviewed by it."""
    text: str = ""
    """Its note, its reason for blocking, or why it failed."""


@dataclass(frozen=True, slots=True)
class Support:
    """Which drafts a sentence of the answer rests on."""

    start: int
    end: int
    """Where the sentence stands in the answer's text, as Python counts characters: `text[start:end]`."""
    drafts: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Draft id → how well it supports the sentence, 0 … 1; empty if none of them says it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """How many model calls a run made, beside the tokens and dollars."""

    calls: int = 0
    """All that were made: first tries, retries, hedges, the aggregator's and the reviewers'."""
    retries: int = 0
    """Those of them that repeated a failed one."""
    hedges: int = 0
    """Those of them that were a second try beside a slow first one."""
    cancelled: int = 0
    """Those of them that were broken off before their end."""
    cached: int = 0
    """Calls that were not made because the cache held their answer."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """One thing that did not go as planned, and what was done instead."""

    what: str
    """`draft`, `panel`, `aggregator`, `judge`, `reviewer`, `contract`, `context`, `support`, `tools` or `budget`.

    `budget` is what kept a draft, the aggregator or a judge from being asked, or cut it off. An answer that could not
    be reviewed or mended is `reviewer` or `contract` whatever the cause, for that is what its reader must know."""
    who: str
    """The agent or aggregator concerned."""
    why: str
    """One sentence: the cause, and what was done instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a mixture, with everything that led to it."""

    text: str
    routing: Routing
    drafts: tuple[Draft, ...]
    aggregator: Aggregation
    tokens: Usage
    """Of every call that was made, the aggregator's too."""
    cost_usd: float | None
    """Sum over every call; None as soon as one price is unknown."""
    seconds: float
    degraded: tuple[Degradation, ...] = ()
    run: str = ""
    """Identifier of the run, under which its events are stored if they are."""
    spent: Spent = field(default_factory=Spent)
    reviews: tuple[Review, ...] = ()
    """One for each reviewer."""
    support: tuple[Support, ...] = ()
    """Of each sentence of an answer made of several drafts; empty if it is one draft, word for word."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `moa ask --json` prints: plain dictionaries, lists, strings and numbers."""
        return asdict(self)

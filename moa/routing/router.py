"""The router: which agents answer a turn, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Unpack

from moa.answers import Routing
from moa.errors import AgentError
from moa.messages import Conversation
from moa.paths import cache_folder
from moa.routing.decision import decide, only
from moa.routing.encoder import Encoder
from moa.routing.encoders import LIGHT, encoder_for
from moa.routing.evidence import Evidence
from moa.routing.policy import Mode, Policy, Settings
from moa.routing.selection import probabilities
from moa.routing.subject import subject
from moa.routing.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.agent import Agent
    from moa.local.files import Progress
    from moa.routing.embedding import Embedder
    from moa.routing.examples import Examples
    from moa.routing.feedback import Feedback
    from moa.routing.gate import Gate
    from moa.routing.learned.gate import TrainedGate
    from moa.routing.learned.responses import ResponseGate
    from moa.routing.load import Load
    from moa.routing.scored import Scored, Scoring

_SETS_OF_AGENTS = 8
"""Sets of agents whose examples stay in memory; a program rarely has more than one."""


class Router:
    """Embeds a question, scores every agent with a gate, and chooses a panel.

    It holds its settings and, once it was used, the encoder and the vectors of the agents' examples; a decision depends
    on nothing else. Threads may share it.

    Example:
        >>> Router(k=2, margin=0.1)
        Router('all-minilm-l6-v2-int8', k=2, threshold=0.35, margin=0.1)

    Args:
        encoder: the name of one (`all-minilm-l6-v2-int8`, `all-minilm-l6-v2`, `local:` and a language model, a
            sentence-transformers model or folder), or an `Encoder`.
        gate: a trained gate, or the folder of a saved one; or what makes a gate of the agents' examples, which
            is `PrototypeGate` by default. Thresholds that a trained gate fitted to a target hold for its agents, where
            `thresholds` does not name them.
        policy: how many answer (`top1`, `topk`, `adaptive`, `dense`, `soft`, `expert_choice`), or a whole `Policy`. By
            default `top1`, or `adaptive` if k is more than 1.
        settings: fields of the `Policy`, which says of each what it does: `k`, `k_max`, `threshold`, `thresholds`,
            `margin`, `fallback_threshold`, `always`, `temperature`, `background`, … Temperature and background belong
            to the encoder and the gate: the defaults fit MiniLM, and with `gate=ScaledGate.of` others are fitted.

    Raises:
        AgentError: a setting is out of its range.
    """

    def __init__(
        self,
        encoder: str | Encoder = LIGHT,
        *,
        gate: Callable[[Examples], Gate] | TrainedGate | ResponseGate | str | Path | None = None,
        policy: Mode | Policy | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if isinstance(policy, Policy):
            self.policy = policy.but(**settings)
        else:
            settings.setdefault("mode", policy)
            self.policy = Policy(**settings)
        self._encoder = encoder
        self._gate = gate
        self._embedder: Embedder | None = None
        self._prepared: list[_Prepared] = []
        self._loading = Lock()

    def __repr__(self) -> str:
        policy = self.policy
        return f"Router({self.encoder!r}, k={policy.k}, threshold={policy.threshold}, margin={policy.margin})"

    @property
    def encoder(self) -> str:
        """Name of the encoder, which need not be loaded yet."""
        if self._embedder:
            return self._embedder.encoder.name
        return self._encoder if isinstance(self._encoder, str) else self._encoder.name

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """See whether these agents can be told apart. Loads nothing.

        Raises:
            AgentError: there are no agents, two share a name, the fallback is none of them, or one of several has
                neither examples nor an `about` text. The fallback agent needs none. Or the policy names somebody
                who is not there.
        """
        names = [agent.name for agent in agents]
        if not agents:
            raise AgentError("There are no agents to route to. Add at least one.")
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise AgentError(f"Two agents are called {repeated!r}. Give each a name of its own.")
        if fallback not in names:
            raise AgentError(f"The fallback agent {fallback!r} is none of the agents: {', '.join(names)}.")
        for name in (*self.policy.thresholds, *self.policy.always):
            if name not in names:
                raise AgentError(f"The policy names {name!r}, which is none of the agents: {', '.join(names)}.")
        for agent in agents:
            if len(agents) > 1 and agent.name != fallback and not agent.examples and not agent.about.strip():
                raise AgentError(
                    f"The router cannot know which questions are for agent {agent.name!r}: give it examples=[…], "
                    "a few typical questions, or at least about='…', a sentence about its field."
                )

    def prepare(self, agents: Sequence[Agent], *, on_progress: Callable[[Progress], None] | None = None) -> None:
        """Load the encoder and embed the agents' examples now, and not with the first question.

        Args:
            agents: those that will be routed to. One agent alone needs no encoder, and none is loaded.
            on_progress: told of every step if the encoder must be downloaded.

        Raises:
            EncoderError: the encoder cannot be loaded, or returns nonsense.
            DownloadError: its weights could not be fetched.
            GateError: the trained gate cannot be loaded, or was trained with another encoder.
        """
        if len(agents) > 1:
            self._prepare(agents, on_progress)

    def route(
        self,
        conversation: Conversation,
        agents: Sequence[Agent],
        *,
        fallback: str,
        wishes: Wishes = NO_WISHES,
        load: Load | None = None,
        feedback: Feedback | None = None,
    ) -> Routing:
        """Decide who answers the last turn of a conversation. Blocks; the first call loads the encoder.

        What is embedded is the last question, with the earlier ones that it leans on (see `subject`). An agent that
        the question addresses, as in `@law`, is pinned.

        Args:
            conversation: what was said.
            agents: among whom to choose.
            fallback: name of the agent that answers if nobody clears the threshold.
            wishes: who must be on the panel and who must not.
            load: how busy the agents are; idle by default.
            feedback: what people said of earlier answers; none by default.

        Raises:
            AgentError: as `check`.
            UsageError: the wishes cannot be fulfilled with these agents.
            EncoderError: the encoder cannot be loaded, or returns nonsense.
            DownloadError: its weights could not be fetched.
        """
        text, turns_back = subject(conversation)
        asked = _Asked([text], [conversation.messages[-1].content], wishes, load, feedback, turns_back)
        [routing] = self._route(asked, agents, fallback)
        return routing

    def route_all(
        self,
        questions: Sequence[str],
        agents: Sequence[Agent],
        *,
        fallback: str,
        wishes: Wishes = NO_WISHES,
        load: Load | None = None,
    ) -> list[Routing]:
        """Decide for many single questions what `route` would. A blank one goes to the fallback agent.

        With the policy `expert_choice` the questions are one batch, in which each agent takes its best.

        Raises:
            AgentError, UsageError, EncoderError, DownloadError: as `route`.
        """
        return self._route(_Asked(questions, questions, wishes, load), agents, fallback)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Return unit vectors of texts, shape (texts, dimension); None as long as no encoder is loaded.

        Loads nothing: among one agent there is nothing to decide, and so no encoder.

        Raises:
            EncoderError: the encoder failed, or returned nonsense.
        """
        return self._embedder.questions(texts) if self._embedder else None

    def _route(self, asked: _Asked, agents: Sequence[Agent], fallback: str) -> list[Routing]:
        self.check(agents, fallback=fallback)
        names = [agent.name for agent in agents]
        asked.wishes.check(names)
        if len(agents) == 1:
            return [only(names[0], self.policy, encoder=self.encoder)] * len(asked.texts)
        if not asked.texts:
            return []
        from moa.routing.scored import unscored

        ready = self._prepare(agents)
        started = perf_counter()
        scored = ready.scoring.of(asked.texts)
        evidence = list(self._evidence(asked, ready.scoring, scored))
        wishes = [asked.wishes.hearing(said, names) for said in asked.said]
        policy = self._policy_with(ready.scoring.gate)
        assigned = _assigned(evidence, policy, fallback) if len(evidence) > 1 else [None] * len(evidence)
        routings = [
            decide(
                each,
                policy,
                fallback=fallback,
                encoder=self.encoder,
                turns_back=asked.turns_back,
                wishes=wanted,
                assigned=places,
            )
            for each, wanted, places in zip(evidence, wishes, assigned, strict=True)
        ]
        for row, failure in scored.failures.items():
            routings[row] = unscored(routings[row], failure)
        seconds = (perf_counter() - started) / len(asked.texts)
        return [replace(routing, seconds=seconds) for routing in routings]

    def _evidence(self, asked: _Asked, scoring: Scoring, scored: Scored) -> Iterator[list[Evidence]]:
        from moa.routing.scored import is_blank

        shares = self._probabilities(scored.scores, scoring)
        shares[[is_blank(text) or row in scored.failures for row, text in enumerate(asked.texts)]] = 0
        names = scoring.examples.agents
        for row, vector in enumerate(scored.vectors):
            biases = asked.feedback.biases(vector, names, scoring.embedder) if asked.feedback else {}
            nearest = scored.comparison.nearest_of_all(row)
            evidence = [
                Evidence(
                    name,
                    score,
                    share,
                    nearest[place],
                    {part: values[row][place] for part, values in scored.parts.items()},
                    biases.get(name, 0.0),
                    price=scored.prices[row][place] if scored.prices else 0.0,
                )
                for place, (name, score, share) in enumerate(
                    zip(names, scored.scores[row].tolist(), shares[row].tolist(), strict=True)
                )
            ]
            yield [asked.load.upon(each) for each in evidence] if asked.load else evidence

    def _probabilities(self, scores: NDArray[np.float32], scoring: Scoring) -> NDArray[np.float64]:
        if (calibrated := scoring.probabilities(scores)) is not None:
            return calibrated.copy()
        return probabilities(scores, temperature=self.policy.temperature, background=self.policy.background)

    def _prepare(self, agents: Sequence[Agent], on_progress: Callable[[Progress], None] | None = None) -> _Prepared:
        with self._loading:
            ready = next((each for each in self._prepared if each.serves(agents)), None)
            if ready is None:
                ready = self._made_ready(agents, on_progress)
            else:
                self._prepared.remove(ready)
            self._prepared = [ready, *self._prepared[: _SETS_OF_AGENTS - 1]]
            return ready

    def _made_ready(self, agents: Sequence[Agent], on_progress: Callable[[Progress], None] | None) -> _Prepared:
        from moa.routing.embedding import Embedder
        from moa.routing.examples import Examples
        from moa.routing.scored import Scoring
        from moa.routing.vectors import VectorCache

        if self._embedder is None:
            encoder = self._encoder
            encoder = encoder_for(encoder, on_progress) if isinstance(encoder, str) else encoder
            self._embedder = Embedder(encoder, VectorCache(cache_folder() / "vectors"))
        examples = Examples.of(agents, self._embedder.examples)
        gate = self._gate_of(examples, self._embedder)
        return _Prepared(tuple(agents), Scoring(gate, self._embedder, examples))

    def _policy_with(self, gate: Gate) -> Policy:
        """Return the policy with the thresholds that a trained gate brings, for agents to whom the user gave none."""
        from moa.routing.learned.agents import GateOfAgents
        from moa.routing.learned.responses import ResponseGate

        fitted = gate.thresholds if isinstance(gate, GateOfAgents | ResponseGate) else {}
        return self.policy.but(thresholds={**fitted, **self.policy.thresholds}) if fitted else self.policy

    def _gate_of(self, examples: Examples, embedder: Embedder) -> Gate:
        from moa.routing.gates.prototype import PrototypeGate
        from moa.routing.learned.agents import GateOfAgents
        from moa.routing.learned.gate import TrainedGate
        from moa.routing.learned.responses import ResponseGate
        from moa.routing.saved import load_gate

        if isinstance(self._gate, str | Path):
            self._gate = load_gate(self._gate)
        if isinstance(self._gate, TrainedGate):
            self._gate.origin.check(embedder)
            return GateOfAgents(self._gate, examples)
        if isinstance(self._gate, ResponseGate):
            self._gate.check(embedder)
            return self._gate.among(examples)
        return (self._gate or PrototypeGate)(examples)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Questions, and all beside the agents that decides about them."""

    texts: Sequence[str]
    """What is embedded."""
    said: Sequence[str]
    """What the user wrote, in which agents may be addressed."""
    wishes: Wishes
    load: Load | None = None
    feedback: Feedback | None = None
    turns_back: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """What a set of agents needs to be routed to."""

    agents: tuple[Agent, ...]
    scoring: Scoring

    def serves(self, agents: Sequence[Agent]) -> bool:
        """Whether these agents are known by the same names, examples and `about` texts."""
        pairs = zip(self.agents, agents, strict=False)
        return len(agents) == len(self.agents) and all(
            mine is other or (mine.name, mine.examples, mine.about) == (other.name, other.examples, other.about)
            for mine, other in pairs
        )


def _assigned(evidence: Sequence[Sequence[Evidence]], policy: Policy, fallback: str) -> Sequence[Sequence[int] | None]:
    """Return whom a batch gives each question to; None of each where the policy looks at each alone."""
    if policy.mode != "expert_choice":
        return [None] * len(evidence)
    from moa.routing.expert_choice import assign

    return assign(evidence, policy, fallback=fallback)

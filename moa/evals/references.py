"""Systems by the words of the command line: `agent:math`, `mixture`, `model:local:…`, `aggregator:vote`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from moa.agent import Agent
from moa.aggregation import Aggregator, Auto, SelfMix, load_policy
from moa.aggregation.policy_file import policy_from
from moa.errors import LoadError, UsageError
from moa.evals.dense import Dense
from moa.evals.shared import Sharing
from moa.evals.system import System, agent_system, mixture_system
from moa.loader import load_mixture
from moa.mixture import Mixture

FORMS = (
    "mixture (that of --mixture), agents (each alone), agent:NAME, dense (all agents, with the mixture's aggregator), "
    "self-mix or self-mix:N, aggregator:NAME (such as aggregator:vote, on the mixture's drafts), dense:NAME, "
    "policy:FILE.json, model:REFERENCE (such as model:local:qwen2.5-coder-1.5b-instruct), replay:FILE.jsonl#NAME, "
    "FILE.py, FILE.py:NAME, and NAME=… before any of them"
)
DEFAULT = ("mixture", "agents", "dense", "self-mix")
"""What is run if nobody names a system. The other baselines (best single, random, one agent a field, the two oracles)
need no run of their own: they are made of these answers."""
_SELF_MIX_MOST = 5
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""What tells two equal objects of two processes apart, and says nothing."""


@dataclass(frozen=True)
class Named:
    """A system, and what the folder of a run notes of it."""

    system: System
    reference: str
    """As it was typed."""
    kind: str
    """`agent`, `mixture`, `dense`, `self-mix` or `aggregator`."""
    agents: tuple[Agent, ...] = ()
    """Who may draft in it."""
    aggregator: str = ""
    """What makes one answer of drafts, with its settings."""
    router: str = ""

    def about(self) -> dict[str, Any]:
        """Return what the folder of a run notes: enough to see later whether it has changed."""
        models = {agent.name: agent.backend.reference for agent in self.agents}
        facts = [
            (agent.name, agent.backend.reference, agent.instructions, agent.temperature, agent.max_tokens, agent.seed)
            for agent in self.agents
        ]
        settings = _ADDRESS.sub("", json.dumps([self.kind, facts, self.aggregator, self.router], default=repr))
        return {
            "name": self.system.name,
            "reference": self.reference,
            "kind": self.kind,
            "agents": models,
            "aggregator": self.aggregator.partition("(")[0],
            "signature": sha256(settings.encode()).hexdigest()[:16],
        }


class References:
    """Makes systems of what a user types.

    Args:
        spec: the mixture that `mixture`, `agent:` and the others speak of, as `load_mixture` takes it.
        sharing: what all systems of the run share.
    """

    def __init__(self, spec: str | None, sharing: Sharing) -> None:
        self._spec, self._sharing = spec, sharing
        self._mixture: Mixture | None = None

    @property
    def mixture(self) -> Mixture:
        """The mixture, loaded when it is first needed."""
        if self._mixture is None:
            self._mixture = load_mixture(self._spec)
        return self._mixture

    def systems(self, references: Sequence[str]) -> list[Named]:
        """Return the systems that references name; with none, the mixture and its baselines.

        Raises:
            UsageError: a reference names nothing, or two systems have the same name.
            LoadError: a file cannot be loaded.
        """
        found: dict[str, Named] = {}
        for reference in references or DEFAULT:
            for named in self._named(reference):
                name = named.system.name
                if name in found and found[name].about()["signature"] != named.about()["signature"]:
                    raise UsageError(
                        f"Two systems are called {name!r}. Give one of them another name: --system other={reference}"
                    )
                found.setdefault(name, named)
        return list(found.values())

    def _named(self, reference: str) -> list[Named]:
        name, equals, rest = reference.partition("=")
        if equals and name.strip() and not any(mark in name for mark in ":/#{"):
            made = self._made(rest.strip(), name.strip())
            if len(made) > 1:
                raise UsageError(f"{rest!r} is several systems, so one name does not do. Leave {name}= out.")
            return made
        return self._made(reference, "")

    def _made(self, reference: str, name: str) -> list[Named]:
        kind, _, rest = reference.partition(":")
        if reference == "agents":
            return [self._of_agent(f"agent:{agent.name}", agent, agent.name) for agent in self.mixture.agents]
        if reference == "mixture":
            return [self._of_mixture(reference, self.mixture, name or self._free(self.mixture.name))]
        makers: Mapping[str, Callable[[str, str, str], Named]] = {
            "agent": self._one_agent,
            "model": self._model,
            "replay": self._replay,
            "dense": self._dense,
            "self-mix": self._self_mix,
            "aggregator": self._with_aggregator,
            "policy": self._with_policy,
        }
        if kind in makers:
            return [makers[kind](reference, rest, name)]
        if kind.endswith(".py") or Path(reference).exists():
            return [self._of_file(reference, name)]
        raise UsageError(f"{reference!r} names no system. There are: {FORMS}.")

    def _one_agent(self, reference: str, rest: str, name: str) -> Named:
        agent = self._agent(rest)
        return self._of_agent(reference, agent, name or agent.name)

    def _model(self, reference: str, rest: str, name: str) -> Named:
        return self._of_agent(reference, Agent("model", model=rest), name or rest)

    def _replay(self, reference: str, rest: str, name: str) -> Named:
        return self._of_agent(reference, Agent("replay", model=reference), name or rest.rpartition("#")[2])

    def _with_aggregator(self, reference: str, rest: str, name: str) -> Named:
        return self._with(reference, name or rest, aggregator_of(rest))

    def _with_policy(self, reference: str, rest: str, name: str) -> Named:
        return self._with(reference, name or Path(rest).stem, Auto(load_policy(rest)))

    def _free(self, name: str) -> str:
        """Return the name of a mixture, told from that of an agent."""
        return f"{name} mixture" if name in {agent.name for agent in self.mixture.agents} else name

    def _agent(self, name: str) -> Agent:
        for agent in self.mixture.agents:
            if agent.name == name:
                return agent
        names = ", ".join(agent.name for agent in self.mixture.agents)
        raise UsageError(f"The mixture {self.mixture.name!r} has no agent {name!r}. It has {names}.")

    def _of_agent(self, reference: str, agent: Agent, name: str) -> Named:
        return Named(agent_system(agent, self._sharing, name), reference, "agent", (agent,))

    def _of_mixture(self, reference: str, mixture: Mixture, name: str, kind: str = "mixture") -> Named:
        system = mixture_system(mixture, self._sharing, name)
        return Named(system, reference, kind, mixture.agents, repr(mixture.aggregator), repr(mixture.router))

    def _of_file(self, reference: str, name: str) -> Named:
        mixture = load_mixture(reference)
        if len(mixture.agents) == 1:
            [agent] = mixture.agents
            return self._of_agent(reference, agent, name or agent.name)
        default = reference.rpartition(":")[2] if ".py:" in reference else mixture.name
        return self._of_mixture(reference, mixture, name or default)

    def _with(self, reference: str, name: str, aggregator: Aggregator) -> Named:
        system = mixture_system(self.mixture, self._sharing, name, aggregator=aggregator)
        return Named(system, reference, "aggregator", self.mixture.agents, repr(aggregator), repr(self.mixture.router))

    def _dense(self, reference: str, rest: str, name: str) -> Named:
        aggregator = aggregator_of(rest) if rest else self.mixture.aggregator
        system = mixture_system(
            self.mixture,
            self._sharing,
            name or (f"dense {rest}" if rest else "dense"),
            aggregator=aggregator,
            router=Dense(self.mixture.router),
        )
        return Named(system, reference, "dense", self.mixture.agents, repr(aggregator), repr(self.mixture.router))

    def _self_mix(self, reference: str, rest: str, name: str) -> Named:
        if rest and not (rest.isdigit() and int(rest) > 1):
            raise UsageError(f"{reference!r}: after self-mix: stands how many samples, 2 or more, as in self-mix:5.")
        number = int(rest) if rest else self._calls()
        mix = SelfMix(n=number, wave=number, sure=1.0)
        system = mixture_system(self.mixture, self._sharing, name or "self-mix", aggregator=mix)
        return Named(system, reference, "self-mix", self.mixture.agents, repr(mix), repr(self.mixture.router))

    def _calls(self) -> int:
        """Return how many calls the mixture makes for a question at the most: its panel, and the aggregator."""
        panel = min(self.mixture.router.policy.limit or len(self.mixture.agents), len(self.mixture.agents))
        return max(2, min(panel + 1, _SELF_MIX_MOST))


def aggregator_of(text: str) -> Aggregator:
    """Return an aggregator by its name, or by its name and settings as a policy file writes them.

    Example:
        >>> aggregator_of('{"aggregator": "select", "settings": {"by": "agreement"}}').name
        'select'

    Raises:
        UsageError: there is none of that name, or a setting does not fit.
    """
    try:
        spec: Mapping[str, Any] = json.loads(text) if text.lstrip().startswith("{") else {"aggregator": text}
        made = policy_from({"format": 1, "kinds": {"*": spec}}, where=text).of("*")
    except (ValueError, LoadError) as error:
        raise UsageError(f"aggregator:{text}: {error}") from error
    if made is None:
        raise UsageError(f"aggregator:{text} names no aggregator.")
    return made

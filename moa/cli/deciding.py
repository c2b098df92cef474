"""Who decides, for `moa route`: a mixture's router, the same with a trained gate, or a trained gate alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.local.files import Progress
    from moa.messages import Conversation
    from moa.mixture import Mixture
    from moa.routing import Router
    from moa.routing.by_label import LabelRouter
    from moa.routing.by_response import ResponseRouter


class Deciding(Protocol):
    """Decides who would answer."""

    def one(self, conversation: Conversation) -> Routing:
        """Decide for the last turn of a conversation."""
        ...

    def all(self, questions: Sequence[str]) -> list[Routing]:
        """Decide for single questions."""
        ...


def deciding(spec: str | None, gate: Path | None) -> Deciding:
    """Load what decides, and its encoder.

    Args:
        spec: a mixture; None means the one that belongs here, or with a gate the gate's own labels.
        gate: the folder of a trained gate.

    Raises:
        MoaError: the mixture, the gate or the encoder cannot be loaded.
    """
    from moa.loader import load_mixture

    if gate is None:
        mixture = load_mixture(spec)
        return _ByMixture(mixture, mixture.router)
    from moa.routing import Router
    from moa.routing.by_label import LabelRouter
    from moa.routing.by_response import ResponseRouter
    from moa.routing.embedding import Embedder
    from moa.routing.encoders import LIGHT, encoder_for
    from moa.routing.learned.responses import ResponseGate
    from moa.routing.saved import load_gate

    trained = load_gate(gate)
    encoder = trained.origin.name if trained.origin else LIGHT  # every saved gate knows its encoder
    if spec is None:
        embedder = Embedder(encoder_for(encoder, Downloading()))
        if isinstance(trained, ResponseGate):
            return _ByGate(ResponseRouter(trained, embedder))
        return _ByGate(LabelRouter(trained, embedder))
    mixture = load_mixture(spec)
    return _ByMixture(mixture, Router(encoder, gate=trained, policy=mixture.router.policy))


@dataclass(frozen=True, slots=True)
class _ByGate:
    router: LabelRouter | ResponseRouter

    def one(self, conversation: Conversation) -> Routing:
        from moa.routing.subject import subject

        text, _ = subject(conversation)
        return self.router.route_all([text])[0]

    def all(self, questions: Sequence[str]) -> list[Routing]:
        return self.router.route_all(questions)


@dataclass(frozen=True, slots=True)
class _ByMixture:
    mixture: Mixture
    router: Router

    def one(self, conversation: Conversation) -> Routing:
        from moa.choosing import sized
        from moa.routing.feedback import Feedback
        from moa.store import Store

        mixture = self.mixture
        self.router.prepare(mixture.agents, on_progress=Downloading())
        feedback = mixture.feedback or Feedback(Store(), mixture.name)
        routing = self.router.route(conversation, mixture.agents, fallback=mixture.fallback, feedback=feedback)
        return sized(routing, mixture.aggregator)

    def all(self, questions: Sequence[str]) -> list[Routing]:
        from moa.choosing import sized

        mixture = self.mixture
        self.router.prepare(mixture.agents, on_progress=Downloading())
        routings = self.router.route_all(questions, mixture.agents, fallback=mixture.fallback)
        return [sized(routing, mixture.aggregator) for routing in routings]


class Downloading:
    """Tells standard error how far the encoder's download is, a line every tenth of the way."""

    def __init__(self) -> None:
        self._last_said = ""

    def __call__(self, progress: Progress) -> None:
        """Say where the download is."""
        done = "" if progress.fraction is None else f" {int(progress.fraction * 10) * 10} %"
        said = f"downloading the encoder from {progress.source}{done}"
        if said != self._last_said:
            self._last_said = said
            _progress(said)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

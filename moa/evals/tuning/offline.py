"""What each way of answering would have made of each sample, from the replies that a run has kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from moa.agent import Agent
from moa.aggregation import Auto
from moa.answers import Answer, Routing
from moa.errors import MoaError, UsageError
from moa.evals.folder import Stored, StoredSample
from moa.evals.metering import METER, Meter, critical_seconds
from moa.evals.outcomes import Floats
from moa.evals.shared import Sharing
from moa.evals.system import mixture_system
from moa.evals.tuning.candidates import Candidate
from moa.events import RunFinished
from moa.messages import Conversation
from moa.mixture import Mixture
from moa.routing import Router


@dataclass(frozen=True)
class Matrix:
    """Ways of answering by samples. Arrays have shape (candidates, samples)."""

    candidates: Sequence[Candidate]
    samples: Sequence[StoredSample]
    fields: Sequence[str]
    """The field of each sample as the router takes it: what the policy will go by."""
    scores: Floats
    cost: Floats
    """USD an answer; NaN if a price is not known."""
    seconds: Floats
    """The critical path."""
    model_seconds: Floats
    left_out: Mapping[str, str]
    """Ways of answering that could not be tried → why."""


class _Remembering(Router):
    """Routes each question once."""

    def __init__(self, inner: Router) -> None:
        self.inner, self.policy = inner, inner.policy
        self._known: dict[Conversation, Routing] = {}

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """See that the inner router can tell the agents apart."""
        self.inner.check(agents, fallback=fallback)

    def prepare(self, agents: Sequence[Agent], **given: Any) -> None:
        """Load the inner router's encoder."""
        self.inner.prepare(agents, **given)

    def embed(self, texts: Sequence[str]) -> None:
        """Tell nothing: what supports a sentence is not asked here."""
        del texts

    def route(self, conversation: Conversation, agents: Sequence[Agent], **given: Any) -> Routing:
        """Return the inner router's decision, made once."""
        if conversation not in self._known:
            self._known[conversation] = self.inner.route(conversation, agents, **given)
        return self._known[conversation]


async def matrix_of(
    stored: Stored,
    mixture: Mixture,
    candidates: Sequence[Candidate],
    sharing: Sharing,
    watch: Callable[[int, int], None] = lambda _, __: None,
) -> Matrix:
    """Have each candidate answer every sample from kept replies; whatever would need another reply is left out.

    Args:
        stored: the run; its first epoch counts, and the scores that it recorded for each text.
        mixture: whose router and agents are meant.
        candidates: ways of answering.
        sharing: with the run's replies, offline.
        watch: told how many candidates are done, of how many.

    Raises:
        UsageError: no candidate could be tried.
    """
    known = _scores(stored)
    samples = [each for each in stored.samples if (each.suite, each.id) in known]
    conversations = [Conversation.of(each.input) for each in samples]
    router = _Remembering(mixture.router)
    router.prepare(mixture.agents)
    routings = [router.route(each, mixture.agents, fallback=mixture.fallback) for each in conversations]
    rows: list[tuple[Candidate, list[tuple[float, float, float, float]]]] = []
    left_out: dict[str, str] = {}
    for number, candidate in enumerate(candidates):
        system = mixture_system(mixture, sharing, aggregator=Auto(candidate.policy()), router=router)
        found = []
        for sample, conversation in zip(samples, conversations, strict=True):
            told = await _tried(system.mixture, conversation, known[sample.suite, sample.id])
            if isinstance(told, str):
                left_out[candidate.name] = told
                break
            found.append(told)
        else:
            rows.append((candidate, found))
        watch(number + 1, len(candidates))
        await asyncio.sleep(0)
    if not rows or not samples:
        why = next(iter(left_out.values()), "no answer was scored")
        raise UsageError(
            f"Nothing can be tuned from {stored.path}: {why} "
            "Record the agents alone first: moa eval run … --system agents"
        )
    table = np.array([found for _, found in rows], float)
    return Matrix(
        [candidate for candidate, _ in rows],
        samples,
        [routing.field for routing in routings],
        table[:, :, 0],
        table[:, :, 1],
        table[:, :, 2],
        table[:, :, 3],
        left_out,
    )


async def _tried(
    mixture: Mixture, conversation: Conversation, scores: Mapping[str, float]
) -> tuple[float, float, float, float] | str:
    """Return score, cost, seconds and model seconds of an answer; why there are none, if there are none."""
    meter, began = Meter(), perf_counter()
    METER.set(meter)
    answer: Answer | None = None
    try:
        async for event in mixture.stream(conversation):
            if isinstance(event, RunFinished):
                answer = event.answer
    except MoaError as error:
        if any(call.failed for call in meter.calls):
            return str(error).splitlines()[-1].strip(" -")
        return 0.0, 0.0, 0.0, 0.0
    missing = (
        next((each.why for each in answer.degraded if "nobody may be asked" in each.why), None) if answer else None
    )
    if answer is None or missing or any(call.failed for call in meter.calls):
        return missing or "a reply that it needs was not recorded."
    if answer.text not in scores:
        return "it made a text that was not scored in the run."
    cost = float("nan") if meter.cost_usd is None else meter.cost_usd
    seconds = critical_seconds(meter.calls, began, began)
    return scores[answer.text], cost, seconds, meter.model_seconds


def _scores(stored: Stored) -> dict[tuple[str, str], dict[str, float]]:
    """Return sample → text → score, of answers and drafts of the first epoch."""
    known: dict[tuple[str, str], dict[str, float]] = {}
    for record in stored.records:
        if record.epoch == 0:
            texts = known.setdefault((record.suite, record.sample), {})
            if record.value is not None:
                texts[record.output] = record.value
            for draft in record.drafts:
                value = record.draft_scores.get(str(draft["id"]))
                if value is not None:
                    texts.setdefault(str(draft["text"]), value)
    return {key: texts for key, texts in known.items() if texts}

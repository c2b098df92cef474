"""Runs to store: complete ones, as a mixture of three agents would tell them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from moa.answers import Aggregation, Answer, Degradation, Draft, Neighbour, Routing, ScoredAgent
from moa.events import (
    AggregationStarted,
    AnswerDelta,
    Degraded,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Routed,
    RunFinished,
    RunStarted,
)
from moa.messages import Message, Usage

ROUTING = Routing(
    panel=("math", "code"),
    agents=(
        ScoredAgent("math", 0.71, 0.62, 0.6, chosen=True, reason="near", nearest=(Neighbour("What is 2 + 2?", 0.83),)),
        ScoredAgent("code", 0.6, 0.4, 0.4, chosen=True),
        ScoredAgent("law", 0.1, 0.02),
    ),
    fallback=False,
    threshold=0.35,
    encoder="some-encoder",
    seconds=0.007,
)


def draft(agent: str, text: str, seconds: float = 0.6) -> Draft:
    return Draft(f"{agent}.1", agent, f"local:{agent}", "ok", text, Usage(9, 4), 0.0, seconds, 0.2)


def a_run(
    run: str = "20260102-030405-aaaa0001", question: str = "What is 17 * 23?", started: float = 1e9
) -> list[Event]:
    """A run of two drafts, one of which fails, from its start to its end."""
    ok, failed = draft("math", "391, I think."), Draft("code.1", "code", "local:code", "failed", "3", error="It broke.")
    degradation = Degradation("draft", "code", "It broke.")
    aggregation = Aggregation("synthesize", "solo", "one of 2 drafts succeeded")
    answer = Answer(
        "391, I think.", ROUTING, (ok, failed), aggregation, Usage(18, 8), 0.0125, 1.25, (degradation,), run
    )
    return [
        RunStarted(0.0, run, started, "starter", (Message("user", question),), {"math": "local:math"}),
        Routed(0.01, ROUTING),
        DraftStarted(0.02, "math.1", "math", "local:math"),
        DraftStarted(0.02, "code.1", "code", "local:code"),
        DraftNotice(0.03, "math.1", "loading", "Loading the model.", 0.5),
        DraftDelta(0.20, "math.1", "Seventeen … ", reasoning=True),
        DraftDelta(0.22, "code.1", "3"),
        DraftDelta(0.25, "math.1", "391, "),
        DraftDelta(0.30, "math.1", "I think."),
        DraftFinished(0.62, ok),
        DraftFinished(0.65, failed),
        Degraded(0.66, degradation),
        AggregationStarted(0.7, aggregation),
        AnswerDelta(0.7, "391, I think."),
        RunFinished(1.25, answer),
    ]


async def stream(events: Iterable[Event | BaseException]) -> AsyncGenerator[Event, None]:
    """Yield events as a mixture does; raise an error where there is one."""
    for event in events:
        await asyncio.sleep(0)
        if isinstance(event, BaseException):
            raise event
        yield event

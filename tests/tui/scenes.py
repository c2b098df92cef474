"""Runs with fixed events: what the screens are tested and photographed with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from moa.answers import Aggregation, Answer, Degradation, Draft, Neighbour, Review, Routing, ScoredAgent
from moa.events import (
    AggregationNotice,
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Reviewed,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
)
from moa.messages import Message, Usage
from moa.tui.source import AgentCard, Source

SMALL, LARGE = "local:qwen2.5-coder-0.5b-instruct", "local:qwen2.5-coder-1.5b-instruct"
AGENTS = (
    AgentCard("general", SMALL, "Everyday questions, and whatever no specialist claims.", ("Who discovered Neptune?",)),
    AgentCard("math", LARGE, "Arithmetic, algebra, proofs and word problems.", ("How many primes are below 100?",)),
    AgentCard("code", LARGE, "Writing, explaining and mending programs.", ("Why does this loop never end?",)),
    AgentCard("law", SMALL, "Contracts, tenancy, employment and consumer rights.", ("May I quit without notice?",)),
    AgentCard("medicine", SMALL, "Symptoms, treatments and how the body works.", ("Why do I get hiccups?",)),
)
MODELS = {agent.name: agent.model for agent in AGENTS}
PRICES = {"general": "free", "math": "$0.25/$2", "code": "$3/$15"}
STARTERS = tuple((agent.examples[0], agent.name) for agent in AGENTS[1:4])
QUESTION = "Which numbers below 30 are prime? Show me how to list them in Python."
REPLY = """\
There are **ten** of them: 2, 3, 5, 7, 11, 13, 17, 19, 23 and 29.

A number is prime if nothing from 2 up to its square root divides it:

```python
def is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))

print([n for n in range(30) if is_prime(n)])
```

- `range(2, …)` stops at the root, because a larger divisor has a smaller partner;
- `n > 1` keeps 0 and 1 out.
"""
MATH_DRAFT = "The primes below 30 are 2, 3, 5, 7, 11, 13, 17, 19, 23 and 29, which makes ten of them."
CODE_DRAFT = REPLY.partition("\n\n")[2]


POLICY = {"mode": "adaptive", "k": 2, "k_max": 3, "threshold": 0.3, "margin": 0.2}


def routing(
    panel: Sequence[str] = ("code", "math"), *, threshold: float = 0.3, fallback: bool = False, **probability: float
) -> Routing:
    """A routing over the five agents; weights follow from the probabilities of the panel."""
    odds = {"general": 0.06, "math": 0.38, "code": 0.52, "law": 0.01, "medicine": 0.03, **probability}
    total = sum(odds[name] for name in panel)
    agents = tuple(
        ScoredAgent(
            agent.name,
            odds[agent.name] * 2 - 1,
            odds[agent.name],
            round(odds[agent.name] / total, 2) if agent.name in panel else 0.0,
            agent.name in panel,
            "",
            (Neighbour(agent.examples[0], round(0.41 + odds[agent.name] / 2, 2)),),
        )
        for agent in AGENTS
    )
    return Routing(
        tuple(panel),
        agents,
        fallback,
        threshold,
        "all-minilm-l6-v2-int8",
        0.007,
        policy=POLICY | {"threshold": threshold},
    )


def started(question: str = QUESTION) -> RunStarted:
    return RunStarted(0.0, "20260102-030405-00c0ffee", 1767323045.0, "starter", (Message("user", question),), MODELS)


def draft(agent: str, text: str, *, status: str = "ok", seconds: float = 4.2, error: str | None = None) -> Draft:
    return Draft(
        id=f"{agent}.1",
        agent=agent,
        model=MODELS[agent],
        status=status,  # type: ignore[arg-type]
        text=text,
        tokens=Usage(64, len(text) // 4) if status == "ok" else Usage(None, None),
        cost_usd=0.0 if status == "ok" else None,
        seconds=seconds,
        first_token_seconds=0.6 if text else None,
        finish_reason="stop" if status == "ok" else None,
        error=error,
    )


def words(text: str) -> list[str]:
    """The text in pieces, as a model would send it."""
    return [text[start : start + 7] for start in range(0, len(text), 7)]


def answer(text: str, route: Routing, drafts: Sequence[Draft], how: Aggregation, *degraded: Degradation) -> Answer:
    return Answer(
        text, route, tuple(drafts), how, Usage(412, 268), 0.0, 9.4, tuple(degraded), "20260102-030405-00c0ffee"
    )


ROUTE = routing()
SYNTHESIZED = Aggregation("synthesize", "synthesize", "2 drafts")
SOLO = Aggregation("synthesize", "solo", "one draft")
BOTH_ASKED: list[Event] = [
    started(),
    Routed(0.01, ROUTE),
    DraftStarted(0.011, "code.1", "code", LARGE),
    DraftStarted(0.012, "math.1", "math", LARGE),
]
BOTH_DRAFTED: list[Event] = [
    *BOTH_ASKED,
    DraftDelta(0.6, "math.1", MATH_DRAFT),
    DraftDelta(0.6, "code.1", CODE_DRAFT),
    DraftFinished(3.1, draft("math", MATH_DRAFT, seconds=3.1)),
    DraftFinished(4.2, draft("code", CODE_DRAFT)),
]
TIMEOUT = "No complete answer within 30 s, so the call was stopped."
REFUSED = "http://127.0.0.1:8080/v1 refused the connection. Is the server running?"


def routing_scene() -> list[Event]:
    return [started()]


def loading_scene() -> list[Event]:
    return [
        started(),
        Routed(0.01, routing(("code",))),
        AggregationStarted(0.01, SOLO),
        DraftStarted(0.011, "code.1", "code", LARGE),
        DraftNotice(1.8, "code.1", "downloading", "Downloading qwen2.5-coder-1.5b-instruct, 512 of 1117 MB", 0.46),
    ]


def racing_scene() -> list[Event]:
    return [
        *BOTH_ASKED,
        *(DraftDelta(0.6 + 0.1 * n, "math.1", piece) for n, piece in enumerate(words(MATH_DRAFT[:60]))),
        *(DraftDelta(0.9 + 0.1 * n, "code.1", piece) for n, piece in enumerate(words(CODE_DRAFT[:120]))),
    ]


def one_failed_scene() -> list[Event]:
    return [
        *racing_scene(),
        DraftFinished(2.7, draft("math", MATH_DRAFT[:60], status="failed", seconds=2.7, error=REFUSED)),
        Degraded(2.7, Degradation("draft", "math", REFUSED)),
    ]


def aggregating_scene() -> list[Event]:
    return [
        *BOTH_DRAFTED,
        AggregationStarted(4.2, SYNTHESIZED),
        *(AnswerDelta(4.9 + 0.05 * n, piece) for n, piece in enumerate(words(REPLY[:300]))),
    ]


def done_scene() -> list[Event]:
    pieces = words(REPLY)
    drafts = [draft("code", CODE_DRAFT), draft("math", MATH_DRAFT, seconds=3.1)]
    return [
        *BOTH_DRAFTED,
        AggregationStarted(4.2, SYNTHESIZED),
        *(AnswerDelta(4.9 + 0.05 * n, piece) for n, piece in enumerate(pieces)),
        RunFinished(9.4, answer(REPLY, ROUTE, drafts, SYNTHESIZED)),
    ]


def degraded_scene() -> list[Event]:
    drafts = [
        draft("code", CODE_DRAFT),
        draft("math", MATH_DRAFT[:60], status="failed", seconds=2.7, error=REFUSED),
    ]
    lost = Degradation("draft", "math", REFUSED)
    how = Aggregation("synthesize", "solo", "one of 2 drafts succeeded")
    return [
        *one_failed_scene(),
        DraftFinished(4.2, drafts[0]),
        AggregationStarted(4.2, how),
        AnswerDelta(4.2, CODE_DRAFT),
        RunFinished(4.3, replace(answer(CODE_DRAFT, ROUTE, drafts, how, lost), cost_usd=None)),
    ]


def fallback_scene() -> list[Event]:
    question = "Tell me something nice."
    text = "Somewhere right now a dog is meeting its person at the door, and it is the best moment of both their days."
    odds = {"general": 0.28, "math": 0.14, "code": 0.12, "law": 0.2, "medicine": 0.26}
    route = routing(("general",), fallback=True, **odds)
    only = draft("general", text, seconds=2.4)
    return [
        started(question),
        Routed(0.01, route),
        AggregationStarted(0.01, SOLO),
        DraftStarted(0.011, "general.1", "general", SMALL),
        *(AnswerDelta(0.6 + 0.1 * n, piece, "general.1") for n, piece in enumerate(words(text))),
        DraftFinished(2.4, only),
        RunFinished(2.4, replace(answer(text, route, [only], SOLO), tokens=Usage(31, 26), seconds=2.4)),
    ]


def continued_scene() -> list[Event]:
    """The second turn of a conversation."""
    messages = (
        Message("user", "Who discovered Neptune?"),
        Message("assistant", "Johann Galle did."),
        Message("user", "When?"),
    )
    route = routing(("general",), general=0.9)
    text = "Around 1846."
    return [
        replace(started(), messages=messages),
        Routed(0.01, route),
        AggregationStarted(0.01, SOLO),
        DraftStarted(0.011, "general.1", "general", SMALL),
        AnswerDelta(0.6, text, "general.1"),
        DraftFinished(0.9, draft("general", text, seconds=0.9)),
        RunFinished(0.9, answer(text, route, [draft("general", text, seconds=0.9)], SOLO)),
    ]


def withdrawn_scene() -> list[Event]:
    """The aggregator breaks off in the middle, and the best draft takes its place."""
    why = "The draft of code is returned instead: the line broke."
    how = Aggregation("synthesize", "solo", why)
    drafts = [draft("code", CODE_DRAFT), draft("math", MATH_DRAFT, seconds=3.1)]
    lost = Degradation("aggregator", "synthesize", why)
    return [
        *aggregating_scene(),
        AggregationNotice(7.0, "retrying", "The line broke; trying again in 1 s."),
        Degraded(8.0, lost),
        AnswerReplaced(8.0, CODE_DRAFT, why),
        RunFinished(8.1, answer(CODE_DRAFT, ROUTE, drafts, how, lost)),
    ]


def failed_scene() -> list[Event]:
    error = f"math could not answer: {TIMEOUT}"
    return [
        started("What is 17 * 23?"),
        Routed(0.01, routing(("math",), math=0.91, code=0.05)),
        AggregationStarted(0.01, SOLO),
        DraftStarted(0.011, "math.1", "math", LARGE),
        DraftFinished(30.0, draft("math", "", status="failed", seconds=30.0, error=TIMEOUT)),
        Degraded(30.0, Degradation("draft", "math", TIMEOUT)),
        RunFailed(30.0, error),
    ]


def blocked_scene() -> list[Event]:
    """A reviewer blocks the complete answer, and a refusal stands in its place."""
    drafts = [draft("code", CODE_DRAFT), draft("math", MATH_DRAFT, seconds=3.1)]
    reviews = (
        Review("style", "annotate", "It could be shorter."),
        Review("safety", "block", "It tells how to do harm."),
    )
    refusal = "This answer was held back, because safety blocked it: It tells how to do harm."
    why = "A reviewer blocked the answer."
    complete = replace(answer(refusal, ROUTE, drafts, SYNTHESIZED), reviews=reviews, seconds=11.2)
    return [
        *done_scene()[:-1],
        *(Reviewed(11.0, review) for review in reviews),
        AnswerReplaced(11.0, refusal, why),
        RunFinished(11.2, complete),
    ]


def budget_scene() -> list[Event]:
    """The budget has room for one draft and not for the other, nor for the aggregator."""
    told = "The budget of 1 call is used up, so math was not asked."
    drafts = [draft("code", CODE_DRAFT), draft("math", "", status="failed", seconds=0.0, error=told)]
    lost = Degradation("budget", "math", told)
    how = Aggregation("synthesize", "solo", "one of 2 drafts succeeded")
    return [
        *BOTH_ASKED,
        DraftFinished(0.013, drafts[1]),
        Degraded(0.013, lost),
        DraftDelta(0.6, "code.1", CODE_DRAFT),
        DraftFinished(4.2, drafts[0]),
        AggregationStarted(4.2, how),
        AnswerDelta(4.2, CODE_DRAFT),
        RunFinished(4.3, replace(answer(CODE_DRAFT, ROUTE, drafts, how, lost), seconds=4.3)),
    ]


def four_scene() -> list[Event]:
    """Four drafts: one is loaded, one is cached, one writes, one thinks."""
    panel = ("code", "math", "general", "law")
    route = routing(panel, general=0.34, law=0.31)
    cached = replace(draft("general", MATH_DRAFT, seconds=0.1), cached=True)
    return [
        started(),
        Routed(0.01, route),
        *(DraftStarted(0.011, f"{name}.1", name, MODELS[name]) for name in panel),
        DraftFinished(0.1, cached),
        DraftNotice(1.2, "law.1", "loading", "Loading qwen2.5-coder-0.5b-instruct into memory.", 0.62),
        *(DraftDelta(0.9 + 0.1 * n, "code.1", piece) for n, piece in enumerate(words(CODE_DRAFT[:200]))),
        *(
            DraftDelta(0.8 + 0.1 * n, "math.1", piece, reasoning=True)
            for n, piece in enumerate(words("The candidates are the odd numbers; 9, 15, 21, 25 and 27 are divisible."))
        ),
    ]


SCENES: dict[str, Callable[[], list[Event]]] = {
    "routing": routing_scene,
    "loading": loading_scene,
    "racing": racing_scene,
    "one_failed": one_failed_scene,
    "aggregating": aggregating_scene,
    "degraded": degraded_scene,
    "done": done_scene,
    "fallback": fallback_scene,
    "withdrawn": withdrawn_scene,
    "failed": failed_scene,
    "blocked": blocked_scene,
    "budget": budget_scene,
    "four": four_scene,
}


def scripted_source(events: Sequence[Event], *, hold: bool = True) -> Source:
    """A source that plays the same events for every question. With `hold`, an unfinished run stays as it is."""

    async def ask(*_: object) -> AsyncIterator[Event]:
        for event in events:
            yield event
        if hold and not isinstance(events[-1], RunFinished | RunFailed):
            await asyncio.Event().wait()

    return Source("starter", ask, AGENTS, examples=STARTERS)

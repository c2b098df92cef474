"""Five agents on three files, and a panel of three of them for each question."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from time import perf_counter

from moa import Agent, Mixture, Router, Synthesize
from moa.answers import Routing, ScoredAgent
from moa.backends.base import Backend
from moa.backends.local import LocalModel
from moa.local.gguf import read_header
from moa.local.need import need_of
from moa.messages import Conversation, Message

CONTEXT, SLOTS = 2048, 2
LARGEST, MIDDLE, SMALLEST = "qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"
AGENTS = {"math": LARGEST, "code": LARGEST, "law": MIDDLE, "general": MIDDLE, "medicine": SMALLEST}
"""Agent → the file that it runs on."""
AGGREGATOR = LARGEST
DRAFT_TOKENS, ANSWER_TOKENS = 32, 48
QUESTIONS = (
    "Explain why a tax on sugar might not make people healthier.",
    "How would you store a family tree so that cousins are found quickly?",
    "What should a city do first when its river floods every spring?",
    "Describe how a bicycle stays upright while it moves.",
    "Why do some old bridges last longer than new ones?",
    "How could a small shop find out which of its prices are too low?",
    "What happens in a body during the first hour of a long run?",
    "Explain how a lock on a canal lifts a ship.",
    "Which questions should a tenant ask before signing a lease?",
    "How do you find out whether a coin is fair?",
)

CONVERSING = ("law", "math", "medicine")
"""The panel of the conversation: one agent on each file."""
LONG = "The keeper of the lighthouse wrote down the weather, the ships and the birds of every single day. " * 24
"""What a conversation begins with: some 500 tokens."""

Runs = Callable[[str], Backend]
"""From the name of a model to what runs it."""


def panels() -> list[tuple[str, ...]]:
    """Return every panel of three, in an order that is drawn once, as are the places within each."""
    drawn = random.Random(5)
    found = [tuple(drawn.sample(panel, 3)) for panel in combinations(AGENTS, 3)]
    drawn.shuffle(found)
    return found


class _Chosen(Router):
    """Chooses the panel that it was made with: what the benchmark measures begins when the panel is known."""

    def __init__(self, panel: Sequence[str]) -> None:
        super().__init__()
        self._panel = tuple(panel)

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """Find nothing wrong."""

    def prepare(self, agents: Sequence[Agent], *, on_progress: object = None) -> None:
        """Load no encoder."""

    def route(self, conversation: Conversation, agents: Sequence[Agent], *, fallback: str, **given: object) -> Routing:
        """Return the panel, whatever is asked."""
        del conversation, fallback, given
        scored = [
            ScoredAgent(each.name, 1.0, 1.0, 1.0, chosen=each.name in self._panel, reason="drawn beforehand")
            for each in agents
        ]
        return Routing(self._panel, tuple(scored), fallback=False, threshold=0.0, encoder="none", seconds=0.0)


def mixture(panel: Sequence[str], runs: Runs) -> Mixture:
    """Return the mixture that answers one question with this panel."""
    agents = [
        Agent(
            name,
            model=runs(model),
            about=name,
            instructions=f"You know about {name}. Answer at length.",
            temperature=0.0,
            max_tokens=DRAFT_TOKENS,
        )
        for name, model in AGENTS.items()
    ]
    aggregator = Synthesize(runs(AGGREGATOR), max_tokens=ANSWER_TOKENS)
    return Mixture(agents, router=_Chosen(panel), aggregator=aggregator, fallback="general")


def local(model: str) -> LocalModel:
    """Return what moa runs a model with."""
    return LocalModel(model, context=CONTEXT, slots=SLOTS)


def file_of(model: str) -> Path:
    """Return the file of a model, downloading it if it is not here."""
    return LocalModel(model).weights.fetch()


def need(model: str) -> int:
    """Return the bytes that a model needs, by moa's estimate."""
    file = file_of(model)
    return need_of(read_header(file), context=CONTEXT, slots=SLOTS, file_bytes=file.stat().st_size).total


@dataclass(frozen=True, slots=True)
class Turn:
    """One question that was answered."""

    panel: tuple[str, ...]
    seconds: float
    tokens: int
    """Written by all drafts and the aggregator."""


async def single_questions(runs: Runs, count: int) -> list[Turn]:
    """Ask the first so many questions, one after the other, each of its own panel."""
    asked = zip(panels()[:count], QUESTIONS, strict=False)
    return [(await _answered(panel, runs, [Message("user", question)]))[0] for panel, question in asked]


async def conversation(runs: Runs, count: int) -> list[Turn]:
    """Ask about a long text, and then so many questions in all, of one panel on all three files."""
    said: list[Message] = []
    turns: list[Turn] = []
    for question in QUESTIONS[:count]:
        said.append(Message("user", question if said else LONG + question))
        turn, answer = await _answered(CONVERSING, runs, said)
        turns.append(turn)
        said.append(Message("assistant", answer))
    return turns


async def _answered(panel: tuple[str, ...], runs: Runs, said: Sequence[Message]) -> tuple[Turn, str]:
    """Return how it went, and the answer.

    Raises:
        RuntimeError: a draft was lost, or the answer is not the aggregator's: then the times compare different work.
    """
    began = perf_counter()
    answer = await mixture(panel, runs).ask(said)
    seconds = perf_counter() - began
    if answer.degraded or answer.aggregator.ran != "synthesize":
        raise RuntimeError(f"not all of it was done: {answer.degraded}, {answer.aggregator}")
    return Turn(panel, seconds, answer.tokens.output or 0), answer.text

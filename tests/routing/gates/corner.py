"""Small sets of questions of our own, and every gate that can be made of examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from moa.agent import Agent
from moa.backends.base import Request
from moa.routing.examples import Embed, Examples
from moa.routing.gate import Gate
from moa.routing.gates import (
    BlendGate,
    ClusterGate,
    LanguageModelGate,
    LexicalGate,
    LinearGate,
    NeighboursGate,
    PrototypeGate,
    Rule,
    RulesGate,
    ScaledGate,
    SuccessGate,
)
from tests.fakes.backend import ScriptedModel

GARDEN = (
    "When should I prune my apple trees?",
    "How deep do I plant tulip bulbs?",
    "My tomatoes have yellow leaves, what do they lack?",
    "Which flowers grow well in the shade?",
    "How do I get rid of slugs on my lettuce?",
    "Is coffee good compost for roses?",
    "How often should a lawn be watered in summer?",
    "Can I sow carrots in August?",
)
MUSIC = (
    "How do I tune a violin?",
    "Which chords go with a melody in D minor?",
    "What is the difference between a sonata and a symphony?",
    "How long should a beginner practise the piano each day?",
    "Why does my guitar buzz at the third fret?",
    "Who composed the Goldberg Variations?",
    "How is a fugue built?",
    "What does allegro mean in a score?",
)
CODE = (
    "Why does this Python function return None?",
    "How do I reverse a linked list in C?",
    "Write a SQL query that counts the orders of every customer.",
    "What does `git rebase -i` do?",
    "My JavaScript promise never resolves, how do I debug it?",
    "Fix this: `for i in range(10) print(i)`",
    "How do I parse JSON in Rust?",
    "Explain the error `IndexError: list index out of range`.",
)
NEW = {
    "garden": "What is the best month to plant strawberries?",
    "music": "How do I read the bass clef when I play the cello?",
    "code": "Why is my Java loop throwing a NullPointerException?",
}
"""A question of each field that is no example."""


def agent(name: str, *examples: str, about: str = "") -> Agent:
    return Agent(name, model=ScriptedModel(), examples=examples, about=about)


AGENTS = (agent("garden", *GARDEN), agent("music", *MUSIC), agent("code", *CODE))


def examples(embed: Embed, *agents: Agent) -> Examples:
    return Examples.of(agents or AGENTS, embed)


def knowing(request: Request) -> str:
    """Answer as a routing model would that goes by the longest word: always one of the names, whatever their order."""
    schema = request.sampling.json_schema
    assert schema is not None
    names = sorted(schema["properties"]["agent"]["enum"])
    return f'{{"agent": "{names[len(request.messages[-1].content.split("question")[-1]) % len(names)]}"}}'


MAKERS: dict[str, Callable[[Examples], Gate]] = {
    "prototype": PrototypeGate,
    "prototype, one": partial(PrototypeGate, nearest=1),
    "prototype, all": partial(PrototypeGate, nearest=None),
    "prototype, about": partial(PrototypeGate, about_weight=0.3),
    "prototype, scaled": ScaledGate.of,
    "neighbours": NeighboursGate,
    "linear": LinearGate.fit,
    "linear, several": partial(LinearGate.fit, several=True),
    "cluster": ClusterGate.of,
    "success": SuccessGate.of,
    "lexical": LexicalGate.fit,
    "blend": partial(
        BlendGate.of, gates={"near": PrototypeGate, "words": LexicalGate.fit}, weights={"near": 2, "words": 1}
    ),
    "blend, as given": partial(
        BlendGate.of, gates={"near": PrototypeGate, "rules": RulesGate}, weights={"near": 1, "rules": 2}
    ),
    "rules": RulesGate,
    "language model": lambda given: LanguageModelGate(given, backend=ScriptedModel(knowing)),
}
"""Every gate, as `Router(gate=…)` takes it."""
MEANING = (
    "prototype",
    "prototype, one",
    "prototype, all",
    "prototype, scaled",
    "neighbours",
    "linear",
    "cluster",
    "success",
    "blend",
)
"""Those that must know a new question of each field."""
RULES = (Rule("code", r"\bstack ?trace\b", "a stack trace"), Rule.for_attachment("code", "code"))

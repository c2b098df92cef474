"""The starter workspace: what the agents are, and that the router knows their fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.aggregation import Synthesize
from moa.answers import Routing
from moa.loader import load_agents, load_mixture, starter_folder
from moa.mixture import Mixture
from tests.routing.sanity import CHIT_CHAT, SANITY

NAMES = ["general", "math", "code", "law", "medicine"]
SMALL = {"local:qwen2.5-coder-0.5b-instruct", "local:qwen2.5-coder-1.5b-instruct"}


@pytest.fixture(scope="module")
def starter() -> Mixture:
    return load_mixture(str(starter_folder()))


@pytest.fixture(scope="module")
def routings(starter: Mixture) -> dict[str, list[Routing]]:
    """How the questions of every field were routed, and the small talk under its own name."""
    questions = {**SANITY, "chit-chat": CHIT_CHAT}
    return {
        field: starter.router.route_all(asked, starter.agents, fallback=starter.fallback)
        for field, asked in questions.items()
    }


def test_the_starter_mixture_has_the_five_agents_of_the_contract(starter: Mixture) -> None:
    assert starter.name == "starter"
    assert [agent.name for agent in starter.agents] == NAMES
    assert starter.fallback == "general"
    assert isinstance(starter.aggregator, Synthesize)


def test_the_starter_runs_on_small_local_models_only(starter: Mixture) -> None:
    assert {agent.model for agent in starter.agents} <= SMALL
    assert isinstance(starter.aggregator, Synthesize)
    assert starter.aggregator.model in SMALL


@pytest.mark.parametrize("name", NAMES)
def test_every_agent_is_one_file_with_a_field_instructions_and_examples(name: str) -> None:
    mixture = load_mixture(f"{starter_folder() / name}.py:{name}")

    [agent] = mixture.agents
    assert agent.name == name
    assert len(agent.about) > 40
    assert len(agent.instructions) > 100
    assert len(agent.examples) >= 10
    assert len(set(agent.examples)) == len(agent.examples)


def test_the_folder_holds_these_agents_and_no_others() -> None:
    assert sorted(agent.name for agent in load_agents(starter_folder())) == sorted(NAMES)


def test_no_agent_has_the_example_of_another(starter: Mixture) -> None:
    examples = [example for agent in starter.agents for example in agent.examples]

    assert len(set(examples)) == len(examples)


def test_no_question_of_these_tests_is_an_example(starter: Mixture) -> None:
    examples = {example for agent in starter.agents for example in agent.examples}

    assert examples.isdisjoint(question for asked in (*SANITY.values(), CHIT_CHAT) for question in asked)


@pytest.mark.parametrize("name", ["cloud", "workstation", "gpu_80gb"])
def test_the_other_mixtures_hold_the_same_specialists_on_other_models(name: str, starter: Mixture) -> None:
    mixture = load_mixture(str(starter_folder() / f"{name}.py"))

    assert mixture.name == name
    assert mixture.fallback == "general"
    for agent, small in zip(mixture.agents, starter.agents, strict=True):
        assert (agent.name, agent.about, agent.examples) == (small.name, small.about, small.examples)
        assert agent.instructions == small.instructions
        assert agent.model not in SMALL


def test_hosted_models_choose_their_own_temperature_and_length() -> None:
    """A model that reasons refuses a temperature, and needs more tokens than its answer has."""
    for agent in load_mixture(str(starter_folder() / "cloud.py")).agents:
        assert (agent.temperature, agent.max_tokens) == (None, None)


def test_every_key_that_the_cloud_mixture_needs_is_named_in_its_docstring() -> None:
    variables = {"gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
    file = starter_folder() / "cloud.py"

    for agent in load_mixture(str(file)).agents:
        assert isinstance(agent.model, str)
        assert variables[agent.model.partition("/")[0]] in _docstring(file)


def test_the_starter_says_that_its_models_stand_in_for_specialists() -> None:
    assert "stand in for true specialists" in " ".join(_docstring(starter_folder() / "starter.py").split())


@pytest.mark.parametrize("field", SANITY)
def test_questions_go_to_the_agent_of_their_field(field: str, routings: dict[str, list[Routing]]) -> None:
    right = [routing.panel[0] == field for routing in routings[field]]

    assert sum(right) / len(right) >= 0.8


def test_nearly_all_questions_go_to_the_agent_of_their_field(routings: dict[str, list[Routing]]) -> None:
    right = [routing.panel[0] == field for field in SANITY for routing in routings[field]]

    assert len(right) >= 100
    assert sum(right) / len(right) >= 0.9


def test_small_talk_and_nonsense_go_to_the_general_agent(routings: dict[str, list[Routing]]) -> None:
    to_general = [routing.panel == ("general",) for routing in routings["chit-chat"]]

    assert sum(to_general) / len(to_general) >= 0.85


def test_confident_choices_are_seldom_wrong(routings: dict[str, list[Routing]]) -> None:
    right = [
        routing.panel[0] == field
        for field in SANITY
        for routing in routings[field]
        if routing[routing.panel[0]].probability >= 0.8
    ]

    assert len(right) >= 60
    assert sum(right) / len(right) >= 0.97


def test_most_questions_are_asked_of_one_agent_alone(routings: dict[str, list[Routing]]) -> None:
    panels = [routing.panel for field in SANITY for routing in routings[field]]

    assert sum(len(panel) == 1 for panel in panels) / len(panels) >= 0.9


def test_a_programming_question_and_a_word_problem_reach_different_agents(starter: Mixture) -> None:
    questions = [
        "Write a function that merges two sorted lists.",
        "Lea has 4 bags of 12 marbles and loses 7. How many are left?",
    ]

    first, second = starter.router.route_all(questions, starter.agents, fallback=starter.fallback)

    assert (first.panel, second.panel) == (("code",), ("math",))


def test_the_agents_own_files_are_plain_definitions(starter: Mixture) -> None:
    """A user reads and edits them, so they hold nothing but one agent each."""
    del starter
    for name in NAMES:
        statements = list(_statements(starter_folder() / f"{name}.py"))
        assert [type(statement) for statement in statements] == [ast.ImportFrom, ast.Assign]


def _statements(file: Path) -> Iterator[ast.stmt]:
    docstring, *rest = ast.parse(file.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    yield from rest


def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""

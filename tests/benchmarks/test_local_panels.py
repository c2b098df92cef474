from __future__ import annotations

from itertools import combinations

from benchmarks.local.panels import AGENTS, AGGREGATOR, CONVERSING, QUESTIONS, local, mixture, panels


def test_five_agents_run_on_three_files() -> None:
    assert len(AGENTS) == 5
    assert len(set(AGENTS.values())) == 3
    assert AGGREGATOR in AGENTS.values()


def test_every_panel_of_three_is_asked_once_in_an_order_that_is_always_the_same() -> None:
    assert sorted(map(sorted, panels())) == sorted(map(sorted, combinations(AGENTS, 3)))
    assert panels() == panels()
    assert len(QUESTIONS) == len(panels())


def test_the_conversation_goes_to_one_agent_on_each_file() -> None:
    assert len({AGENTS[name] for name in CONVERSING}) == 3


async def test_the_panel_is_the_one_that_was_drawn() -> None:
    routing = await mixture(("law", "code", "medicine"), local).route("Anything at all")
    assert routing.panel == ("law", "code", "medicine")

"""What would be decided otherwise, and how it is put into words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moa.backends.base import Price
from moa.tui.alone import alone, alone_line
from moa.tui.otherwise import Otherwise, decided
from moa.tui.reasons import blend_line, margin_line, model_line
from moa.tui.source import price_text
from moa.tui.state import fold
from tests.tui import scenes

NAMES = tuple(scenes.MODELS)


def test_nothing_wanted_changes_nothing() -> None:
    assert decided(scenes.ROUTE, Otherwise()) is scenes.ROUTE
    assert not Otherwise()


@pytest.mark.parametrize(("threshold", "panel"), [(0.3, ("code", "math")), (0.45, ("code",)), (0.6, ("general",))])
def test_another_threshold_is_decided_from_the_same_figures(threshold: float, panel: tuple[str, ...]) -> None:
    routing = decided(scenes.ROUTE, Otherwise(threshold=threshold))
    assert routing.panel == panel
    assert routing.threshold == threshold
    assert routing.fallback is (panel == ("general",))


def test_with_a_threshold_to_try_agents_of_their_own_thresholds_have_to_reach_it_too() -> None:
    route = replace(scenes.ROUTE, policy={**scenes.POLICY, "thresholds": {"math": 0.9}})
    assert decided(route, Otherwise(threshold=0.3)).panel == ("code", "math")


def test_pinned_and_excluded_agents_are_on_the_panel_and_are_not() -> None:
    routing = decided(scenes.ROUTE, Otherwise(("law",), ("code",)))
    assert "law" in routing.panel
    assert "code" not in routing.panel
    assert routing.pinned == ("law",)
    assert routing.excluded == ("code",)


def test_whom_the_question_names_stays_unless_excluded() -> None:
    named = replace(scenes.ROUTE, pinned=("law",), mentioned=("law",))
    assert "law" in decided(named, Otherwise(("math",))).panel
    assert "law" not in decided(named, Otherwise(exclude=("law",))).panel


def test_names_of_another_mixture_are_left_out() -> None:
    assert decided(scenes.ROUTE, Otherwise(("nobody",), ("noone",))).panel == scenes.ROUTE.panel


def test_wishes_are_taken_back_and_exclude_each_other() -> None:
    assert Otherwise().pinned("law").pinned("law") == Otherwise()
    assert Otherwise().excluded("law", NAMES).excluded("law", NAMES) == Otherwise()
    assert Otherwise().pinned("law").excluded("law", NAMES) == Otherwise(exclude=("law",))
    assert Otherwise(exclude=("law",)).pinned("law") == Otherwise(("law",))
    assert Otherwise().only(["law"], NAMES).exclude == ("general", "math", "code", "medicine")


def test_the_last_agent_cannot_be_excluded() -> None:
    wished = Otherwise()
    for name in NAMES:
        wished = wished.excluded(name, NAMES)
    assert wished.exclude == NAMES[:-1]


@pytest.mark.parametrize(
    ("start", "steps", "threshold"),
    [(0.3, 1, 0.35), (0.3, -1, 0.25), (0.33, 1, 0.35), (0.33, -1, 0.3), (0.0, -1, 0.0), (1.0, 1, 1.0), (0.98, 1, 1.0)],
)
def test_the_threshold_moves_on_a_grid_between_0_and_1(start: float, steps: int, threshold: float) -> None:
    assert Otherwise().moved(scenes.routing(threshold=start), steps).threshold == pytest.approx(threshold)


def test_the_margin_is_that_to_the_second_most_probable() -> None:
    assert margin_line(scenes.ROUTE) == "margin 0.14 · runner-up math, asked too"
    assert margin_line(scenes.routing(("code",))) == "margin 0.14 · runner-up math"
    assert margin_line(replace(scenes.ROUTE, agents=scenes.ROUTE.agents[:1])) == ""


def test_the_parts_of_a_blend_and_what_pulls_at_it_are_told_the_most_first() -> None:
    agent = replace(scenes.ROUTE.agents[0], parts={"words": 0.2, "neighbours": 0.6}, load_bias=-0.1, price=0.02)
    assert blend_line(agent) == "neighbours +0.60 · words +0.20 · load -0.10 · price -0.02"
    assert blend_line(scenes.ROUTE.agents[0]) == ""
    many = {f"gate{number}": number / 10 for number in range(6)}
    assert blend_line(replace(agent, parts=many, load_bias=0.0, price=0.0)).endswith("· 2 more")


def test_a_model_is_told_without_the_folders_of_its_file() -> None:
    assert model_line("local:qwen2.5-coder-1.5b-instruct") == "local:qwen2.5-coder-1.5b-instruct"
    assert model_line("openai/gpt-4o") == "openai/gpt-4o"
    assert model_line("local:/home/someone/models/mine.gguf") == "mine.gguf"


@pytest.mark.parametrize(
    ("price", "said"),
    [(None, "price unknown"), (Price(0, 0), "free"), (Price(3, 15), "$3/$15"), (Price(0.25, 2), "$0.25/$2")],
)
def test_prices_are_short(price: Price | None, said: str) -> None:
    assert price_text(price) == said


def test_the_single_best_is_the_most_probable_agent_and_took_what_its_own_draft_took() -> None:
    single = alone(fold(scenes.done_scene()))
    assert single is not None
    assert (single.agent, single.cost_usd, single.seconds) == ("code", 0.0, 4.2)


def test_without_a_draft_of_it_nothing_is_made_up() -> None:
    view = fold(scenes.degraded_scene())
    assert view.routing is not None
    odds = replace(view.routing, agents=scenes.routing(math=0.9).agents)
    assert (
        alone_line(replace(view, routing=odds)) == "math alone, the most probable: unknown, as there is no draft of it"
    )


def test_a_run_of_one_draft_has_nothing_to_be_compared_with() -> None:
    assert alone(fold(scenes.fallback_scene())) is None
    assert alone_line(fold(scenes.racing_scene())) == "", "it is not over"

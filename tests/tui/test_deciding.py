"""Deciding oneself: agents pinned and excluded, a threshold tried, and nothing asked for it."""

from __future__ import annotations

from textual.pilot import Pilot

from moa.messages import Conversation
from moa.tui.routing_card import RoutingCard
from tests.tui.scenes import QUESTION, done_scene, racing_scene
from tests.tui.stage import Stage, until

TYPED = "Is a verbal contract enforceable?"


def card(stage: Stage) -> RoutingCard:
    return stage.chat.query_one(RoutingCard)


async def begun(stage: Stage, pilot: Pilot[None]) -> None:
    """Type a question, and begin to decide who gets it."""
    await stage.ready(pilot)
    stage.prompt.put(TYPED)
    await pilot.press("f5")
    await until(pilot, lambda: card(stage).has_focus)


async def test_what_stands_in_the_prompt_is_decided_without_being_asked() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.prompt.put(TYPED)
        await pilot.press("f5")
        await until(pilot, lambda: card(stage).has_focus and "not asked yet" in stage.screen_text())
        text = stage.screen_text()
        assert "● code" in text
        assert "Left" not in text
        assert "Enter ask like this" in text
        assert stage.script.foreseen == [Conversation.of(TYPED)]
        assert stage.script.asked == []
        await pilot.press("f5")
        await until(pilot, lambda: stage.prompt.has_focus)
        await until(pilot, lambda: "The panel" in stage.screen_text())
        assert stage.prompt.text == TYPED


async def test_another_threshold_shows_who_would_be_asked_and_is_forgotten_afterwards() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: card(stage).has_focus)
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: "code instead of code + math." in stage.screen_text())
        assert "asked from 0.45" in stage.screen_text()
        await pilot.press(*["right"] * 3)
        await until(pilot, lambda: "Nobody reached 0.60" in stage.screen_text())
        await pilot.press("0")
        await until(pilot, lambda: "asked from 0.30" in stage.screen_text())
        await pilot.press("left", "escape")
        await until(pilot, lambda: stage.prompt.has_focus)
        await until(pilot, lambda: "asked from 0.30" in stage.screen_text())
        assert len(stage.script.asked) == 1


async def test_agents_are_pinned_and_excluded_for_the_next_question_only() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await begun(stage, pilot)
        await pilot.press("x", "down", "p")  # the most probable one is selected first
        await until(pilot, lambda: "For this question  +law −code" in stage.screen_text())
        assert "●+law" in stage.screen_text()
        assert "○−code" in stage.screen_text()
        await pilot.press("escape")
        await until(pilot, lambda: stage.prompt.has_focus)
        await pilot.press("enter")
        await stage.shown(pilot)
        assert [(each.pin, each.exclude) for each in stage.script.wanted] == [(("law",), ("code",))]
        assert "For this question" not in stage.screen_text()
        await stage.send(pilot, "And then?")
        await stage.shown(pilot)
        assert (stage.script.wanted[1].pin, stage.script.wanted[1].exclude) == ((), ())


async def test_pressed_again_a_key_takes_its_wish_back() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await begun(stage, pilot)
        await pilot.press("p", "p", "x", "x", "up", "up")
        assert not stage.chat.otherwise


async def test_enter_asks_the_panel_that_a_threshold_would_choose() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await begun(stage, pilot)
        await pilot.press("right", "right", "right", "enter")
        await until(pilot, lambda: bool(stage.script.wanted))
        await stage.shown(pilot)
        assert stage.script.wanted[0].pin == ("code",)
        assert set(stage.script.wanted[0].exclude) == {"general", "math", "law", "medicine"}
        assert stage.prompt.text == ""


async def test_one_agent_can_be_made_to_answer_alone() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await begun(stage, pilot)
        await pilot.press("down", "o", "enter")
        await until(pilot, lambda: bool(stage.script.wanted))
        assert stage.script.wanted[0].pin == ("law",)


async def test_without_a_question_there_is_nothing_to_decide_and_without_a_text_nothing_to_ask() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: any("Type a question first" in each.message for each in stage.app._notifications))
        assert stage.prompt.has_focus
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: card(stage).has_focus)
        await pilot.press("p", "enter")
        await until(pilot, lambda: any("next question" in each.message for each in stage.app._notifications))
        assert stage.chat.otherwise.pin == ("code",)
        assert len(stage.script.asked) == 1


async def test_in_a_narrow_terminal_the_decision_takes_the_place_of_the_conversation_as_long_as_it_has_the_keys() -> (
    None
):
    stage = Stage(racing_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: card(stage).has_focus and "probability" in stage.screen_text())
        await pilot.press("escape")
        await until(pilot, lambda: stage.prompt.has_focus and "probability" not in stage.screen_text())
        assert stage.chat.busy

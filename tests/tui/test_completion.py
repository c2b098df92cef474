"""Completion: commands, agents, files; Tab takes, arrows choose, Escape closes."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from moa.tui.completion import Known, offers
from tests.tui.scenes import AGENTS
from tests.tui.stage import Stage, until

KNOWN = Known({agent.name: agent.about for agent in AGENTS}, themes=("moa-dark", "moa-light", "nord"))


def texts(before: str) -> list[str]:
    """What would stand before the cursor after each offer was taken."""
    return [before[: offer.start] + offer.text for offer in offers(before, KNOWN)]


def test_a_slash_offers_commands() -> None:
    assert texts("/se") == ["/sessions", "/search "]
    assert texts("/he") == ["/help"]
    assert len(texts("/")) > 20
    assert texts("so /se") == texts("//se") == texts("a\n/se") == texts("/xyz") == []


def test_an_at_sign_offers_agents() -> None:
    assert texts("@") == ["@general ", "@math ", "@code ", "@law ", "@medicine "]
    assert texts("May I quit, @L") == ["May I quit, @law "]
    assert texts("@law and @m") == ["@law and @math ", "@law and @medicine "]
    assert texts("me@m") == texts("@nobody") == texts("@law ") == []


@pytest.mark.parametrize("command", ["pin", "exclude", "only"])
def test_commands_about_agents_offer_them(command: str) -> None:
    assert texts(f"/{command} l") == [f"/{command} law "]
    assert texts(f"/{command} law, m") == [f"/{command} law, math ", f"/{command} law, medicine "]
    assert texts(f"/{command} @c") == [f"/{command} @code "]


def test_themes_are_offered() -> None:
    assert texts("/theme moa") == ["/theme moa-dark", "/theme moa-light"]


def test_files_are_offered_folders_with_a_slash_and_hidden_ones_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes folder").mkdir()
    (tmp_path / "notes folder" / "a.txt").touch()
    for name in ("Notes.txt", "other.txt", ".notes"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert texts("/attach no") == ["/attach notes folder/", "/attach Notes.txt"]
    assert texts("/attach notes folder/") == ["/attach notes folder/a.txt"]
    assert texts(f"/attach {tmp_path}/o") == [f"/attach {tmp_path}/other.txt"]
    assert texts("/attach .n") == ["/attach .notes"]
    assert texts("/attach nowhere/x") == texts("/attach \0") == []


def test_a_path_that_was_dropped_is_offered_to_be_attached(tmp_path: Path) -> None:
    file = tmp_path / "my notes.txt"
    file.write_text("a")
    escaped = str(file).replace(" ", "\\ ")
    for dropped in (f"'{file}'", f'"{file}"', escaped, file.as_uri()):
        [offer] = offers(f"see {dropped}", KNOWN)
        assert (offer.start, offer.text, offer.attach) == (4, "", file)
        assert offer.shown == "attach my notes.txt"
        assert offers(f"see {dropped} ", KNOWN) == (offer,)  # some terminals add a space
    assert offers(f"see {tmp_path}", KNOWN) == ()
    assert offers("see /nowhere/at/all", KNOWN) == ()


async def typed(stage: Stage, pilot: Pilot[None], text: str) -> None:
    await stage.ready(pilot)
    await pilot.press(*("at" if key == "@" else "slash" if key == "/" else key for key in text))


async def test_tab_takes_what_is_offered_and_the_agent_is_named_above_the_prompt() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await typed(stage, pilot, "@la")
        await until(pilot, lambda: "▸ @law" in stage.screen_text())
        assert "Contracts, tenancy" in stage.screen_text()
        await pilot.press("tab")
        assert stage.prompt.text == "@law "
        await until(pilot, lambda: "For this question  only @law" in stage.screen_text())
        assert "▸" not in stage.screen_text()
        await pilot.press(*"why", "enter")
        await until(pilot, lambda: bool(stage.script.asked))
        assert stage.script.asked[0].question == "@law why"


async def test_arrows_choose_and_enter_takes_what_was_chosen() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await typed(stage, pilot, "@")
        await pilot.press("down", "down", "up", "enter")
        assert stage.prompt.text == "@math "
        await pilot.press("at", "up", "tab")
        assert stage.prompt.text == "@math @medicine "
        assert stage.script.asked == []


async def test_enter_sends_when_nothing_was_chosen() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await typed(stage, pilot, "@l")
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.script.asked))
        assert stage.script.asked[0].question == "@l"


async def test_escape_closes_the_list_until_more_is_typed() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await typed(stage, pilot, "/he")
        await until(pilot, lambda: "▸ /help" in stage.screen_text())
        await pilot.press("escape")
        await until(pilot, lambda: "▸" not in stage.screen_text())
        await pilot.press("l")
        await until(pilot, lambda: "▸ /help" in stage.screen_text())


async def test_a_long_list_scrolls_around_the_one_that_is_chosen() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await typed(stage, pilot, "/")
        await until(pilot, lambda: "1 of " in stage.screen_text())
        await pilot.press("up")
        await until(pilot, lambda: "▸ /quit" in stage.screen_text())


async def test_leafing_through_what_was_typed_opens_no_list() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await stage.send(pilot, "first")
        await stage.shown(pilot)
        stage.prompt.replace_text("/anyone")
        await pilot.press("enter")
        await until(pilot, lambda: not stage.prompt.text)
        await pilot.press("up")
        assert (stage.prompt.text, stage.prompt.offers) == ("/anyone", ())
        await pilot.press("up")
        assert stage.prompt.text == "first"


async def test_the_list_fits_forty_columns() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(40, 20)) as pilot:
        await typed(stage, pilot, "@")
        await until(pilot, lambda: "▸ @general" in stage.screen_text())
        assert all(len(line) <= 40 for line in stage.screen_text().split("\n"))

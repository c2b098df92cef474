"""A long conversation: only what is near the screen holds widgets, and nothing jumps because of it."""

from __future__ import annotations

import asyncio

from textual.pilot import Pilot
from textual.widgets import Markdown

from moa.events import AnswerDelta
from moa.tui.past import Gap, PastTurn
from moa.tui.prose import Prose
from moa.tui.state import RunView, fold
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.writing import Writing
from tests.tui.scenes import REPLY, aggregating_scene, done_scene
from tests.tui.stage import Stage, until, written

TURNS = 16


async def fill(stage: Stage, pilot: Pilot[None]) -> Transcript:
    """Add many answered turns, and wait until the early ones are folded."""
    await stage.ready(pilot)
    transcript = stage.chat.query_one(Transcript)
    view = fold(done_scene())
    for number in range(TURNS):
        await transcript.begin(Turn(f"Question {number}?", view))
        await until(pilot, lambda: all(map(written, transcript.turns())))
    await until(pilot, lambda: transcript.turns()[0].folded)
    return transcript


async def test_turns_far_from_the_screen_give_up_their_widgets_and_keep_their_height() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        transcript = await fill(stage, pilot)
        first, *_, last = transcript.turns()
        assert not last.folded
        assert not first.children
        assert first.size.height == last.size.height
        await until(pilot, lambda: all(not turn.children for turn in transcript.turns() if turn.folded))
        assert len(transcript.query(Markdown)) == sum(not turn.folded for turn in transcript.turns()) < TURNS


async def test_scrolling_back_brings_them_back_as_they_were() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        transcript = await fill(stage, pilot)
        length = transcript.virtual_size.height
        await pilot.press("ctrl+home")
        first, *_, last = transcript.turns()
        await until(pilot, lambda: not first.folded and last.folded)
        await until(pilot, lambda: "There are ten of them" in stage.screen_text())
        assert "Question 0?" in stage.screen_text()
        assert transcript.virtual_size.height == length
        await pilot.press("ctrl+end")
        await until(pilot, lambda: not last.folded and first.folded)
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_a_turn_comes_back_with_the_height_of_the_new_width() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        transcript = await fill(stage, pilot)
        await pilot.resize_terminal(40, 40)
        await pilot.press("ctrl+home")
        first = transcript.turns()[0]
        await until(pilot, lambda: not first.folded)
        await until(pilot, lambda: "Question 0?" in stage.screen_text())
        await until(pilot, lambda: written(first))
        await until(pilot, lambda: first.query_one(".status").virtual_region.bottom == first.size.height)


async def test_a_run_under_way_is_never_folded() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await stage.ready(pilot)
        transcript = stage.chat.query_one(Transcript)
        under_way = Turn("Now?", fold(aggregating_scene()))
        await transcript.begin(under_way)
        await under_way.fold()
        assert not under_way.folded
        assert under_way.query(Prose)


async def test_a_folded_turn_that_is_told_more_shows_it_when_it_is_back() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await stage.ready(pilot)
        transcript = stage.chat.query_one(Transcript)
        turn = Turn("Now?", RunView(end="stopped"))
        await transcript.begin(turn)
        await turn.fold()
        await turn.show(fold(done_scene()), stage.chat.colours)
        await turn.unfold()
        assert await _source(pilot, turn) == REPLY


async def _source(pilot: Pilot[None], turn: Turn) -> str:
    await until(pilot, lambda: bool(turn.query_one(Prose).source))
    return turn.query_one(Prose).source


async def test_a_short_conversation_stands_at_the_top() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await stage.send(pilot, "Which numbers?")
        await stage.shown(pilot)
        transcript = stage.chat.query_one(Transcript)
        assert transcript.scroll_y == 0
        assert transcript.turns()[0].region.y == transcript.region.y + 1


async def test_a_reader_who_scrolled_away_is_left_in_peace_while_tokens_come() -> None:
    stage = Stage(done_scene(), aggregating_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, "Which numbers?")
        await stage.shown(pilot)
        transcript = stage.chat.query_one(Transcript)
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y > 0)
        await stage.send(pilot, "And again?")
        await pilot.press("ctrl+home")
        await stage.shown(pilot)
        assert transcript.scroll_y == 0
        await pilot.press("ctrl+end")
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y)


async def test_many_turns_that_are_far_become_one_gap_and_are_still_told_in_order() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        transcript = stage.chat.query_one(Transcript)
        view = RunView(answer=Writing.of("Yes.\n\n" * 20), end="done")
        await transcript.mount_all([Turn(f"Question {number}?", view) for number in range(45)])
        await transcript.begin(Turn("The last one?", view))
        await until(pilot, lambda: bool(transcript.query(Gap)))
        await until(pilot, lambda: len(transcript.turns()) < 25)
        questions = [f"Question {number}?" for number in range(45)]
        assert [turn.question for turn in transcript.history()] == [*questions, "The last one?"]
        length = transcript.virtual_size.height
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "Question 0?" in stage.screen_text())
        await until(pilot, lambda: all(map(written, (turn for turn in transcript.turns() if not turn.folded))))
        assert transcript.virtual_size.height == length  # each gap is as high as its turns were
        assert [turn.question for turn in transcript.history()] == [*questions, "The last one?"]


async def test_a_turn_that_is_revealed_comes_to_the_top_of_the_screen() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        transcript = stage.chat.query_one(Transcript)
        views = [RunView(answer=Writing.of("Yes.\n\n" * (number % 7 + 5)), end="done") for number in range(100)]
        await transcript.fill([PastTurn(f"Question {number}?", view) for number, view in enumerate(views)])
        for number in (50, 3, 97, 51):
            turn = await transcript.reveal(number)
            await until(pilot, lambda turn=turn: turn.region.y == transcript.region.y)  # type: ignore[misc]
            await until(pilot, lambda: all(map(written, (turn for turn in transcript.turns() if not turn.folded))))
            assert turn.region.y == transcript.region.y
        assert [turn.question for turn in transcript.history()] == [f"Question {number}?" for number in range(100)]


def test_a_gap_knows_which_of_its_turns_lie_between_two_lines() -> None:
    gap = Gap([PastTurn("?", RunView(end="done"), height=10, width=80) for _ in range(5)], 80)
    assert gap.heights == [10] * 5
    assert gap.between(0, 50) == (0, 5)
    assert gap.between(-30, 5) == (0, 1)
    assert gap.between(10, 11) == (1, 2)
    assert gap.between(25, 39) == (2, 4)
    assert gap.between(45, 1000)[0] == 4


async def test_an_answer_that_ends_while_its_first_words_are_being_written_is_there() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await stage.ready(pilot)
        started = [event for event in aggregating_scene() if not isinstance(event, AnswerDelta)]
        turn = Turn("How many?", fold(started))
        await stage.chat.query_one(Transcript).begin(turn)
        begun = fold([*started, AnswerDelta(4.9, "There")])
        await asyncio.gather(*(turn.show(view, stage.chat.colours) for view in (begun, fold(done_scene()))))
        await until(pilot, lambda: written(turn))
        assert turn.query_one(Prose).source == REPLY


async def test_each_turn_is_told_once_while_gaps_open_and_close() -> None:
    stage, seen = Stage(), set[int]()
    view = RunView(answer=Writing.of("Yes.\n\n" * 20), end="done")

    async def look(transcript: Transcript) -> None:
        while True:
            seen.add(len(transcript.history()))
            await asyncio.sleep(0)

    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        transcript = stage.chat.query_one(Transcript)
        await transcript.fill([PastTurn(f"Question {number}?", view) for number in range(100)])
        looking = asyncio.create_task(look(transcript))
        for number in (0, 50, 99):
            turn = await transcript.reveal(number)
            await until(pilot, lambda turn=turn: turn.region.y <= transcript.region.bottom)  # type: ignore[misc]
        await pilot.press("ctrl+home")
        await until(pilot, lambda: not transcript.turns()[0].folded)
        looking.cancel()
    assert seen == {100}

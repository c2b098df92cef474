"""The reducer of a server: every item has its effect, and no order of them does harm."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.backends.breaker import BreakerState
from moa.events import Event, Routed, RunFinished, RunStarted
from moa.messages import Usage
from moa.tui.themes import Colours
from moa.tui.watching_figures import answer_seconds, over_time, percentile, requests_a_second, shares
from moa.tui.watching_items import Happened, Item, Line, Load, Missed, ServedAgent, Standing
from moa.tui.watching_lines import figures, line_text, run_line
from moa.tui.watching_state import SLOTS, WINDOW_SECONDS, Watched, watch
from tests.tui import scenes

NOON = 1767323044.0
"""The beginning of a slot."""


def fold(*items: Item, state: Watched | None = None) -> Watched:
    state = state or Watched()
    for item in items:
        state = watch(state, item)
    return state


def run(scene: str, name: str = "one", start: float = NOON) -> list[Item]:
    return [Happened(name, start + event.at, event) for event in scenes.SCENES[scene]()]


def test_a_run_is_counted_listed_and_attributed() -> None:
    state = fold(*run("done"))
    [listed] = state.runs.values()
    assert (listed.status, listed.panel, listed.question) == ("finished", ("code", "math"), scenes.QUESTION)
    assert (listed.seconds, listed.cost_usd, listed.aggregator) == (9.4, 0.0, "synthesize")
    assert (state.started, state.finished, state.failed, state.cost_usd) == (1, 1, 0, 0.0)
    assert (state.agents["math"].chosen, state.agents["math"].drafts, state.agents["math"].seconds) == (1, 1, (3.1,))
    assert state.agents["law"].chosen == 0


def test_a_run_under_way_is_listed_as_such() -> None:
    state = fold(*run("racing"))
    assert state.runs["one"].status == "running"
    assert state.in_flight == 1
    assert fold(Standing(NOON, in_flight=7), state=state).in_flight == 7


def test_a_failed_run_tells_its_error() -> None:
    state = fold(*run("failed"))
    assert state.runs["one"].status == "failed"
    assert scenes.TIMEOUT in state.runs["one"].error
    assert state.runs["one"].troubled
    assert (state.failed, state.finished, state.agents["math"].failed) == (1, 0, 1)


def test_a_degraded_run_is_counted_once_however_much_went_wrong() -> None:
    state = fold(*run("degraded"))
    assert state.degraded == 1
    assert state.runs["one"].degraded == 1
    assert state.runs["one"].troubled
    assert state.unpriced == 1, "its cost is not known, which is not the same as none"


def test_a_run_that_was_broken_off_is_over() -> None:
    state = fold(*run("racing"), Happened("one", NOON + 3, None))
    assert state.runs["one"].status == "cancelled"
    assert state.cancelled == 1
    assert fold(*run("done"), state=state) == replace(state, at=NOON + 9.4), "whatever comes after that"


def test_what_comes_twice_counts_once() -> None:
    once = fold(*run("done"))
    assert fold(*run("done"), *run("done")) == once


def test_a_feed_that_begins_in_the_middle_of_a_run_knows_its_end() -> None:
    state = fold(*run("done")[-1:])
    assert state.runs["one"].status == "finished"
    assert state.runs["one"].question == ""
    assert state.runs["one"].panel == ("code", "math")
    assert state.runs["one"].started_at == pytest.approx(NOON)
    assert state.agents["code"].drafts == 1
    assert (state.started, state.finished) == (0, 1), "requests a second count what began since it was watched"


def test_after_a_gap_it_is_not_known_what_became_of_runs_until_they_say_something() -> None:
    state = fold(*run("racing"), *run("done", "two"), Missed(12))
    assert (state.runs["one"].status, state.runs["two"].status) == ("lost", "finished")
    assert (state.lost, state.gaps) == (12, 1)
    assert fold(*run("done"), state=state).runs["one"].status == "finished"
    assert fold(Missed(None), state=state).lost == 12


def test_the_list_keeps_the_latest_and_those_under_way() -> None:
    state = fold(*run("racing", "old"))
    for number in range(600):
        state = fold(*run("fallback", f"run-{number}"), state=state)
    assert len(state.runs) == 500
    assert "old" in state.runs
    assert "run-599" in state.runs
    assert "run-5" not in state.runs


def test_five_minutes_are_counted_in_slots() -> None:
    state = fold(*run("done", "one"), *run("fallback", "two", NOON + 4))
    assert over_time(state, NOON + 4, lambda slot: slot.started)[-3:] == [1, 0, 1]
    later = fold(*run("routing", "three", NOON + WINDOW_SECONDS), state=state)
    assert sum(over_time(later, NOON + WINDOW_SECONDS, lambda slot: slot.started)) == 2
    much_later = fold(*run("routing", "four", NOON + 10 * WINDOW_SECONDS), state=later)
    assert len(much_later.slots) == 1, "what is older is forgotten"


def test_an_item_from_long_ago_is_not_counted_in_the_window() -> None:
    state = fold(*run("routing", "new"), *run("routing", "old", NOON - 2 * WINDOW_SECONDS))
    assert len(state.slots) == 1


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    state = fold(*(item for n in range(20) for item in run("routing", f"{n}", NOON + n / 2)))
    assert requests_a_second(state, NOON + 10) == 2
    assert requests_a_second(state, NOON + 60) == 0.0


def test_shares_are_of_all_that_were_asked() -> None:
    state = fold(*run("done", "one"), *run("fallback", "two"))
    found = shares(state, NOON + 10)
    assert (found["code"], found["math"], found["general"], found["law"]) == (1 / 3, 1 / 3, 1 / 3, 0)
    assert set(shares(state, NOON + 10 * WINDOW_SECONDS).values()) == {0.0}


def test_seconds_of_answers_are_those_of_the_window() -> None:
    state = fold(*run("done", "one"), *run("fallback", "two", NOON + WINDOW_SECONDS))
    assert answer_seconds(state, NOON + 10) == [9.4, 2.4]
    assert answer_seconds(state, NOON + WINDOW_SECONDS + 20) == [2.4]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([5.0, 1.0], 0.9, 5.0), ([1, 2], 0, 1)],
)
def test_percentiles_are_values_that_there_are(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def text(state: Watched, width: int = 120, height: int = 30, now: float = NOON + 10) -> str:
    return "\n".join(line.plain for line in figures(state, Colours(), now, width, height))


def test_what_is_not_known_is_not_said() -> None:
    said = text(fold(Standing(NOON)))
    assert "None" not in said
    assert "Load" not in said
    assert "since the start" not in said


def test_breakers_that_are_open_come_first_and_say_why() -> None:
    backends = {
        "local:a": BreakerState("closed"),
        "openai/b": BreakerState("open", 5, 23.0, "It refused the connection."),
        "openai/c": BreakerState("half_open", 5),
    }
    lines = text(fold(Standing(NOON, backends=backends))).splitlines()
    [head] = [number for number, line in enumerate(lines) if line.startswith("Breakers")]
    assert lines[head].endswith("1 closed, 2 not")
    assert lines[head + 1].startswith("✗ openai/b  open · next try in 23 s · 5 failed in a row · It refused")
    assert lines[head + 2].startswith("◐ openai/c  half open")
    assert lines[head + 3].startswith("✓ local:a  closed")


def test_the_server_tells_load_limits_and_what_it_turned_away() -> None:
    standing = Standing(
        NOON,
        in_flight=3,
        max_in_flight=8,
        queued=2,
        max_queued=64,
        requests=1234,
        failed=3,
        rejected=12,
        cost_usd=0.5,
        tokens=Usage(1000, 500),
        uptime=90_000,
        load=Load(1.44, 412e6),
        agents={"math": ServedAgent("local:a", 2, 4)},
    )
    said = text(fold(standing))
    assert "3 failed · 12 turned away · 3 under way of 8 · 2 queued of 64 · 1,234 since the start" in said
    assert "$0.50 since the start · $0 while watched · 1,000 tokens in, 500 out" in said
    assert "1.4 cores busy · 412 MB of memory · up 25 h 00 min" in said
    assert "2 of 4 ▸" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Line("connecting"), "◌ connecting …"),
        (Line("live"), "● live"),
        (Line("waiting", "broken", 0.3), "✗ no line, trying again in 1 s"),
        (Line("ended", "broken"), "✗ no line"),
    ],
)
def test_the_line_is_told_by_shape_and_word(line: Line, said: str) -> None:
    assert line_text(line, None)[0] == said


def test_what_was_wrong_is_said_until_the_line_is_there_again() -> None:
    state = fold(Line("waiting", "broken", 1.0), Line("connecting"))
    assert state.line == Line("connecting", "broken")
    assert fold(Line("live"), state=state).line == Line("live")


def test_a_server_that_stops_is_said_to() -> None:
    assert "stopping" in line_text(Line("live"), Standing(NOON, draining=True))[0]


numbers = st.sampled_from([0.0, -1.0, 1.0, 2.5, NOON, NOON + 1, NOON + 1e9, -1e300, 1e300, 1e18, inf, -inf, nan])
names = st.sampled_from(["one", "two", "", "\x1b[31m", "שלום"])
all_events: list[Event] = [event for scene in scenes.SCENES.values() for event in scene()]
events = st.builds(lambda event, at: replace(event, at=at), st.sampled_from(all_events), numbers)
counts = st.none() | st.integers(-5, 10**30)
standings = st.builds(
    Standing,
    numbers,
    version=names,
    mixture=names,
    uptime=st.none() | numbers,
    draining=st.booleans(),
    in_flight=counts,
    queued=counts,
    max_queued=counts,
    requests=counts,
    failed=counts,
    rejected=counts,
    cost_usd=st.none() | numbers,
    tokens=st.none() | st.builds(Usage, counts, counts),
    load=st.builds(Load, st.none() | numbers, st.none() | numbers),
    agents=st.dictionaries(names, st.builds(ServedAgent, names, counts, counts), max_size=3),
    backends=st.dictionaries(
        names,
        st.builds(BreakerState, st.sampled_from(["closed", "open", "half_open"]), st.integers(), numbers, names),
        max_size=3,
    ),
)
lines = st.builds(Line, st.sampled_from(["connecting", "live", "waiting", "ended"]), names, st.floats(0, 100))
items = st.one_of(st.builds(Happened, names, numbers, events | st.none()), standings, st.builds(Missed, counts), lines)


@given(st.lists(items, max_size=30), st.integers(1, 200), st.integers(1, 60), numbers)
@settings(deadline=None, max_examples=100)
def test_any_items_in_any_order_can_be_shown(given: list[Item], width: int, height: int, now: float) -> None:
    state = fold(*given)
    now = now if isfinite(now) else state.at
    shown = figures(state, Colours(), now, width, height)
    assert len(shown) <= height
    for listed in state.runs.values():
        shown.append(run_line(listed, now, width, chosen=True))
    assert all(line.cell_length <= width for line in shown)
    assert all("\x1b" not in line.plain and "\n" not in line.plain for line in shown)
    assert len(state.slots) <= SLOTS
    assert [slot.number for slot in state.slots] == sorted({slot.number for slot in state.slots})


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_however_runs_interleave_and_are_repeated_the_counts_are_the_same(data: st.DataObject) -> None:
    scenes_of = {"one": run("done", "one"), "two": run("failed", "two"), "three": run("degraded", "three")}
    left = {name: list(items_of) for name, items_of in scenes_of.items()}
    told: list[Item] = []
    while any(left.values()):
        name = data.draw(st.sampled_from(sorted(name for name, rest in left.items() if rest)))
        told.append(left[name].pop(0))
        if data.draw(st.booleans()):
            told.append(data.draw(st.sampled_from(told)))
    state = fold(*told)
    assert (state.started, state.finished, state.failed, state.degraded) == (3, 2, 1, 2)
    assert {name: found.status for name, found in state.runs.items()} == {
        "one": "finished",
        "two": "failed",
        "three": "finished",
    }
    kinds = [item.event for item in told if isinstance(item, Happened)]
    assert any(isinstance(event, RunStarted) for event in kinds)
    assert any(isinstance(event, Routed | RunFinished) for event in kinds)

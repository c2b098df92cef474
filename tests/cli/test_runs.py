"""`moa runs`: what was asked before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.cli.runs import app
from moa.events import AnswerDelta, RunFailed, ToolCalled, event_from_json
from moa.messages import ToolCall
from moa.store import Store
from tests.cli.commands import run
from tests.store.sample import a_run

FIRST, SECOND = "20260102-030405-aaaa0001", "20260102-030500-bbbb0002"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("MOA_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    with Store() as store:
        yield store


@pytest.fixture
def two(store: Store) -> Store:
    store.append(FIRST, a_run(FIRST, "What is 17 * 23?", started=1e9))
    store.append(SECOND, [*a_run(SECOND, "And\n18 * 24?", started=2e9)[:11]])
    store.end(SECOND, "cancelled")
    return store


def test_without_runs_it_says_how_to_get_one(store: Store) -> None:
    done = run(app)
    assert (done.code, done.out) == (0, "")
    assert "moa ask" in done.err
    assert str(store.path) in done.err
    assert json.loads(run(app, "list", "--json").out) == []


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_it_lists_runs_newest_first(arguments: tuple[str, ...]) -> None:
    header, newer, older = run(app, *arguments).out.splitlines()
    assert header.split() == ["Run", "When", "Question", "Panel", "Status", "Seconds", "Cost"]
    assert newer.startswith(SECOND)
    assert "And 18 * 24?" in newer
    assert "cancelled" in newer
    assert older.startswith(FIRST)
    assert older.split()[-6:] == ["math", "+", "code", "finished", "1.2", "$0.0125"]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("arguments", [("--json",), ("list", "--json")])
def test_the_list_as_json(arguments: tuple[str, ...]) -> None:
    newer, older = json.loads(run(app, *arguments).out)
    assert (newer["id"], newer["status"], newer["cost_usd"]) == (SECOND, "cancelled", None)
    assert older["question"] == "What is 17 * 23?"
    assert older["panel"] == ["math", "code"]
    assert (older["seconds"], older["cost_usd"], older["started_unix"]) == (1.25, 0.0125, 1e9)


@pytest.mark.usefixtures("two")
def test_the_list_can_be_cut() -> None:
    assert len(json.loads(run(app, "list", "--limit", "1", "--json").out)) == 1


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_a_long_question_is_cut_to_the_line(columns: int, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    store.append(FIRST, a_run(FIRST, "why? " * 100))
    _, line = run(app).out.splitlines()
    assert len(line) <= columns
    assert "…" in line
    for whole in (FIRST, "finished", "1.2", "$0.0125"):
        assert whole in line


@pytest.mark.usefixtures("two")
def test_show_tells_question_routing_drafts_and_answer() -> None:
    text = run(app, "show", FIRST).out
    places = [
        text.index(part)
        for part in (
            f"Run {FIRST}",
            "finished",
            "Question\nWhat is 17 * 23?",
            "Routing\nmath (62%) + code (40%)",
            "Draft of math",
            "Draft of code",
            "It broke.",
            "Degraded\ncode: It broke.",
            "Answer (solo)\n391, I think.",
        )
    ]
    assert places == sorted(places)
    assert text.count("391, I think.") == 1  # the answer is the draft, untouched: it need not be read twice


def test_show_and_replay_tell_what_tools_returned(store: Store) -> None:
    started, *rest = a_run(FIRST)
    called = ToolCalled(0.5, "math.1", ToolCall("1", "times", '{"a": 17, "b": 23}'), "391")
    store.append(FIRST, [started, *rest[:8], called, *rest[8:]])
    told = 'times({"a": 17, "b": 23}) → 391'
    assert told in run(app, "show", FIRST).out
    assert told in run(app, "replay", FIRST).out
    [tool] = json.loads(run(app, "show", FIRST, "--json").out)["tools"]
    assert tool == {"draft": "math.1", "name": "times", "arguments": '{"a": 17, "b": 23}', "result": "391"}


@pytest.mark.usefixtures("two")
def test_show_as_json_has_the_shape_of_an_answer() -> None:
    told = json.loads(run(app, "show", FIRST, "--json").out)
    assert told["text"] == "391, I think."
    assert told["messages"] == [{"role": "user", "content": "What is 17 * 23?"}]
    assert told["routing"]["panel"] == ["math", "code"]
    assert [(draft["agent"], draft["status"]) for draft in told["drafts"]] == [("math", "ok"), ("code", "failed")]
    assert told["aggregator"] == {"asked": "synthesize", "ran": "solo", "why": "one of 2 drafts succeeded"}
    assert (told["status"], told["cost_usd"], told["degraded"][0]["who"]) == ("finished", 0.0125, "code")


@pytest.mark.usefixtures("two")
def test_a_run_that_was_cut_off_shows_its_finished_drafts() -> None:
    text = run(app, "show", "last").out
    assert "cancelled" in text.splitlines()[1]
    assert "391, I think." in text
    told = json.loads(run(app, "show", "last", "--json").out)
    assert (told["text"], told["aggregator"]) == ("", None)
    assert told["drafts"][0]["text"] == "391, I think."


def test_a_draft_that_was_cut_off_shows_what_it_had(store: Store) -> None:
    store.append(FIRST, a_run(FIRST)[:8])
    store.end(FIRST, "cancelled")
    math, code = json.loads(run(app, "show", FIRST, "--json").out)["drafts"]
    assert (math["status"], math["text"], math["reasoning"]) == ("cancelled", "391, ", "Seventeen … ")
    assert code["text"] == "3"


def test_an_answer_that_was_cut_off_is_not_passed_off_as_whole(store: Store) -> None:
    store.append(FIRST, [*a_run(FIRST)[:4], AnswerDelta(0.5, "It is 39", "math.1")])
    store.end(FIRST, "cancelled")
    assert "Answer, as far as it came\nIt is 39" in run(app, "show", FIRST).out


def test_a_failed_run_tells_why(store: Store) -> None:
    store.append(FIRST, [a_run(FIRST)[0], RunFailed(3.0, "Nobody could answer.")])
    assert "Nobody could answer." in run(app, "show", "last").out
    assert json.loads(run(app, "show", "last", "--json").out)["error"] == "Nobody could answer."


@pytest.mark.usefixtures("two")
def test_replay_as_json_gives_the_events_one_a_line() -> None:
    lines = run(app, "replay", FIRST, "--json").out.splitlines()
    assert [event_from_json(json.loads(line)) for line in lines] == a_run(FIRST, "What is 17 * 23?", started=1e9)


@pytest.mark.usefixtures("two")
def test_replay_without_a_terminal_prints_the_events_as_lines() -> None:
    lines = run(app, "replay", FIRST).out.splitlines()
    assert len(lines) == len(a_run())
    assert lines[0].strip() == "0.00 s  run_started          What is 17 * 23?"
    assert "routed" in lines[1]
    assert "math (62%) + code (40%)" in lines[1]
    assert lines[-1].split() == ["1.25", "s", "run_finished", "391,", "I", "think."]


def test_control_sequences_of_a_model_do_not_reach_the_terminal(store: Store) -> None:
    store.append(FIRST, [*a_run(FIRST, "red \x1b[31m?")[:9], AnswerDelta(0.8, "\x1b]0;title\x07done")])
    for command in ("list", "show", "replay"):
        arguments = (command,) if command == "list" else (command, FIRST)
        out = run(app, *arguments).out
        assert "\x1b" not in out
        assert "\x07" not in out


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("command", ["show", "replay"])
@pytest.mark.parametrize(
    ("name", "says"), [("99999999", "There is no run '99999999'"), ("2026", "Several runs begin with '2026'")]
)
def test_a_run_that_cannot_be_found_is_one_clear_sentence(command: str, name: str, says: str) -> None:
    done = run(app, command, name)
    assert (done.code, done.out) == (1, "")
    assert says in done.err


@pytest.mark.usefixtures("two")
def test_the_beginning_of_an_identifier_is_enough() -> None:
    assert f"Run {FIRST}" in run(app, "show", "20260102-0304").out


def test_a_broken_database_is_one_clear_sentence(store: Store) -> None:
    store.path.write_text("no database " * 500)
    done = run(app)
    assert done.code == 1
    assert "is damaged" in done.err
    assert "Move it away" in done.err


@pytest.mark.parametrize(
    "arguments", [("show",), ("list", "--limit", "0"), ("replay", "last", "--speed", "0"), ("shwo",)]
)
def test_bad_usage_exits_with_2(store: Store, arguments: tuple[str, ...]) -> None:
    store.append(FIRST, a_run(FIRST))
    assert run(app, *arguments).code == 2


@pytest.mark.usefixtures("two")
def test_good_answers_are_exported_as_training_data(tmp_path: Path) -> None:
    [row] = map(json.loads, run(app, "export", "--feedback", "any").out.splitlines())
    assert row["messages"][0] == {"role": "user", "content": "What is 17 * 23?"}
    assert row["messages"][-1]["role"] == "assistant"

    file = tmp_path / "rows.jsonl"
    done = run(app, "export", "--feedback", "any", "--out", str(file))
    assert done.out == f"Wrote 1 row to {file}.\n"
    assert json.loads(file.read_text()) == row
    assert run(app, "export", "--feedback", "any", "--out", str(file)).code == 2
    assert run(app, "export", "--feedback", "any", "--out", str(file), "--force").code == 0


@pytest.mark.usefixtures("two")
def test_when_nothing_fits_it_says_so() -> None:
    done = run(app, "export", "--feedback", "good")
    assert (done.code, done.out) == (0, "")
    assert "Nothing that was stored fits." in done.err


def test_an_evaluation_that_is_not_there_cannot_be_exported(tmp_path: Path) -> None:
    done = run(app, "export", "--eval", str(tmp_path))
    assert done.code == 2
    assert "There is no evaluation in" in done.err

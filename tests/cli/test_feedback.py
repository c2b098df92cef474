from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moa.cli.feedback import app
from moa.cli.route import route
from moa.events import RunStarted
from moa.messages import Message
from moa.store import Pair, Side, Store, Verdict, add_pair
from tests.cli.commands import run
from tests.store.sample import a_run


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("MOA_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Store(tmp_path / "moa.db")


@pytest.fixture
def a_stored_run(store: Store) -> str:
    store.append("r1", a_run("r1"))
    return "r1"


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(app, "list", "--json").out)["verdicts"]
    return found


@pytest.mark.usefixtures("a_stored_run")
class TestAdding:
    def test_a_thumb_is_about_the_question_as_it_was_routed(self) -> None:
        done = run(app, "add", "last", "--agent", "math", "--good")
        assert done.code == 0
        assert done.out == "Noted as number 1: math's answer was good. Take it back with: moa feedback undo 1\n"
        [verdict] = listed()
        assert (verdict["agent"], verdict["good"], verdict["better"]) == ("math", True, None)
        assert (verdict["run"], verdict["mixture"], verdict["question"]) == ("r1", "starter", "What is 17 * 23?")

    def test_another_agent_can_have_been_better(self) -> None:
        assert "law was better than math" in run(app, "add", "r1", "--agent", "math", "--better", "law").out
        [verdict] = listed()
        assert (verdict["good"], verdict["better"]) == (False, "law")

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["r1", "--agent", "math"], "Say one of --good, --bad and --better"),
            (["r1", "--agent", "math", "--good", "--bad"], "Say one of --good, --bad and --better"),
            (["r1", "--good"], "math and code answered. Say whose answer is meant with --agent"),
            (["r1", "--agent", "art", "--good"], "no agent 'art' in that run. There are math, code, law"),
            (["r1", "--agent", "math", "--better", "math"], "math cannot be better than math"),
        ],
    )
    def test_what_cannot_be_meant_is_an_error(self, arguments: list[str], complaint: str) -> None:
        done = run(app, "add", *arguments)
        assert done.code == 2
        assert complaint in done.err
        assert listed() == []

    def test_a_follow_up_is_noted_with_the_question_that_it_leans_on(self, store: Store) -> None:
        messages = Message("user", "Sort a list in Go"), Message("assistant", "…"), Message("user", "and in Python?")
        events = [RunStarted(0.0, "r2", 2e9, "starter", messages, {}), *a_run("r2")[1:]]
        store.append("r2", events)
        run(app, "add", "r2", "--agent", "code", "--good")
        assert listed()[0]["question"] == "Sort a list in Go\nand in Python?"


@pytest.mark.usefixtures("a_stored_run")
class TestTakingBack:
    def test_one(self) -> None:
        run(app, "add", "r1", "--agent", "math", "--good")
        run(app, "add", "r1", "--agent", "code", "--bad")
        assert run(app, "undo", "1").out == "Number 1 is undone.\n"
        assert [verdict["agent"] for verdict in listed()] == ["code"]
        assert run(app, "undo", "1").code == 1

    def test_all(self) -> None:
        run(app, "add", "r1", "--agent", "math", "--good")
        assert run(app, "clear").out == "Removed 1 verdict.\n"
        assert listed() == []

    def test_switched_off_it_is_kept(self) -> None:
        run(app, "off")
        done = run(app, "add", "r1", "--agent", "math", "--good")
        assert "changes nothing until: moa feedback on" in done.err
        assert json.loads(run(app, "list", "--json").out)["feedback"] == "off"
        assert len(listed()) == 1
        run(app, "on")
        assert json.loads(run(app, "--json").out)["feedback"] == "on"


def test_the_list_is_for_people_too(a_stored_run: str) -> None:
    assert "Nothing was said" in run(app).err
    run(app, "add", a_stored_run, "--agent", "math", "--better", "code")
    lines = run(app, "list").out.splitlines()
    assert lines[0].split() == ["No.", "Agent", "Verdict", "Question"]
    assert lines[1].split() == ["1", "math", "code", "was", "better", "What", "is", "17", "*", "23?"]


def test_looking_at_an_empty_list_makes_no_database(store: Store) -> None:
    run(app, "list")
    assert not store.path.exists()


def test_the_route_heeds_it_and_shows_it(store: Store) -> None:
    Path("starter.py").write_text(
        "from moa import Agent, Mixture\n"
        'MODEL = "http://127.0.0.1:9/v1#m"\n'
        'agents = [Agent("general", model=MODEL), Agent("math", model=MODEL, examples=["What is 2 + 2?"]),\n'
        '          Agent("code", model=MODEL, examples=["What is 2 + 2 in Python?"])]\n'
        'mixture = Mixture(agents, name="starter")\n'
    )
    plain = json.loads(run(route, "What is 17 * 23?", "-m", "starter.py", "--json").out)
    store.append("r1", a_run("r1"))
    for _ in range(10):
        run(app, "add", "r1", "--agent", "math", "--bad")

    heeding = json.loads(run(route, "What is 17 * 23?", "-m", "starter.py", "--json").out)
    shown = run(route, "What is 17 * 23?", "-m", "starter.py").out

    before, after = (routing["agents"][1] for routing in (plain, heeding))
    assert before["feedback_bias"] == 0 > after["feedback_bias"]
    assert before["probability"] == after["probability"]
    assert f"feedback {after['feedback_bias']:+.2f}" in shown


class TestPairs:
    @pytest.fixture(autouse=True)
    def two_votes(self, store: Store) -> None:
        for name in ("r1", "r2"):
            store.append(name, a_run(name))
        left, right = Side("r1", ("math",), ("local:m",)), Side("r2", ("law",), ("openai/l",))
        blame = Verdict(0, 5.0, "starter", "r1", "What is 17 * 23?", "math", good=False, better="law")
        add_pair(store, Pair(0, 5.0, "starter", left, right, "right"), [blame])
        add_pair(store, Pair(0, 6.0, "starter", left, right, "tie"))

    def test_they_are_listed_the_newest_first(self) -> None:
        shown = run(app, "pairs").out.splitlines()
        assert shown[0].split() == ["No.", "Left", "Right", "Better", "Question"]
        assert "neither is better" in shown[1]
        assert "the right one" in shown[2]
        assert [case["id"] for case in json.loads(run(app, "pairs", "--json").out)["pairs"]] == [2, 1]

    def test_they_are_exported_as_evaluation_cases(self, tmp_path: Path) -> None:
        file = tmp_path / "cases.jsonl"
        assert run(app, "export", "--pairs", str(file)).out == f"Wrote 2 cases to {file}.\n"
        first, second = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        assert (first["question"], first["choice"], first["given"]) == (
            "What is 17 * 23?",
            "right",
            "1970-01-01T00:00:05Z",
        )
        assert (first["left"]["run"], first["left"]["agents"], first["left"]["models"]) == ("r1", ["math"], ["local:m"])
        assert first["right"]["answer"]
        assert second["choice"] == "tie"

    def test_they_are_printed_where_no_file_is_wanted(self) -> None:
        assert [json.loads(line)["id"] for line in run(app, "export", "--pairs", "-").out.splitlines()] == [1, 2]

    def test_a_file_that_is_there_is_replaced_only_on_demand(self, tmp_path: Path) -> None:
        file = tmp_path / "cases.jsonl"
        file.write_text("mine")
        refused = run(app, "export", "--pairs", str(file))
        assert refused.code != 0
        assert "is there already" in refused.err
        assert file.read_text() == "mine"
        assert run(app, "export", "--pairs", str(file), "--force").code == 0
        assert file.read_text().count("\n") == 2

    def test_a_file_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        done = run(app, "export", "--pairs", str(tmp_path / "missing" / "cases.jsonl"))
        assert done.code != 0
        assert "cannot be written: No such file or directory" in done.err

    def test_a_vote_is_taken_back_with_what_it_counted_as(self) -> None:
        assert len(listed()) == 1
        assert run(app, "undo", "1", "--pair").out == "Vote number 1 is undone.\n"
        assert listed() == []
        assert "no vote number 1" in run(app, "undo", "1", "--pair").err

    def test_everything_can_be_taken_back(self) -> None:
        assert run(app, "clear").out == "Removed 1 verdict and 2 votes on two answers.\n"
        assert "No two answers were compared yet" in run(app, "pairs").err

"""`moa train gate` from answers, with the real light encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.route import route
from moa.cli.train import app
from tests.cli.commands import run
from tests.routing.training.answered import TEXTS, specialists, thrift

Row = dict[str, object]


def write(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def questions() -> list[Row]:
    """A row a question."""
    matrix = thrift()
    assert matrix.cost is not None
    return [
        {
            "prompt": text,
            "correct": dict(zip(matrix.agents, success.tolist(), strict=True)),
            "cost": dict(zip(matrix.agents, cost.tolist(), strict=True)),
        }
        for text, success, cost in zip(TEXTS, matrix.success, matrix.cost, strict=True)
    ]


def answers() -> list[Row]:
    """A row an answer."""
    matrix = specialists()
    return [
        {"prompt": text, "system": agent, "score": success}
        for text, row in zip(TEXTS, matrix.success.tolist(), strict=True)
        for agent, success in zip(matrix.agents, row, strict=True)
    ]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    return tmp_path


def train(*arguments: str) -> tuple[str, ...]:
    return ("gate", "--data", "a.jsonl", "--out", "made", *arguments)


def test_training_at_the_lowest_cost_then_routing_from_end_to_end(folder: Path) -> None:
    write(folder / "a.jsonl", questions())
    done = run(app, *train("--keep", "0.01", "--json"))

    assert done.code == 0
    report = json.loads(done.out)
    assert report["kind"] == "responses"
    assert report["agents"] == ["cheap", "dear"]
    figures = report["held_out"]["all"]
    assert figures["difference"] >= -0.01
    assert figures["cost_share"] < 0.85
    assert report["price"] > 0
    assert 0 <= report["held_out"]["calibration_error"] < 0.1
    assert "learning the answers of 2 agents to 120 questions" in done.err

    write(folder / "new.jsonl", [{"text": "How do I cook pasta?"}, {"text": "How do I repair brakes?"}])
    assert run(route, "--file", "new.jsonl", "--gate", "made", "--out", "o.jsonl").code == 0
    pasta, brakes = (json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines())
    assert (pasta["panel"], brakes["panel"]) == (["cheap"], ["dear"])
    assert pasta["scores"].keys() == {"cheap", "dear"}
    assert not pasta["fallback"]

    assert run(route, "How do I cook pasta?", "--gate", "made").out.startswith("cheap would answer\n")


def test_a_row_may_be_one_answer(folder: Path) -> None:
    write(folder / "a.jsonl", answers())
    done = run(app, *train())

    assert done.code == 0
    assert "It chooses among 3 agents, learned from 360 answers to 120 questions." in done.out
    for expected in ("best single agent", "oracle", "95 % interval", "expected calibration error"):
        assert expected in done.out


def test_fields_may_have_other_names(folder: Path) -> None:
    names = {"prompt": "asked", "system": "who", "score": "right"}
    write(folder / "a.jsonl", [{names[field]: value for field, value in row.items()} for row in answers()])
    named = ("--text-field", "asked", "--system-field", "who", "--score-field", "right")

    done = run(app, *train(*named, "--json"))

    assert done.code == 0
    assert json.loads(done.out)["training"]["answers"] == 360


GOOD: Row = {"prompt": "x", "correct": {"a": 1, "b": 0}}
ANSWER: Row = {"prompt": "x", "system": "a", "score": 1}


@pytest.mark.parametrize(
    ("rows", "options", "code", "said"),
    [
        ([GOOD], (), 1, "Only 1 questions were answered by two agents or more"),
        ([GOOD, {"prompt": "y"}], (), 2, "a.jsonl, line 2 has no field 'correct'"),
        ([GOOD, {"prompt": " ", "correct": {}}], (), 2, "line 2: the field 'prompt' is blank"),
        ([GOOD, {"prompt": "y", "correct": [1, 0]}], (), 2, "line 2: the field 'correct' must be an object of agents"),
        ([{"prompt": "y", "correct": {"a": 7}}], (), 2, "line 1: the success of 'a' must be a number 0 … 1"),
        ([GOOD | {"cost": 3}], (), 2, "line 1: the field 'cost' must be an object of agents and costs, or null"),
        ([GOOD | {"cost": {"a": -3}}], (), 2, "line 1: the cost of 'a' must be a number, 0 or more, not -3"),
        ([ANSWER, ANSWER | {"system": None}], (), 2, "line 2: the field 'system' must be the name of who answered"),
        ([ANSWER, ANSWER | {"score": "yes"}], (), 2, "line 2: the field 'score' must be a number 0 … 1"),
        ([ANSWER, {"prompt": "x", "system": "b"}], (), 2, "line 2 has no field 'score'"),
        ([GOOD], ("--label-field", "l", "--correct-field", "correct"), 2, "cannot go together"),
        ([GOOD], ("--target", "recall=0.9"), 2, "--target is not for answers"),
        ([{"text": "x", "label": "a"}], ("--keep", "0.01"), 2, "--keep is not for labelled questions"),
        ([{"text": "x", "label": "a"}], ("--price", "2"), 2, "--price is not for labelled questions"),
        ([{"text": "x", "label": "a"}], ("--label-field", "label", "--cost-field", "usd"), 2, "--cost-field belongs"),
        ([GOOD], ("--keep", "0.01", "--price", "2"), 2, "--keep finds the price"),
    ],
)
def test_data_from_which_nothing_can_be_learned(
    folder: Path, rows: list[Row], options: tuple[str, ...], code: int, said: str
) -> None:
    write(folder / "a.jsonl", rows)
    done = run(app, *train(*options))
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert not (folder / "made").exists()


def test_a_share_to_keep_without_costs_is_refused_before_the_work(folder: Path) -> None:
    write(folder / "a.jsonl", answers())
    done = run(app, *train("--keep", "0.01"))
    assert done.code == 1
    assert "the cost of some agents is not known" in done.err
    assert "learning" not in done.err

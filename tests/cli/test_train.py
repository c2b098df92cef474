"""`moa train gate`, with the real light encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.route import route
from moa.cli.train import app
from tests.cli.commands import run
from tests.routing.shop import LABELLED, STRANGE


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    rows: list[dict[str, object]] = [{"text": text, "domain": label} for text, label in LABELLED]
    rows += [{"text": text, "domain": None} for text in STRANGE]
    (tmp_path / "q.jsonl").write_text(lines(rows))
    return tmp_path


def train(*arguments: str) -> tuple[str, ...]:
    return ("gate", "--data", "q.jsonl", "--label-field", "domain", "--out", "made", *arguments)


def test_training_then_routing_by_labels_from_end_to_end(folder: Path) -> None:
    done = run(app, *train("--json"))

    assert done.code == 0
    report = json.loads(done.out)
    assert report["labels"] == ["garage", "garden", "kitchen"]
    assert {"accuracy", "macro_f1", "calibration_error", "out_of_scope_auroc"} <= report["held_out"].keys()
    assert report["held_out"]["accuracy"] > 0.9
    assert "learning 3 labels from 138 questions" in done.err

    (folder / "new.jsonl").write_text(
        lines([{"text": "How long must pasta be cooked?"}, {"text": "Who mapped the poets of Rome?"}])
    )
    assert run(route, "--file", "new.jsonl", "--gate", "made", "--out", "o.jsonl").code == 0
    pasta, rome = (json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines())
    assert pasta["panel"] == ["kitchen"]
    assert not pasta["fallback"]
    assert rome["fallback"]
    assert rome["panel"] == [max(rome["scores"], key=rome["scores"].get)]
    assert pasta["scores"].keys() == {"garage", "garden", "kitchen"}
    assert sum(rome["scores"].values()) < sum(pasta["scores"].values()) <= 1 + 1e-9

    shown = run(route, "How do I repair a bicycle?", "--gate", "made")
    assert shown.out.startswith("garage would answer\n")


def test_people_get_figures_and_a_confusion_table() -> None:
    done = run(app, *train())
    assert done.out.startswith("The gate is saved in made.\n")
    for expected in ("accuracy", "macro-F1", "expected calibration error", "out-of-scope AUROC", "(out of scope)"):
        assert expected in done.out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 2, "q.jsonl is empty"),
        ('{"text": "x", "domain": "a"}\n{"text": \n', 2, "q.jsonl, line 2 is not JSON"),
        ('{"text": "x"}\n', 2, "q.jsonl, line 1 has no field 'domain'"),
        ('{"text": 5, "domain": "a"}\n', 2, "q.jsonl, line 1: the field 'text' must be a string, not 5"),
        ('{"text": "  ", "domain": "a"}\n', 2, "q.jsonl, line 1: the field 'text' is blank"),
        ('{"text": "x", "domain": 3}\n', 2, "q.jsonl, line 1: the field 'domain' must be a label"),
        ('{"text": "x", "domain": "a"}\n{"text": "y", "domain": "a"}\n', 1, "only 'a'"),
        ('{"text": "x", "domain": "a"}\n{"text": "y", "domain": "b"}\n', 1, "has a single question"),
    ],
)
def test_data_from_which_nothing_can_be_learned(folder: Path, text: str, code: int, said: str) -> None:
    (folder / "q.jsonl").write_text(text)
    done = run(app, *train())
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert not (folder / "made").exists()


def test_a_target_that_is_no_gate_is_refused_before_the_work(folder: Path) -> None:
    (folder / "made").mkdir()
    (folder / "made" / "letter.txt").write_text("dear")
    done = run(app, *train())
    assert done.code == 1
    assert "something that is not a gate" in done.err
    assert "learning" not in done.err


def test_thresholds_are_fitted_to_a_target_and_used() -> None:
    done = run(app, *train("--json", "--target", "recall=0.9", "--calibration", "platt"))

    report = json.loads(done.out)
    assert report["calibration"]["method"] == "platt"
    assert report["thresholds"]["target"] == {"recall": 0.9}
    garden = report["thresholds"]["labels"]["garden"]
    assert garden["held_out"]["recall"] > 0.7

    routed = json.loads(run(route, "When do I prune the hedges?", "--gate", "made", "--json").out)
    thresholds = {agent["name"]: agent["threshold"] for agent in routed["agents"]}
    assert thresholds["garden"] == garden["threshold"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--target", "cost=1", "is no target. Write precision=0.9"), ("--calibration", "magic", "There are temperature")],
)
def test_a_wish_that_makes_no_sense_is_refused_before_the_work(
    folder: Path, option: str, value: str, said: str
) -> None:
    done = run(app, *train(option, value))

    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not (folder / "made").exists()

"""`moa eval`: from questions in a table to a paired answer, a report and a policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.evals import app
from tests.cli.commands import run

MIXTURE = """
from moa import Agent, Mixture, Router, Vote
sage = Agent("sage", model="replay:answers.jsonl#sage", about="all that is", examples=["What is the sum of 1 and 1?"])
fool = Agent("fool", model="replay:answers.jsonl#fool", about="nothing", examples=["Tell me a joke about cats."])
mixture = Mixture([sage, fool], name="both", router=Router(k=2), aggregator=Vote())
"""
COUNT = 12


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with questions, a mixture, and what its models once answered."""
    monkeypatch.chdir(tmp_path)
    table = [f"What is the sum of {n} and {n}?,{2 * n},sage" for n in range(1, COUNT + 1)]
    (tmp_path / "sums.csv").write_text("\n".join(["question,answer,field", *table]), "utf-8")
    answers = [
        {"question": f"What is the sum of {n} and {n}?", "model": model, "text": f"It is {value}."}
        for n in range(1, COUNT + 1)
        for model, value in (("sage", 2 * n), ("fool", 2 * n if n < 4 else 0))
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)), "utf-8")
    (tmp_path / "mine.py").write_text(MIXTURE, "utf-8")
    return tmp_path


def test_three_commands_lead_from_a_table_to_a_paired_answer(here: Path) -> None:
    ran = run(app, "run", "sums.csv", "-s", "agent:sage", "-s", "agent:fool", "-m", "mine.py", "--out", "evals/sums")
    compared = run(app, "compare", "evals/sums", "sage", "fool")
    written = run(app, "report")

    assert (ran.code, compared.code, written.code) == (0, 0, 0)
    assert "sage is better than fool" in ran.out
    assert "24 of 24 answers, 0 errors, 0.0000 USD" in ran.err
    assert "sage is better than fool: +75.0 points" in compared.out
    assert (here / "evals" / "sums.html").read_text("utf-8").startswith("<!doctype html>")


def test_the_same_command_goes_on_where_it_was_stopped(here: Path) -> None:
    first = run(app, "run", "sums.csv", "-s", "agent:sage", "-m", "mine.py", "-o", "evals/a", "-n", "5", "--json")
    again = run(app, "run", "sums.csv", "-s", "agent:sage", "-m", "mine.py", "-o", "evals/a", "--json")

    assert json.loads(first.out)["suites"][0]["systems"][0]["n"] == 5
    assert json.loads(again.out)["suites"][0]["systems"][0]["n"] == COUNT
    assert len((here / "evals/a/records.jsonl").read_text("utf-8").splitlines()) == COUNT


def test_an_estimate_asks_nobody_and_makes_no_folder(here: Path) -> None:
    done = run(app, "run", "sums.csv", "-s", "agents", "-m", "mine.py", "--estimate", "--json")

    assert json.loads(done.out)["calls"] == 2 * COUNT
    assert not (here / "evals").exists()


def test_a_run_that_may_cost_something_wants_a_word_first() -> None:
    refused = run(app, "run", "sums.csv", "-s", "model:nobody/knows-this", "-o", "evals/x")
    capped = run(app, "run", "sums.csv", "-s", "model:nobody/knows-this", "-o", "evals/x", "--max-usd", "1")

    assert (refused.code, capped.code) == (2, 2)
    assert "Say --yes" in refused.err
    assert "--max-usd cannot be kept: no price is known of nobody/knows-this" in capped.err


def test_mistakes_are_said() -> None:
    for arguments, told in (
        (("run", "none.csv"), "There is no file none.csv"),
        (("run", "sums.csv", "-s", "agent:sage", "-m", "mine.py", "--scorer", "nope"), "nope"),
        (("run", "sums.csv", "--scorer-option", "x"), "must be NAME=VALUE"),
        (("run", "sums.csv", "sums.csv", "-m", "mine.py"), "Two of the suites are called 'sums'"),
        (("compare",), "There is no evaluation here yet"),
        (("report", "nowhere"), "There is no folder nowhere"),
    ):
        done = run(app, *arguments)
        assert done.code == 2
        assert told in done.err


def test_two_runs_are_compared_system_by_system() -> None:
    for name in ("before", "after"):
        run(app, "run", "sums.csv", "-s", "agent:sage", "-m", "mine.py", "-o", f"evals/{name}")

    done = run(app, "compare", "evals/before", "evals/after", "--json")

    [suite] = json.loads(done.out)["suites"]
    [pair] = suite["comparisons"]
    assert (pair["system"], pair["other"], pair["found"]["ties"]) == ("sage(2)", "sage(1)", COUNT)
    assert run(app, "compare", "evals/before", "sage", "foo").err.endswith("There are sage.")


def test_a_report_may_be_markdown_csv_or_json(here: Path) -> None:
    run(app, "run", "sums.csv", "-s", "agents", "-m", "mine.py", "-o", "evals/a")

    markdown = run(app, "report", "--format", "md", "--out", "-").out
    table = run(app, "report", "-o", "all.csv", "--json").out

    assert "| sage | 1.000 |" in markdown
    assert json.loads(table)["format"] == "csv"
    assert len((here / "all.csv").read_text("utf-8").splitlines()) == 1 + 2 * COUNT


def test_a_response_matrix_is_replayed_without_any_model(here: Path) -> None:
    rows = [
        {
            "prompt": f"q{n}",
            "domain": "a" if n % 2 else "b",
            "correct": {"big": 1, "small": n % 2},
            "cost": {"big": 0.01, "small": 0.001},
        }
        for n in range(40)
    ]
    (here / "matrix.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    choices = [{"prompt": f"q{n}", "model": "small" if n % 2 else "big"} for n in range(40)]
    (here / "mine.jsonl").write_text("\n".join(map(json.dumps, choices)), "utf-8")

    done = run(app, "replay", "matrix.jsonl", "--choices", "mine.jsonl", "--json")

    [family] = json.loads(done.out)["families"]
    figures = {row["name"]: row for row in family["strategies"]}
    assert figures["mine"]["accuracy"]["value"] == 1.0
    assert figures["mine"]["usd"] == pytest.approx(0.0055)
    assert figures["best single"]["accuracy"]["value"] == 1.0
    assert figures["mine"]["arena_score"] > figures["best single"]["arena_score"]
    assert family["routellm"]["oracle"]["apgr"] == pytest.approx(0.75, abs=0.02)
    assert "Arena score" in run(app, "replay", "matrix.jsonl").out


def test_a_policy_is_tuned_and_then_run_like_any_other_system(here: Path) -> None:
    run(app, "run", "sums.csv", "-s", "agents", "-s", "mixture", "-m", "mine.py", "-o", "evals/a")

    tuned = run(app, "tune", "evals/a", "--json", "--matrix", "matrix.jsonl")
    ran = run(app, "run", "sums.csv", "-s", "policy:policy.json", "-m", "mine.py", "-o", "evals/b", "--json")

    assert json.loads(tuned.out)["promised"]["accuracy"]["value"] == 1.0
    assert json.loads((here / "policy.json").read_text("utf-8"))["evidence"]["*"]["accuracy"] == 1.0
    [suite] = json.loads(ran.out)["suites"]
    assert suite["systems"][0]["accuracy"]["value"] == 1.0
    assert len((here / "matrix.jsonl").read_text("utf-8").splitlines()) == COUNT
    assert "Promised by cross-validation: 1.000 on 12 samples" in run(app, "tune", "evals/a").out

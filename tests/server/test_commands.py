"""`moa serve` and `moa keys`, as somebody at a terminal uses them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from moa.cli import keys as keys_command
from moa.cli import serve as serve_command
from tests.cli.commands import run

AGENTS = """
from pathlib import Path
from moa import Agent, Mixture
from moa.backends.replay import Replay

math = Agent("math", model=Replay(Path(__file__).parent / "answers.jsonl", "m"))
mixture = Mixture([math], name="sums")
"""
_SERVES = re.compile(r"moa serves sums at (http://\S+)/v1")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with a mixture in it that replays one answer."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "sums.py").write_text(AGENTS, "utf-8")
    (tmp_path / "answers.jsonl").write_text('{"question": "17 * 23?", "model": "m", "answer": "391"}\n', "utf-8")
    return tmp_path


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `moa serve` in a process of its own, and end it."""
    command = [sys.executable, "-m", "moa", "serve", str(home / "sums.py"), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ, cwd=home)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := _SERVES.search(line):
                yield process, found[1]
                break
        else:
            raise AssertionError("It ended without having served.")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


class TestKeys:
    def test_a_key_is_made_listed_and_taken_away(self, tmp_path: Path) -> None:
        file = str(tmp_path / "keys.json")
        made = run(keys_command.app, "add", "laptop", "--usd-per-day", "2", "--agent", "math", "--keys", file)
        secret = made.out.strip()
        assert secret.startswith("moa-")
        assert "cannot be shown again" in made.err
        listed = run(keys_command.app, "list", "--keys", file)
        assert "laptop" in listed.out
        assert "2.0 USD a day, only math" in listed.out
        assert secret not in listed.out
        told = json.loads(run(keys_command.app, "list", "--json", "--keys", file).out)
        assert "hash" not in told[0]
        assert "opens nothing" in run(keys_command.app, "revoke", "laptop", "--keys", file).out
        assert "revoked" in run(keys_command.app, "list", "--keys", file).out

    def test_what_makes_no_sense_is_refused(self, tmp_path: Path) -> None:
        file = str(tmp_path / "keys.json")
        assert run(keys_command.app, "revoke", "nobody", "--keys", file).code == 2
        assert run(keys_command.app, "add", "x", "--usd-per-day", "-1", "--keys", file).code == 2
        assert "no keys" in run(keys_command.app, "list", "--keys", file).out


class TestServe:
    def test_a_public_address_without_keys_is_refused(self, home: Path) -> None:
        done = run(serve_command.serve, str(home / "sums.py"), "--host", "0.0.0.0")
        assert done.code == 2
        assert "moa keys add" in done.err

    def test_a_port_that_is_taken_is_said_to_be(self, home: Path) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run(serve_command.serve, str(home / "sums.py"), "--port", str(taken.getsockname()[1]))
        assert done.code == 2
        assert "Choose another port" in done.err

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
    def test_it_answers_until_it_is_told_to_stop(self, home: Path) -> None:
        with serving(home, "--log", "json") as (process, url):
            with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
                answer = client.chat.completions.create(
                    model="sums", messages=[{"role": "user", "content": "17 * 23?"}]
                )
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            logged = [json.loads(line) for line in process.stderr]
            code = process.wait(30)
        assert answer.choices[0].message.content == "391"
        assert code == 0
        [request] = [line for line in logged if line.get("path") == "/v1/chat/completions"]
        assert (request["status"], request["panel"]) == (200, ["math"])
        assert "17 * 23" not in json.dumps(logged)

    def test_where_there_are_keys_one_is_asked_for(self, home: Path) -> None:
        file = str(home / "keys.json")
        secret = run(keys_command.app, "add", "laptop", "--keys", file).out.strip()
        with serving(home, "--keys", file) as (_, url):
            without = httpx.get(f"{url}/v1/models")
            with_key = httpx.get(f"{url}/v1/models", headers={"authorization": f"Bearer {secret}"})
        assert (without.status_code, with_key.status_code) == (401, 200)

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from moa.errors import EngineError
from moa.local.child import Child
from moa.local.engine import EngineSettings, close_engines, engine_for, stop_engines
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.processes import ends, needs_pidfd

pytestmark = pytest.mark.usefixtures("engines")


def settings_of(model: Path) -> EngineSettings:
    return EngineSettings(model, context=500, slots=1)


def asked(child: Child, path: str, secret: str | None = None) -> int:
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return httpx.get(child.address + path, headers=headers, trust_env=False).status_code


def test_the_engine_serves_its_model_to_those_who_know_the_secret(smallest: Path) -> None:
    child = engine_for("smallest", settings_of(smallest)).start()
    assert child.address.startswith("http://127.0.0.1:")
    assert child.pid != os.getpid()
    assert asked(child, "/v1/models", child.secret) == 200
    assert asked(child, "/v1/models", "guessed") == 401
    assert asked(child, "/v1/models") == 401


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_secret_is_neither_an_argument_nor_in_the_environment(smallest: Path) -> None:
    child = engine_for("smallest", settings_of(smallest)).start()
    for place in ("cmdline", "environ"):
        assert child.secret.encode() not in Path(f"/proc/{child.pid}/{place}").read_bytes()
    assert child.secret not in repr(vars(child)["_process"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("own", "policy"), [(None, b"PASSIVE"), ("active", b"active")])
def test_its_threads_do_not_spin_unless_the_user_says_so(
    smallest: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, policy: bytes
) -> None:
    if own:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)
    child = engine_for("smallest", settings_of(smallest)).start()
    assert b"OMP_WAIT_POLICY=" + policy in Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")


def test_everyone_who_wants_a_model_gets_the_same_engine_started_once(smallest: Path) -> None:
    settings = settings_of(smallest)
    ready = threading.Barrier(4)

    def want() -> int:
        ready.wait()
        return engine_for("smallest", settings).start().pid

    with ThreadPoolExecutor(4) as threads:
        assert len({future.result() for future in [threads.submit(want) for _ in range(4)]}) == 1


def test_an_engine_that_died_starts_anew(smallest: Path) -> None:
    engine = engine_for("smallest", settings_of(smallest))
    first = engine.start()
    os.kill(first.pid, signal.SIGKILL)
    died = first.end(within_seconds=60)
    assert isinstance(died, EngineError)
    assert "smallest was killed (SIGKILL). Ask again" in str(died)
    assert died.retryable
    assert engine.child is None
    second = engine.start()
    assert second.pid != first.pid
    assert asked(second, "/health") == 200
    assert second.end(within_seconds=0) is None


def test_stopping_ends_the_process_and_may_be_repeated(smallest: Path) -> None:
    engine = engine_for("smallest", settings_of(smallest))
    child = engine.start()
    stop_engines()
    stop_engines()
    assert child.end(within_seconds=0)
    assert engine.child is None


async def test_stopping_from_a_coroutine(smallest: Path) -> None:
    child = engine_for("smallest", settings_of(smallest)).start()
    await close_engines()
    assert child.end(within_seconds=0)


PARENT = """
import sys
from pathlib import Path
from moa.local.child import Child

child = Child("smallest", Path(sys.argv[1]), 512, 1)
if sys.argv[2] == "loaded":
    child.wait_until_loaded()
print(child.pid, flush=True)
if sys.argv[3] == "wait":
    sys.stdin.read()
"""


def parent(smallest: Path, when: str, then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(smallest), when, then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@needs_pidfd
@pytest.mark.parametrize("when", ["loading", "loaded"])
def test_a_parent_that_is_killed_leaves_no_orphan(smallest: Path, when: str) -> None:
    with parent(smallest, when, "wait") as process:
        assert process.stdout
        child = int(process.stdout.readline())
        process.kill()
        assert ends(child)


@needs_pidfd
def test_a_program_that_ends_without_a_word_leaves_no_orphan(smallest: Path) -> None:
    with parent(smallest, "loaded", "end") as process:
        assert process.stdout
        assert ends(int(process.stdout.readline()))
        assert process.wait() == 0


@needs_pidfd
def test_the_engine_outlives_the_thread_that_asked_for_it(smallest: Path) -> None:
    engine = engine_for("smallest", settings_of(smallest))
    thread = threading.Thread(target=engine.start)
    thread.start()
    thread.join()
    assert engine.child
    assert not ends(engine.child.pid, within_seconds=0.2)


def test_ctrl_c_in_the_terminal_is_not_the_engines(smallest: Path) -> None:
    child = engine_for("smallest", settings_of(smallest)).start()
    os.kill(child.pid, signal.SIGINT)
    assert asked(child, "/health") == 200


def test_a_model_gets_no_more_context_than_it_was_trained_on(smallest: Path) -> None:
    child = engine_for("smallest", EngineSettings(smallest, context=1_000_000, slots=1)).start()
    props = httpx.get(
        f"{child.address}/props", headers={"authorization": f"Bearer {child.secret}"}, trust_env=False
    ).json()
    assert props["default_generation_settings"]["n_ctx"] == 8192


def test_a_base_model_is_refused(tmp_path: Path) -> None:
    values = {key: value for key, value in CHAT.items() if key != "tokenizer.chat_template"}
    engine = engine_for("base", settings_of(write_gguf(tmp_path / "base.gguf", values)))
    with pytest.raises(EngineError, match=r"base \(llama\) has no chat template.*Use an instruct"):
        engine.start()


def test_a_model_that_the_engine_cannot_load_is_told_in_its_words(tmp_path: Path) -> None:
    engine = engine_for("hollow", settings_of(write_gguf(tmp_path / "hollow.gguf", CHAT)))
    with pytest.raises(EngineError, match=r"could not load hollow \(.*hollow\.gguf\).*It said: .*error loading model"):
        engine.start()
    assert engine.child is None


def test_a_truncated_model_is_refused_before_it_is_loaded(smallest: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with smallest.open("rb") as whole:
        cut.write_bytes(whole.read(50_000_000))
    with pytest.raises(EngineError, match="damaged or was only partly downloaded: it should have 98362432 bytes"):
        engine_for("cut", settings_of(cut)).start()


def broken_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> EngineSettings:
    """Put another `xllamacpp` in the place of the real one."""
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries/xllamacpp.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "libraries"))
    return settings_of(write_gguf(tmp_path / "model.gguf", CHAT))


def test_an_engine_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = broken_engine(tmp_path, monkeypatch, "raise ImportError('No module named xllamacpp')")
    with pytest.raises(EngineError, match=r"not installed. Install it: pip install 'mixture-of-agents\[local\]'"):
        engine_for("model", settings).start()


def test_an_engine_that_crashes_while_it_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, sys\nprint('GGML_ASSERT failed', file=sys.stderr, flush=True)\nos.abort()"
    with pytest.raises(EngineError, match=r"could not load model .* was killed \(SIGABRT\)\. It said: GGML_ASSERT"):
        engine_for("model", broken_engine(tmp_path, monkeypatch, code)).start()


def test_what_a_library_prints_does_not_spoil_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os\nprint('hello', flush=True)\nos.write(1, b'from C')\nraise RuntimeError('no luck')"
    with pytest.raises(EngineError, match=r"could not load model .*\)\. It said: hello \| from C"):
        engine_for("model", broken_engine(tmp_path, monkeypatch, code)).start()

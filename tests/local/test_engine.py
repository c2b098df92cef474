from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from moa.errors import EngineError
from moa.local.child import Child
from moa.local.engine import Engine, EngineSettings, close_engines, engine_for, stop_engines
from moa.local.gguf import read_header
from moa.local.slot_files import kept_folder
from tests.fakes.adapter import parrot
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
    assert f"{engine.name} was killed (SIGKILL). Ask again" in str(died)
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


LONG = "Seven ships sailed north, and each of them carried twelve barrels of salted fish. " * 15


def read_anew(engine: Engine, slot: int) -> int:
    """Have the engine read a long text in a slot, and return how many tokens of it were new to it."""
    child = engine.start()
    with child.working():
        answer = child.post("/completion", {"prompt": LONG, "n_predict": 1, "id_slot": slot, "cache_prompt": True})
    return int(answer["timings"]["prompt_n"])


def test_what_a_conversation_was_read_survives_an_eviction(smallest: Path) -> None:
    engine = engine_for("smallest", EngineSettings(smallest, context=512, slots=2))
    engine.start()
    assert engine.slots
    slot = engine.slots.take(LONG)
    assert slot is not None
    assert read_anew(engine, slot) > 250
    engine.slots.give_back(slot)

    engine.evict()
    assert engine.child is None
    engine.start()

    assert engine.slots.take(LONG) == slot
    assert read_anew(engine, slot) < 5


def test_engines_that_were_stopped_keep_nothing(smallest: Path) -> None:
    engine = engine_for("smallest", EngineSettings(smallest, context=512, slots=1))
    engine.start()
    assert engine.slots
    engine.slots.take(LONG)
    read_anew(engine, 0)
    engine.evict()
    assert list(kept_folder().iterdir())

    stop_engines()

    assert not list(kept_folder().iterdir())


def test_agents_with_other_settings_share_the_engine_of_a_file(tmp_path: Path) -> None:
    model = write_gguf(tmp_path / "model.gguf", CHAT)
    engine = engine_for("one", EngineSettings(model, context=100, slots=2))
    other = engine_for("two", EngineSettings(model, context=300, slots=1, adapters=(tmp_path / "a.gguf",)))

    assert other is engine
    assert engine.settings == EngineSettings(model, 300, 2, adapters=(tmp_path / "a.gguf",))
    assert engine_for("three", EngineSettings(model, context=100, slots=1, embeds=True)) is not engine


def test_a_start_that_fails_counts_as_a_death_and_a_bad_file_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for("model", broken_engine(tmp_path, monkeypatch, "raise RuntimeError('no luck')"))
    with pytest.raises(EngineError, match="no luck"):
        engine.start()
    assert engine.restarts.deaths == 1
    base = engine_for("base", settings_of(tmp_path / "nope.gguf"))
    with pytest.raises(EngineError, match="no file"):
        base.start()
    assert base.restarts.deaths == 0


def test_an_adapter_in_place_of_a_model_is_refused(smallest: Path, tmp_path: Path) -> None:
    law = parrot(tmp_path / "law.gguf", smallest, 5)
    with pytest.raises(EngineError, match=r"law\.gguf is an adapter and cannot run alone\. Name its model first"):
        engine_for("law", settings_of(law)).start()


@pytest.mark.parametrize("architecture", [b"gemma", b"novel"])
def test_a_file_that_claims_another_architecture_is_refused_by_the_engine(
    smallest: Path, tmp_path: Path, architecture: bytes
) -> None:
    said = b"general.architecture" + struct.pack("<IQ", 8, 5)  # a string of five letters
    whole = smallest.read_bytes()
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(whole.replace(said + b"llama", said + architecture, 1))
    assert read_header(strange).architecture == architecture.decode()
    with pytest.raises(EngineError, match=r"could not load strange \(.*\)\. It said: .*error loading model"):
        engine_for("strange", settings_of(strange)).start()


def test_an_engine_that_is_stopped_while_it_is_born_does_not_come_to_life(
    smallest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, children = engine_for("smallest", settings_of(smallest)), []

    def born(*settings: Any, **more: Any) -> Child:
        children.append(Child(*settings, **more))
        stop_engines()  # before the engine knows its child
        return children[-1]

    monkeypatch.setattr("moa.local.engine.Child", born)
    with pytest.raises(EngineError, match=f"could not load {engine.name}"):
        engine.start()
    assert children[0].end(within_seconds=60)
    assert engine.child is None
    assert engine.restarts.deaths == 0


def test_engines_that_were_stopped_forget_what_was_wanted_of_them(tmp_path: Path) -> None:
    model = write_gguf(tmp_path / "model.gguf", CHAT)
    engine_for("one", EngineSettings(model, context=300, slots=2))
    stop_engines()
    engine = engine_for("one", EngineSettings(model, context=100, slots=1))
    assert engine.settings == EngineSettings(model, 100, 1)

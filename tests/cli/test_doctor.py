"""`moa doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from moa.cli import checks, servers
from moa.cli.doctor import doctor
from moa.cli.machine import memory_bytes
from moa.store import Store
from tests.cli.commands import run
from tests.fakes.model_server import FakeModelServer, offering
from tests.store.sample import a_run

LOCAL = """
from moa import Agent, Mixture
panel = Mixture([
    Agent("tiny", model="local:smollm2-135m-instruct", about="Small talk."),
    Agent("sage", model="http://127.0.0.1:9/v1#sage", about="Wisdom."),
])
"""
KEYED = """
from moa import Agent, Endpoint
sage = Agent("sage", model=Endpoint("https://example.invalid/v1", "sage", api_key_env="MOA_TEST_KEY"))
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, an empty cache, no data and no keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    for variable in (*checks._KEYS, "MOA_TEST_KEY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)
    Path("local.py").write_text(LOCAL)
    Path("keyed.py").write_text(KEYED)
    return tmp_path


def without(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a library as good as not installed."""
    monkeypatch.setitem(sys.modules, library, None)


def examined(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code, and the checks by their names."""
    done = run(doctor, *arguments, "--json")
    told = json.loads(done.out)
    assert told["ok"] is (done.code == 0)
    return done.code, {check["name"]: check for check in told["checks"]}


def test_on_a_fresh_machine_each_missing_model_is_named_with_the_command_that_fetches_it() -> None:
    code, found = examined()
    assert code == 0  # the first question fetches them
    for name in ("qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"):
        model = found[f"Model local:{name}"]
        assert (model["state"], model["remedy"]) == ("note", f"moa models pull {name}")
    assert found["Encoder"]["remedy"] == "moa models pull all-minilm-l6-v2-int8"
    assert found["Disk"]["text"].startswith("1.6 GB to download")


def test_it_changes_nothing(here: Path) -> None:
    before = sorted(here.rglob("*"))
    run(doctor)
    assert sorted(here.rglob("*")) == before


def test_a_missing_engine_is_a_failure_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    without("xllamacpp", monkeypatch)
    code, found = examined("--mixture", "local.py")
    assert code == 1
    assert found["Model local:smollm2-135m-instruct"]["state"] == "fail"
    for name in ("Model local:smollm2-135m-instruct", "Library xllamacpp"):
        assert found[name]["remedy"] == "pip install 'mixture-of-agents[local]'"


def test_a_missing_engine_is_no_failure_where_nobody_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without("xllamacpp", monkeypatch)
    Path("remote.py").write_text('from moa import Agent\nsage = Agent("sage", model="http://127.0.0.1:9/v1#sage")\n')
    assert examined("--mixture", "remote.py")[0] == 0


def test_a_missing_light_encoder_library_costs_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    without("onnxruntime", monkeypatch)
    code, found = examined("--mixture", "local.py")
    assert code == 0
    assert found["Encoder library"]["remedy"] == "pip install 'mixture-of-agents[local]'"
    assert found["Encoder"]["remedy"] == "moa models pull all-minilm-l6-v2"  # what is then used instead


def test_without_any_encoder_library_nobody_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    without("onnxruntime", monkeypatch)
    without("sentence_transformers", monkeypatch)
    code, found = examined("--mixture", "local.py")
    assert code == 1
    assert found["Encoder library"]["state"] == "fail"


def test_one_agent_alone_needs_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    without("onnxruntime", monkeypatch)
    without("sentence_transformers", monkeypatch)
    monkeypatch.setenv("MOA_TEST_KEY", "k-123456")
    assert examined("--mixture", "keyed.py")[0] == 0


def test_a_missing_key_is_a_failure_and_a_present_one_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    code, found = examined("--mixture", "keyed.py")
    assert code == 1
    model = found["Model https://example.invalid/v1#sage"]
    assert "MOA_TEST_KEY" in model["remedy"]
    monkeypatch.setenv("MOA_TEST_KEY", "sk-secret-value")
    done = run(doctor, "--mixture", "keyed.py")
    assert done.code == 0
    assert "sk-secret-value" not in done.out + done.err


def test_keys_of_known_providers_are_told_by_name_only(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    assert examined()[1]["Keys"]["state"] == "note"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    (here / "key").write_text("sk-other-secret")
    monkeypatch.setenv("MISTRAL_API_KEY_FILE", str(here / "key"))
    for arguments in ((), ("--json",)):
        out = run(doctor, *arguments).out
        assert "OPENAI_API_KEY, MISTRAL_API_KEY" in out
        assert "secret" not in out


def test_a_key_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY_FILE", "gone")
    key = examined()[1]["Key OPENAI_API_KEY"]
    assert "gone" in key["text"]
    assert "OPENAI_API_KEY_FILE" in key["remedy"]


def test_a_broken_mixture_is_a_failure_and_the_rest_is_still_looked_at() -> None:
    Path("broken.py").write_text("x = 1 / 0\n")
    code, found = examined("--mixture", "broken.py")
    assert code == 1
    assert found["Mixture"]["text"] == "broken.py, line 1: ZeroDivisionError: division by zero"
    assert found["Library textual"]["state"] == "ok"


def test_a_disk_that_cannot_hold_the_models_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "free_bytes", lambda _: 50_000_000)
    code, found = examined("--mixture", "local.py")
    assert code == 1
    assert found["Disk"]["text"].startswith("98 MB to download, 50 MB free in ")
    assert "MOA_CACHE" in found["Disk"]["remedy"]


def test_memory_that_cannot_hold_the_largest_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moa.cli.machine.memory_bytes", lambda: (200_000_000, 100_000_000))
    monkeypatch.setenv("MOA_LOCAL_MEMORY", "120MB")
    memory = examined("--mixture", "local.py")[1]["Memory"]
    assert memory["state"] == "note"
    told = "200 MB, 100 MB of it free now; local models may take 120 MB together, and the largest needs some "
    assert memory["text"].startswith(told)
    assert "MOA_LOCAL_MEMORY" in memory["remedy"]


def test_memory_that_holds_the_largest_model_is_enough_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", "2.9GB")  # the two models of the starter want more than that together
    memory = examined()[1]["Memory"]
    assert memory["state"] == "ok"
    assert "together, and the largest needs some 2.4 GB" in memory["text"]


def test_an_amount_of_memory_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", "lots")
    code, found = examined("--mixture", "local.py")
    assert code == 1
    assert found["Memory"]["remedy"] == "correct MOA_LOCAL_MEMORY, or unset it"


def test_a_folder_that_cannot_be_written_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_DATA", str(Path("local.py") / "data"))
    monkeypatch.setenv("MOA_CACHE", str(Path("local.py") / "cache"))
    code, found = examined("--mixture", "local.py")
    assert code == 1  # the model cannot be fetched
    assert "MOA_CACHE" in found["Cache folder"]["remedy"]
    assert "MOA_DATA" in found["Data folder"]["remedy"]


def test_the_database_is_read() -> None:
    assert "none yet" in examined()[1]["Database of runs"]["text"]
    with Store() as store:
        store.append("r1", a_run("r1"))
    assert examined()[1]["Database of runs"]["state"] == "ok"
    store.path.write_text("no database " * 500)
    database = examined()[1]["Database of runs"]
    assert database["state"] == "note"
    assert "Move it away" in database["text"]


def test_for_people_every_remedy_stands_below_what_it_mends() -> None:
    lines = run(doctor, "--mixture", "local.py").out.splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("· Model local:smollm2-135m-instruct"))
    assert lines[place + 1] == "  → moa models pull smollm2-135m-instruct"
    assert lines[-1] == "Ready: moa chat"
    Path("broken.py").write_text("x = 1 / 0\n")
    assert run(doctor, "--mixture", "broken.py").out.splitlines()[-1].startswith("Not ready")


def test_it_imports_no_model_library() -> None:
    heavy = ("litellm", "torch", "transformers", "sentence_transformers", "textual", "onnxruntime", "xllamacpp")
    program = (
        "import sys; from moa.cli.checks import all_checks; list(all_checks(None))\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_servers_on_this_machine_are_told_with_the_references_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    with (
        FakeModelServer(offering("llamacpp", "qwen3-4b")) as llama,
        FakeModelServer({}, status=401) as closed,
        FakeModelServer(offering("me")) as empty,
    ):
        ports = {llama.port: "llama-server", closed.port: "vLLM", empty.port: "LM Studio"}
        monkeypatch.setattr(servers, "USUAL_PORTS", ports)
        found = examined()[1]
        assert found[f"Server llama-server at {llama.url}"]["text"] == f"as model: {llama.url}/v1#qwen3-4b"
        assert f'Endpoint("{closed.url}/v1"' in found[f"Server vLLM at {closed.url}"]["remedy"]
        assert found[f"Server LM Studio at {empty.url}"]["state"] == "note"
        assert "Model servers" not in found
    assert "Ollama" not in examined()[1]["Model servers"]["text"]


def test_memory_is_what_the_kernel_says(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  4000 kB\nMemFree: 1 kB\nMemAvailable:  3000 kB\n")
    assert memory_bytes(tmp_path) == (4_096_000, 3_072_000)


@pytest.mark.parametrize(("limit", "expected"), [("max", (4_096_000, 3_072_000)), ("2000000", (2_000_000, 1_500_000))])
def test_memory_is_no_more_than_a_container_may_use(limit: str, expected: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  4000 kB\nMemAvailable:  3000 kB\n")
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text("500000\n")
    assert memory_bytes(tmp_path) == expected

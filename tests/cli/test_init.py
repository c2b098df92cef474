"""`moa init`: a workspace of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.init import init
from moa.loader import load_agents, load_mixture, starter_folder
from tests.cli.commands import run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_copies_the_starter_agents_here_and_says_what_to_do_next() -> None:
    done = run(init)
    assert done.code == 0
    starter = [file for file in sorted(starter_folder().iterdir()) if file.suffix == ".py"]
    assert names(Path("agents")) == [file.name for file in starter]
    assert all((Path("agents") / file.name).read_bytes() == file.read_bytes() for file in starter)
    assert "moa chat" in done.out
    assert "cd " not in done.out


def test_the_copy_is_what_moa_uses_from_then_on() -> None:
    run(init)
    agent = Path("agents/law.py")
    agent.write_text(agent.read_text().replace('about="', 'about="Mine. ', 1))
    assert next(agent for agent in load_mixture().agents if agent.name == "law").about.startswith("Mine. ")
    assert {agent.name for agent in load_agents("agents")} == {"general", "math", "code", "law", "medicine"}


def test_a_folder_can_be_named_and_is_made() -> None:
    done = run(init, "deep/panel")
    assert "starter.py" in names(Path("deep/panel/agents"))
    assert "cd deep/panel" in done.out


def test_json_tells_what_was_written() -> None:
    told = json.loads(run(init, "panel", "--json").out)
    assert told["folder"] == str(Path("panel/agents").resolve())
    assert told["written"] == names(Path("panel/agents"))


def test_existing_files_are_not_touched_and_all_of_them_are_named() -> None:
    Path("agents").mkdir()
    for name in ("law.py", "math.py"):
        (Path("agents") / name).write_text("mine")
    done = run(init)
    assert done.code == 2
    assert "already has law.py, math.py" in done.err
    assert "--force" in done.err
    assert names(Path("agents")) == ["law.py", "math.py"]  # nothing half-made
    assert Path("agents/law.py").read_text() == "mine"


def test_other_files_in_the_folder_are_no_obstacle() -> None:
    Path("agents").mkdir()
    Path("agents/history.py").write_text("mine")
    assert run(init).code == 0
    assert Path("agents/history.py").read_text() == "mine"


def test_force_overwrites() -> None:
    run(init)
    Path("agents/law.py").write_text("mine")
    assert run(init, "--force").code == 0
    assert Path("agents/law.py").read_bytes() == (starter_folder() / "law.py").read_bytes()


def test_a_file_in_the_place_of_the_folder_is_one_clear_sentence() -> None:
    Path("agents").write_text("a file")
    done = run(init)
    assert done.code == 2
    assert "agents is a file" in done.err


def test_a_folder_that_cannot_be_made_is_one_clear_sentence() -> None:
    Path("file").write_text("")
    done = run(init, "file/panel")
    assert done.code == 1
    assert "cannot be written" in done.err

"""`moa sessions`: conversations that are kept, and search over everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.cli.sessions import app
from moa.store import Sessions, Store
from tests.cli.commands import run
from tests.tui.kept import NOON, a_turn, talk

PAIRS = [("Who discovered Neptune?", "Johann Galle, in **1846**."), ("Where was that?", "In Berlin.")]
SESSION = "20260101-120000-aaaa0001"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")
    with Store() as store:
        yield store


@pytest.fixture
def sessions(store: Store) -> Sessions:
    sessions = Sessions(store, clock=lambda: NOON)
    talk(sessions, SESSION, PAIRS)
    return sessions


def test_without_sessions_it_says_how_to_begin_one(store: Store) -> None:
    done = run(app)
    assert (done.code, done.out) == (0, "")
    assert done.err == f"No sessions are stored in {store.path} yet. Begin one: moa chat\n"
    assert json.loads(run(app, "list", "--json").out) == []


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_the_list(arguments: tuple[str, ...]) -> None:
    header, line = run(app, *arguments).out.splitlines()
    assert header.split() == ["Session", "Last", "used", "Title", "Mixture", "Turns"]
    assert line.split()[0] == SESSION
    assert "Who discovered Neptune?" in line
    assert line.split()[-2:] == ["starter", "2"]


@pytest.mark.usefixtures("sessions")
def test_the_list_as_json() -> None:
    [session] = json.loads(run(app, "--json").out)
    assert (session["id"], session["title"], session["turns"]) == (SESSION, "Who discovered Neptune?", 2)


@pytest.mark.parametrize("columns", [80, 160])
def test_a_long_title_is_cut_to_the_line(columns: int, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    sessions.rename(SESSION, "why " * 30)
    assert all(len(line) <= columns for line in run(app).out.splitlines())


@pytest.mark.usefixtures("sessions")
def test_show() -> None:
    text = run(app, "show", "last").out
    places = [text.index(part) for part in ("Neptune?", SESSION, "1. Who", "general · finished", "Johann", "2. Where")]
    assert places == sorted(places)
    told = json.loads(run(app, "show", SESSION, "--json").out)
    assert [(turn["question"], turn["answer"]) for turn in told["turns"]] == PAIRS


def test_a_model_cannot_steer_the_terminal(sessions: Sessions) -> None:
    talk(sessions, "evil", [("\x1b[2Jgone?", "\x1b[2Jgone!")])
    for arguments in (("list",), ("show", "evil"), ("search", "gone"), ("export", "evil")):
        assert "\x1b" not in run(app, *arguments).out


@pytest.mark.usefixtures("sessions")
def test_search_tells_question_answer_and_how_to_go_on() -> None:
    done = run(app, "search", "neptune", "galle")
    assert done.code == 0
    question, answer, place = done.out.splitlines()
    assert question == "● Who discovered Neptune?"
    assert answer.strip() == "Johann Galle, in **1846**."
    assert place.endswith(f"Who discovered Neptune?, turn 1 · moa chat --resume {SESSION}")


def test_search_finds_runs_that_belong_to_no_session(sessions: Sessions) -> None:
    sessions.store.append("r9", a_turn("r9", "Why is grass green?", "Chlorophyll."))
    assert "moa runs show r9" in run(app, "search", "grass").out


@pytest.mark.usefixtures("sessions")
def test_search_as_json_says_where_the_words_are() -> None:
    found = json.loads(run(app, "search", '"discovered neptune"', "--json").out)
    [hit] = found["hits"]
    assert (hit["session"], hit["place"], found["ranked"], found["more"]) == (SESSION, 1, True, False)
    [[start, end]] = hit["question"]["found"]
    assert hit["question"]["text"][start:end] == "discovered Neptune"


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("words", ['"', "zebra", "AND (", "%"])
def test_a_search_that_finds_nothing_fails_in_words(words: str) -> None:
    done = run(app, "search", words)
    assert (done.code, done.out) == (1, "")
    assert "Nothing was found." in done.err


def test_more_hits_than_are_shown_are_told(sessions: Sessions) -> None:
    talk(sessions, "s2", PAIRS)
    assert "There are more" in run(app, "search", "berlin", "--limit", "1").err


def test_rename_delete_and_undelete(sessions: Sessions) -> None:
    assert "is now called: Planets of ours" in run(app, "rename", "2026", "Planets", "of", "ours").out
    done = run(app, "delete", "last")
    assert f"Deleted: Planets of ours. Have it back with: moa sessions undelete {SESSION}" in done.out
    assert sessions.listed() == []
    assert SESSION in run(app, "list", "--deleted").out
    assert "is there again" in run(app, "undelete", SESSION).out
    assert [session.title for session in sessions.listed()] == ["Planets of ours"]
    assert run(app, "--deleted").err == "No deleted session is kept.\n"


def test_deleting_for_good(sessions: Sessions) -> None:
    assert "Removed for good: Who discovered Neptune?, with 2 runs." in run(app, "delete", "last", "--for-good").out
    assert sessions.store.runs() == []


def test_fork(sessions: Sessions) -> None:
    done = run(app, "fork", "last", "--turns", "1", "--title", "Elsewhere")
    [forked] = [session for session in sessions.listed() if session.id != SESSION]
    assert done.out == f"Session {forked.id} begins with 1 turn. Go on: moa chat --resume {forked.id}\n"
    assert (forked.title, forked.forked_from) == ("Elsewhere", SESSION)
    assert json.loads(run(app, "fork", SESSION, "--json").out)["turns"] == 2


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("command", ["show", "delete", "undelete", "fork", "export"])
def test_a_session_that_is_not_there_is_an_error_in_words(command: str) -> None:
    done = run(app, command, "nope")
    assert done.code == 1
    assert "There is no session 'nope'" in done.err


@pytest.mark.usefixtures("sessions")
def test_export_prints_markdown_or_json() -> None:
    assert run(app, "export", "last").out.startswith("# Who discovered Neptune?\n")
    assert json.loads(run(app, "export", "last", "--json").out)["format"] == "moa session"


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(("name", "start"), [("a.md", "# Who"), ("a.HTML", "<!doctype html>"), ("a.json", "{\n")])
def test_export_writes_a_new_file_whose_name_says_the_format(name: str, start: str, tmp_path: Path) -> None:
    done = run(app, "export", "last", "--out", str(tmp_path / name))
    assert (done.code, done.out) == (0, "")
    assert f"Wrote 2 turns to {tmp_path / name}." in done.err
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    again = run(app, "export", "last", "--out", str(tmp_path / name))
    assert again.code == 2
    assert "is there already" in again.err


@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize(
    ("name", "told"), [("a.pdf", "must end in .md, .html or .json"), ("no/a.md", "cannot be written")]
)
def test_an_export_that_cannot_be_written_says_why(name: str, told: str, tmp_path: Path) -> None:
    done = run(app, "export", "last", "--out", str(tmp_path / name))
    assert done.code == 2
    assert told in done.err

"""`moa chat` without a terminal: questions in, answers out, line by line. With one: see `tests/tui`."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from moa.cli.chat import ChatCommand, chat
from moa.errors import MoaError
from moa.store import Sessions, Store

MIXTURE = """
from moa import Agent, Mixture
from moa.errors import ProtocolError
from moa.backends.base import Delta, Finish
from moa.messages import Usage
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

def script(request):
    questions = [message.content for message in request.messages if message.role == "user"]
    if questions[-1] == "fail":
        return [ProtocolError("The server sent a page of HTML.")]
    if questions[-1] == "steer":
        return [Delta("\\x1b[2Jgone?"), Finish(Usage(1, 1), "stop", 0.0)]
    return f"{len(questions)}: {questions[-1]}"

echo = Agent("echo", model=ScriptedModel(script), about="echoes")
mixture = Mixture([echo], router=FixedRouter(echo=0.9))
"""


@pytest.fixture
def mixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    path = tmp_path / "cave.py"
    path.write_text(MIXTURE)
    return str(path)


def ask(mixture: str, *lines: str) -> Result:
    app = typer.Typer()
    app.command()(chat)
    return CliRunner().invoke(app, [mixture], input="".join(f"{line}\n" for line in lines))


def test_each_line_is_a_question_that_continues_the_conversation(mixture: str) -> None:
    done = ask(mixture, "Hello?", "", "  ", "Anybody?")
    assert done.exit_code == 0
    assert done.stdout == "1: Hello?\n2: Anybody?\n"


def test_who_was_chosen_is_told_beside_the_answers(mixture: str) -> None:
    done = ask(mixture, "Hello?")
    assert "→ echo (90%)" in done.stderr
    assert "echo (90%)" not in done.stdout


def test_every_run_is_recorded(mixture: str) -> None:
    ask(mixture, "Hello?", "Anybody?")
    with Store() as store:
        assert [run.question for run in store.runs()] == ["Anybody?", "Hello?"]


def test_a_question_that_fails_is_told_and_forgotten_and_the_next_one_is_answered(mixture: str) -> None:
    done = ask(mixture, "Hello?", "fail", "Anybody?")
    assert done.exit_code == 1
    assert done.stdout == "1: Hello?\n2: Anybody?\n"
    assert "The server sent a page of HTML." in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_asked_is_nothing_done(mixture: str) -> None:
    done = ask(mixture)
    assert (done.exit_code, done.stdout) == (0, "")


def test_a_model_cannot_steer_the_terminal_behind_a_pipe(mixture: str) -> None:
    assert "\x1b" not in ask(mixture, "steer").stdout


def test_a_mixture_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    done = ask(str(tmp_path / "nowhere.py"), "Hello?")
    assert isinstance(done.exception, MoaError)
    assert "nowhere.py" in str(done.exception)


def resume(mixture: str, *arguments: str, lines: str) -> Result:
    app = typer.Typer()
    app.command(cls=ChatCommand)(chat)
    return CliRunner().invoke(app, [mixture, *arguments], input=lines)


def test_the_conversation_is_kept_as_a_session(mixture: str) -> None:
    ask(mixture, "Hello?", "Anybody?")
    with Store() as store:
        [session] = Sessions(store).listed()
        assert (session.title, session.turns) == ("Hello?", 2)


@pytest.mark.parametrize("arguments", [("--resume", "last"), ("--resume",)])
def test_a_session_is_gone_on_with_where_it_stood(mixture: str, arguments: tuple[str, ...]) -> None:
    ask(mixture, "Hello?", "Anybody?")
    done = resume(mixture, *arguments, lines="Still there?\n")
    assert (done.exit_code, done.stdout) == (0, "3: Still there?\n")
    with Store() as store:
        [session] = Sessions(store).listed()
        assert session.turns == 3


def test_going_on_leaves_out_turns_without_an_answer(mixture: str) -> None:
    ask(mixture, "Hello?", "fail")
    assert resume(mixture, "--resume", lines="Anybody?\n").stdout == "2: Anybody?\n"


def test_a_session_that_is_not_there_is_told_before_anything_is_loaded(mixture: str) -> None:
    done = resume(mixture, "--resume", "nope", lines="Hello?\n")
    assert isinstance(done.exception, MoaError)
    assert "There is no session 'nope'" in str(done.exception)

"""What docs/server.md shows is run, against a server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server.running import agent, mixture, running_beside

PAGE = Path(__file__).parents[2] / "docs" / "server.md"


def test_the_examples_for_clients_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"^```py\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE))
    made = mixture(agent("general", "391."), agent("law"), agent("math"), name="starter")
    with running_beside(made) as here:
        shown = code.replace("http://127.0.0.1:8000", here.url)
        assert shown != code
        exec(compile(f"{shown}\nclient.close()", PAGE.name, "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("391.\n391.")
    assert "['general'] 0.0" in said


def test_every_option_of_the_command_is_told_of() -> None:
    import inspect

    from moa.cli.serve import serve

    page = PAGE.read_text("utf-8")
    names = {"places": "at-once", "seats": "waiting", "longest": "seconds", "cors": "cors-origin"}
    for name in inspect.signature(serve).parameters:
        if name not in {"mixtures", "port"}:
            option = names.get(name, name)
            assert f"--{option}" in page or f"--no-{option}" in page, f"docs/server.md does not tell of --{option}"

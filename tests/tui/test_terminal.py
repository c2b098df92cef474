"""In a real terminal: what is painted first, how it ends, and what a crash leaves behind."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

HEAVY = ("litellm", "torch", "transformers", "sentence_transformers", "onnxruntime", "xllamacpp", "sklearn", "numpy")

CHAT = """
import sys
import moa.tui
from moa.tui.source import Source
from tests.tui.scenes import done_scene, scripted_source
import moa.tui.source
moa.tui.source.open_mixture = lambda *_: scripted_source(done_scene())
sys.exit(moa.tui.run_chat())
"""


def test_it_paints_before_any_model_library_is_loaded(tmp_path: Path) -> None:
    loaded, go_on = tmp_path / "loaded.json", tmp_path / "go-on"
    code = f"""
import json, os, sys
import moa.tui, moa.tui.source

load = moa.tui.source.open_mixture

def open_mixture(spec, *others):
    with open({str(loaded)!r}, "w") as file:
        json.dump(sorted(sys.modules), file)
    with open({str(go_on)!r}):  # a pipe: blocks until the test has seen the screen
        pass
    return load(spec, *others)

moa.tui.source.open_mixture = open_mixture
sys.exit(moa.tui.run_chat({str(tmp_path / "nothing-here.py")!r}))
"""
    os.mkfifo(go_on)
    with Terminal(code, {"MOA_DATA": str(tmp_path)}) as terminal:
        terminal.wait_for("A panel of specialists that answers as one.")
        terminal.wait_for("loading the mixture")
        go_on.write_text("")
        terminal.wait_for("The mixture could not be loaded")
        terminal.press("\x11")  # Ctrl+Q
        assert terminal.end() == 0
    modules = set(json.loads(loaded.read_text()))
    assert "textual" in modules
    assert not modules.intersection(HEAVY)


def test_a_conversation_by_keys_and_a_terminal_left_as_it_was(tmp_path: Path) -> None:
    with Terminal(CHAT, {"MOA_DATA": str(tmp_path)}) as terminal:
        terminal.wait_for("· ready")
        terminal.press("Which numbers?\r")
        terminal.wait_for("412 tokens in, 268 out")
        terminal.press("\x1bOP")  # F1
        terminal.wait_for("Escape goes back")
        terminal.press("q")
        terminal.press("\x03")  # Ctrl+C
        assert terminal.end() == 0
        assert terminal.settings == terminal.settings_before
        assert terminal.raw.count("\x1b[?1049l") == 1  # the ordinary screen is back


def test_a_crash_restores_the_terminal_and_leaves_its_trace_in_a_file(tmp_path: Path) -> None:
    code = CHAT.replace(
        "sys.exit(",
        """
from moa.tui.run_screen import RunScreen

def broken(self):
    secret = "sk-do-not-show"
    raise ZeroDivisionError("on purpose")

RunScreen.action_help = broken
sys.exit(""",
    )
    with Terminal(code, {"MOA_DATA": str(tmp_path / "data")}) as terminal:
        terminal.wait_for("· ready")
        terminal.press("\x1bOP")  # F1
        assert terminal.end() == 1
        assert terminal.settings == terminal.settings_before
        _, _, after = terminal.raw.partition("\x1b[?1049l")
    [trace] = (tmp_path / "data").glob("crash-*.txt")
    assert f"Something went wrong that should not have: ZeroDivisionError. The trace is in {trace}" in after
    assert "Traceback" not in after
    assert "ZeroDivisionError: on purpose" in trace.read_text()
    assert "sk-do-not-show" not in after + trace.read_text().replace('secret = "sk-do-not-show"', "")


def test_no_color_is_respected(tmp_path: Path) -> None:
    def colours(environment: dict[str, str]) -> set[tuple[int, int, int]]:
        with Terminal(CHAT, {"MOA_DATA": str(tmp_path), **environment}) as terminal:
            terminal.wait_for("· ready")
            terminal.press("\x11")
            terminal.end()
            found = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", terminal.raw)
        return {(int(red), int(green), int(blue)) for red, green, blue in found}

    assert any(len(set(colour)) > 1 for colour in colours({}))
    assert all(len(set(colour)) == 1 for colour in colours({"NO_COLOR": "1"}))

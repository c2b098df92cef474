"""What is left of a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.tui.crash import crash_sentence, write_trace


def error() -> Exception:
    try:
        json.loads("\ud800")
    except ValueError as raised:
        return raised
    raise AssertionError


def test_the_trace_is_in_the_data_folder(own_folders: Path) -> None:
    path = write_trace(error())
    assert path.parent == own_folders
    assert "in error\n" in path.read_text()
    assert "JSONDecodeError: Expecting value" in path.read_text()
    assert str(path) in crash_sentence(error(), path)


def test_where_the_data_folder_cannot_be_written_the_trace_is_in_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = write_trace(error())
    assert path.parent == tmp_path
    assert path.exists()

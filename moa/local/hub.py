"""The Hugging Face hub as a source: plain HTTP against `HF_ENDPOINT`, going on where an earlier download stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from moa.errors import DownloadError
from moa.local.files import HubFile, ModelFile, Progress
from moa.local.storage import PartialFile, require_space

_CONNECT_SECONDS = 5.0  # a hub that cannot be reached must not hold up the next source
_READ_SECONDS = 30.0
_TRIES = 4
_FIRST_WAIT_SECONDS = 0.5
_TRUE = {"1", "ON", "YES", "TRUE"}  # what huggingface_hub takes for yes in HF_HUB_OFFLINE


class _Interrupted(DownloadError):
    """The line broke, or the server is busy: what has arrived is kept, and another try goes on from there."""


class Hub:
    """The hub, as the environment describes it: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`.

    Once it could not be reached, it is not tried again.

    Args:
        what: the model, for messages.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        self._unreachable: DownloadError | None = None
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE:
            self._unreachable = DownloadError("HF_HUB_OFFLINE is set, so the hub was not asked.")
        token = os.environ.get("HF_TOKEN", "").strip()
        self._client = httpx.Client(
            headers={"authorization": f"Bearer {token}"} if token else {},
            follow_redirects=True,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fill(self, partial: PartialFile, source: HubFile, tell: Callable[[Progress], None]) -> None:
        """Complete a file, asking only for the bytes that are missing.

        Raises:
            DownloadError: the hub cannot be reached, or does not give out the file.
            NoSpace: the disk cannot hold the file.
        """
        require_space(self._what, partial.target.parent, partial.missing)
        if partial.file.sha256 is None:
            partial.cut(0)  # without a checksum, nobody would notice that the halves are of different files
        url = f"{self.endpoint}/{source.repo}/resolve/{quote(source.revision, safe='')}/{quote(source.file)}"
        tries = Retrying(
            retry=retry_if_exception_type(_Interrupted),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=_FIRST_WAIT_SECONDS, max=8),
            reraise=True,
        )
        for attempt in tries:
            with attempt:
                self._receive(url, partial, tell)

    def listing(self, repo: str) -> tuple[ModelFile, ...]:
        """Return the GGUF files of a repository, with the sizes and checksums that the hub knows.

        Raises:
            DownloadError: the hub cannot be reached, or has no such repository.
        """
        with self._answer(f"{self.endpoint}/api/models/{repo}?blobs=true", {}) as response:
            try:
                response.read()
                described = response.json()
                commit = str(described.get("sha") or "main")
                return tuple(_file(repo, commit, sibling) for sibling in described["siblings"] if _is_gguf(sibling))
            except (ValueError, KeyError, TypeError, AttributeError, httpx.HTTPError) as error:
                raise DownloadError(f"{self.endpoint} did not describe {repo} in the way of the hub's API.") from error

    def _receive(self, url: str, partial: PartialFile, tell: Callable[[Progress], None]) -> None:
        promised, start = partial.file.bytes, partial.size
        if promised is not None and start > promised:
            partial.cut(0)
            start = 0
        if start == promised:
            return
        with self._answer(url, {"range": f"bytes={start}-"} if start else {}) as response:
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                partial.cut(0)
                start = 0
            total = _total(response, start)
            if promised is not None and total not in (None, promised):
                raise DownloadError(f"{url} has {total} bytes, and must have {promised}.")
            if promised is None and total is not None:
                require_space(self._what, partial.target.parent, total - start)
            done, source = start, f"the hub, {urlsplit(self.endpoint).netloc}"
            with partial.open() as growing:
                try:
                    for received in response.iter_raw():
                        growing.write(received)
                        done += len(received)
                        if total is not None and done > total:
                            raise DownloadError(f"{url} sends more than the {total} bytes that it promised.")
                        tell(Progress(partial.file.name, done, total, source))
                except httpx.TransportError as error:
                    raise _Interrupted(f"{url} broke off after {done} bytes: {_words(error)}.") from error
            if total is not None and done < total:
                raise _Interrupted(f"{url} ended after {done} of {total} bytes.")

    @contextmanager
    def _answer(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Ask for a URL. What is refused is raised, in words."""
        if self._unreachable:
            raise self._unreachable
        request = self._client.build_request("GET", url, headers={"accept-encoding": "identity", **headers})
        try:
            response = self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
            self._unreachable = DownloadError(f"{self.endpoint} cannot be reached: {_words(error)}.")
            raise self._unreachable from error
        except httpx.TransportError as error:
            raise _Interrupted(f"{url} does not answer: {_words(error)}.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DownloadError(f"{url} cannot be downloaded: {_words(error)}.") from error
        try:
            if not response.is_success:
                raise self._refusal(url, response.status_code)
            yield response
        finally:
            response.close()

    def _refusal(self, url: str, status: int) -> DownloadError:
        if status in {401, 403}:
            return DownloadError(
                f"{url} is not given out ({status}): the repository is private, gated, or does not exist. "
                "Accept its terms on the hub, and set HF_TOKEN."
            )
        if status == 404:  # noqa: PLR2004
            return DownloadError(f"{url} does not exist (404).")
        if status in {408, 416, 429} or status >= 500:  # noqa: PLR2004
            return _Interrupted(f"{url} answers with status {status}.")
        return DownloadError(f"{url} answers with status {status}.")


def _words(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _total(response: httpx.Response, start: int) -> int | None:
    """Return the size of the whole file, from the headers of an answer that begins at a byte."""
    content_range = response.headers.get("content-range", "")
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        first, _, size = content_range.removeprefix("bytes ").partition("/")
        if not first.startswith(f"{start}-"):
            raise DownloadError(f"{response.url} was asked for the bytes from {start} on and sent {content_range!r}.")
        return int(size) if size.isdigit() else None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _is_gguf(sibling: Mapping[str, Any]) -> bool:
    path = PurePosixPath(sibling["rfilename"])
    harmless = not path.is_absolute() and ".." not in path.parts and "\\" not in str(path) and ":" not in str(path)
    return harmless and path.suffix.lower() == ".gguf"


def _file(repo: str, commit: str, sibling: Mapping[str, Any]) -> ModelFile:
    name = str(sibling["rfilename"])
    large = sibling.get("lfs") or {}
    size = large.get("size", sibling.get("size"))
    sha256 = large.get("sha256")
    return ModelFile(
        name,
        size if isinstance(size, int) else None,
        sha256 if isinstance(sha256, str) else None,
        (HubFile(repo, name, commit),),
    )

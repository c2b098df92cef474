"""Files that the owners of public sets publish, fetched once and kept in the cache."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from moa.errors import DownloadError
from moa.paths import cache_folder

_CONNECT_SECONDS, _READ_SECONDS = 10.0, 60.0
_ON = {"1", "ON", "YES", "TRUE"}
"""What HF_HUB_OFFLINE says for yes."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file at its owner's address."""

    place: str
    """A URL; below `{hub}/`, one of the Hugging Face hub, which `HF_ENDPOINT` may name elsewhere."""

    @property
    def url(self) -> str:
        """The address as it is asked for."""
        endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        return self.place.replace("{hub}", endpoint)

    def fetch(self) -> Path:
        """Return the file in the cache, fetched if it is not there yet.

        Raises:
            DownloadError: it cannot be had; the message says what to do instead.
        """
        kept = cache_folder() / "eval" / f"{sha256(self.place.encode()).hexdigest()[:12]}-{Path(self.place).name}"
        if not kept.is_file():
            try:
                kept.parent.mkdir(parents=True, exist_ok=True)
                self._receive(kept)
            except OSError as error:
                raise DownloadError(f"{kept} cannot be written: {error.strerror or error}.") from error
        return kept

    def _receive(self, target: Path) -> None:
        import httpx

        of_hub = self.place.startswith("{hub}")
        instead = "Or give a copy of your own: --data PATH."
        if of_hub and os.environ.get("HF_HUB_OFFLINE", "").upper() in _ON:
            raise DownloadError(f"HF_HUB_OFFLINE is set, so {self.url} was not asked for. {instead}")
        token = os.environ.get("HF_TOKEN", "").strip() if of_hub else ""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        growing = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            with httpx.stream("GET", self.url, headers=headers, timeout=timeout, follow_redirects=True) as response:
                response.raise_for_status()
                with growing.open("wb") as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
            growing.replace(target)
        except httpx.HTTPStatusError as error:
            said = error.response.status_code
            raise DownloadError(f"{self.url} could not be fetched: the server answers {said}. {instead}") from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise DownloadError(f"{self.url} could not be fetched: {why}. {instead}") from error
        finally:
            with contextlib.suppress(OSError):
                growing.unlink()


def hub(repo: str, file: str, revision: str = "main") -> Published:
    """Return a file of a data set on the Hugging Face hub."""
    return Published(f"{{hub}}/datasets/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}")


def github(repo: str, file: str, revision: str = "main") -> Published:
    """Return a file of a repository on GitHub, best of a commit, which does not change."""
    return Published(f"https://raw.githubusercontent.com/{repo}/{revision}/{quote(file)}")

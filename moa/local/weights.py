"""What stands after `local:`: a name of the catalogue, a file, or a file of the hub; and where its weights lie."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from moa.errors import DownloadError, EngineError, ModelReferenceError
from moa.local.catalogue import Entry, entry, names
from moa.local.download import bring, fetch, fetched
from moa.local.files import Progress
from moa.local.storage import models_folder

_HUB = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*):([^:]+)")
_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


class Weights(Protocol):
    """The weights of a local model."""

    @property
    def label(self) -> str:
        """How people write it, without `local:`."""
        ...

    @property
    def download_bytes(self) -> int | None:
        """What fetching them would bring; None if only the hub knows, 0 if they cannot be fetched."""
        ...

    def files(self) -> tuple[Path, ...]:
        """Return its files, the one to load first; none if they are not all here. Asks no network."""
        ...

    def fetch(self, on_progress: Callable[[Progress], None] | None = None) -> Path:
        """Return the file to load, downloading it if it is not here. Blocks.

        Raises:
            DownloadError: it could not be downloaded.
            ModelReferenceError: the hub has no such file, or several that could be meant.
            EngineError: it is a file of the user's, and not there.
        """
        ...


@dataclass(frozen=True, slots=True)
class CatalogueWeights:
    """A model that the catalogue knows by name."""

    entry: Entry

    @property
    def label(self) -> str:
        """Its name in the catalogue."""
        return self.entry.name

    @property
    def download_bytes(self) -> int | None:
        """The size that the catalogue gives."""
        return self.entry.bytes

    def files(self) -> tuple[Path, ...]:
        """Return the weights in the cache."""
        folder = fetched(self.entry.name)
        return (folder / self.entry.weights.name,) if folder else ()

    def fetch(self, on_progress: Callable[[Progress], None] | None = None) -> Path:
        """Download what is missing."""
        return fetch(self.entry.name, on_progress) / self.entry.weights.name


@dataclass(frozen=True, slots=True)
class FileWeights:
    """A file of the user's."""

    label: str
    """The path as it was written; relative ones start at the current folder, and `~` is the home folder."""

    @property
    def download_bytes(self) -> int | None:
        """Nothing can be downloaded."""
        return 0

    @property
    def path(self) -> Path:
        """The path that is meant."""
        return Path(os.path.expanduser(self.label))  # noqa: PTH111  (unlike Path's, it lets an unknown ~user be)

    def files(self) -> tuple[Path, ...]:
        """Return the file if it is there."""
        return (self.path.resolve(),) if self.is_there() else ()

    def is_there(self) -> bool:
        """Whether the file exists."""
        return os.path.isfile(self.path)  # noqa: PTH113  (unlike Path's, it takes names that no file can have)

    def fetch(self, on_progress: Callable[[Progress], None] | None = None) -> Path:  # noqa: ARG002
        """Return the file; it cannot be downloaded."""
        if found := self.files():
            return found[0]
        near = get_close_matches(self.path.name, [path.name for path in self.path.parent.glob("*.gguf")], n=1)
        meant = f" Did you mean {self.path.with_name(near[0])}?" if near else ""
        raise EngineError(f"There is no file {self.path.absolute()}.{meant}")


@dataclass(frozen=True, slots=True)
class HubWeights:
    """A GGUF file in any repository of the Hugging Face hub."""

    repo: str
    wanted: str
    """The file's name, or a part of it that no other file has: usually its quantisation, such as `Q4_K_M`."""

    @property
    def label(self) -> str:
        """`org/repo:file-or-quant`."""
        return f"{self.repo}:{self.wanted}"

    @property
    def download_bytes(self) -> int | None:
        """Only the hub knows."""
        return None

    @property
    def folder(self) -> Path:
        """Where files of this repository lie in the cache."""
        return models_folder() / "hub" / self.repo

    def files(self) -> tuple[Path, ...]:
        """Return the files in the cache that are meant, in order; none if they are not all here."""
        here = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.gguf"))
        try:
            names = choose(here, self.wanted)
        except ModelReferenceError:
            return ()
        split = _SPLIT.fullmatch(names[0])
        return tuple(self.folder / name for name in names) if not split or len(names) == int(split[3]) else ()

    def fetch(self, on_progress: Callable[[Progress], None] | None = None) -> Path:
        """Ask the hub which files there are, and download the one that is meant."""
        if here := self.files():
            return here[0]
        from moa.local.hub import Hub

        try:
            with Hub(self.label) as hub:
                offered = {file.name: file for file in hub.listing(self.repo)}
            names = choose(list(offered), self.wanted)
        except DownloadError as error:
            raise DownloadError(
                f"{self.label} could not be downloaded: {error} Check the name, the network and HF_ENDPOINT; "
                f"then repeat it with: moa models pull {self.label}"
            ) from error
        except ModelReferenceError as error:
            raise ModelReferenceError(f"{self.label}: {error}") from None
        bring(self.label, self.folder, [offered[name] for name in names], on_progress)
        return self.folder / names[0]


def weights_for(reference: str) -> Weights:
    """Return the weights that a reference names, without `local:`. Opens nothing.

    Raises:
        ModelReferenceError: it has none of the forms, or names nothing in the catalogue.
    """
    if found := _HUB.fullmatch(reference):
        return HubWeights(found[1], found[2])
    file = FileWeights(reference)
    if reference.lower().endswith(".gguf") or (reference not in names() and file.is_there()):
        return file
    if "/" in reference or "\\" in reference:
        raise ModelReferenceError(
            f"'local:{reference}' names no file. A path must end in .gguf; for a model of the hub say which of its "
            "files is meant, for example local:org/repo:Q4_K_M."
        )
    known = entry(reference)
    if known.kind != "llm":
        raise ModelReferenceError(f"{reference} is an encoder: it compares texts, and cannot answer questions.")
    return CatalogueWeights(known)


def repository_name(path: PurePath) -> str:
    """Return the name of a file in a repository: without `.gguf`, and the same for all pieces of a split one."""
    name = path.as_posix()
    split = _SPLIT.fullmatch(name)
    return split[1] if split else name[: -len(".gguf")]


def choose(offered: Sequence[str], wanted: str) -> tuple[str, ...]:
    """Return the GGUF file that is meant, of those that a repository has; all pieces, in order, if it is split.

    A whole name wins over a name that ends in what is wanted (`…-Q4_0.gguf`), and that over one that holds it
    somewhere. Letter case does not matter. Projectors of vision models (`mmproj-…`) do not count.

    Raises:
        ModelReferenceError: nothing fits, or several do; the message lists them.
    """
    pieces: dict[str, list[str]] = {}
    for name in sorted(offered):
        if not PurePosixPath(name).name.lower().startswith("mmproj"):
            pieces.setdefault(repository_name(PurePosixPath(name)), []).append(name)
    looked_for = wanted.lower()
    if looked_for.endswith(".gguf"):
        looked_for = repository_name(PurePosixPath(looked_for))
    exact = [stem for stem in pieces if looked_for in (stem.lower(), PurePosixPath(stem).name.lower())]
    ending = [stem for stem in pieces if re.search(rf"(^|[^a-z0-9]){re.escape(looked_for)}$", stem.lower())]
    holding = [stem for stem in pieces if looked_for in stem.lower()]
    fitting = exact or ending or holding
    if len(fitting) == 1:
        return tuple(pieces[fitting[0]])
    if not fitting:
        raise ModelReferenceError(f"No file fits {wanted!r}. There are: {', '.join(pieces) or 'no GGUF files at all'}.")
    raise ModelReferenceError(f"{wanted!r} fits several files: {', '.join(fitting)}. Name one of them.")

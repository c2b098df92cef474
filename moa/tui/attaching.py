"""Files that go with a question: read once, and quoted in it under their names."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from moa.errors import UsageError
from moa.untrusted import one_line

LARGEST_BYTES: Final = 256 * 1024
"""Of all files of a question together: about 60,000 tokens, more than most models read."""
_KILO = 1000
_HEADING = "The file "
_QUOTED: Final = re.compile(
    rf"\n\n{_HEADING}(?P<name>[^\n]+):\n\n(?P<fence>`{{3,}})[^\n`]*\n(?P<text>.*?)\n(?P=fence)(?=\n|\Z)", re.DOTALL
)
_NAME_AT_END: Final = re.compile(
    r"""(?P<typed> '(?P<single>(?:/|~/|file://)[^'\n]+)'
                 | "(?P<double>(?:/|~/|file://)[^"\n]+)"
                 | (?<!\S)(?P<bare>(?:/|~/|file://|[A-Za-z]:[\\/])(?:\\[ ]|[^\s'"])+) )[ ]?\Z""",
    re.VERBOSE,
)
"""A path as terminals write it when a file is dropped on them: quoted, or with its spaces escaped."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file, as it was when it was attached."""

    path: Path
    text: str
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The name of the file, on one harmless line."""
        return one_line(self.path.name)


def read_attachment(path: Path, others: Sequence[Attachment] = ()) -> Attachment:
    """Read a text file to be sent with a question. Blocks.

    Args:
        path: the file; `~` is the home folder.
        others: the files that go with the same question.

    Raises:
        UsageError: it is not there, no file, no text, not readable, or too large; the message says which.
    """
    try:
        path = path.expanduser().absolute()
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UsageError(f"{path} is a folder. Attach its files one by one.")
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is no ordinary file, so it was not read.")
        taken = sum(other.size for other in others)
        if taken + status.st_size > LARGEST_BYTES:
            with_others = " with the others" if others else ""
            raise UsageError(
                f"{path.name} has {size_text(status.st_size)}, which is too much{with_others}: "
                f"{size_text(LARGEST_BYTES)} can go with a question. Paste the part that matters."
            )
        content = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # a name with a zero byte; no home folder
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UsageError(f"{path} cannot be read: {reason}.") from error
    return Attachment(path, _text(path, content), len(content))


def _text(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{path.name} is not a text file in UTF-8, so no model could read it.")
    if not text.strip():
        raise UsageError(f"{path.name} is empty.")
    return text.replace("\r\n", "\n")


def size_text(size: int) -> str:
    """Return bytes as people say them: `812 B`, `12 kB`, `1.3 MB`."""
    if size < _KILO:
        return f"{size} B"
    if size < _KILO * _KILO:
        return f"{size / _KILO:.0f} kB"
    return f"{size / _KILO / _KILO:.1f} MB"


def chip(name: str, size: int) -> str:
    """Return what is shown of a file in place of its text."""
    return f"▤ {name} ({size_text(size)})"


def quoting(question: str, files: Sequence[Attachment]) -> str:
    """Return a question with its files quoted below it, each under its name and between fences of its own."""
    return question + "".join(f"\n\n{_HEADING}{file.name}:\n\n{_fenced(file)}" for file in files)


def _fenced(file: Attachment) -> str:
    longest = max((len(ticks) for ticks in re.findall(r"`{3,}", file.text)), default=2)
    fence = "`" * (longest + 1)
    language = file.path.suffix[1:] if re.fullmatch(r"\.\w+", file.path.suffix) else ""
    return f"{fence}{language}\n{file.text.rstrip()}\n{fence}"


def without_files(question: str) -> tuple[str, tuple[str, ...]]:
    """Return a question without the files that are quoted in it, and a chip for each of those."""
    chips = tuple(chip(each["name"], len(each["text"].encode(errors="replace"))) for each in _QUOTED.finditer(question))
    return _QUOTED.sub("", question), chips


def path_at_end(text: str) -> tuple[int, Path] | None:
    """Return the absolute path that a text ends with and where it begins, if it is that of an existing file."""
    match = _NAME_AT_END.search(text)
    if match is None:
        return None
    name = match["single"] or match["double"] or re.sub(r"\\(?=[ ()'&])", "", match["bare"])
    if name.startswith("file://"):
        name = unquote(urlsplit(name).path)
    try:
        path = Path(name).expanduser()
        return (match.start(), path) if path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def paths_beginning(typed: str, most: int = 200) -> Iterator[tuple[str, bool]]:
    """Yield the paths that begin with what was typed, in order, and whether each is a folder. Hidden ones if asked."""
    folder, slash, begun = typed.rpartition("/")
    try:
        place = Path(folder + slash if typed.startswith(("/", "~")) else folder or ".").expanduser()
        found = sorted(
            (each for each in place.iterdir() if each.name.casefold().startswith(begun.casefold())),
            key=lambda each: each.name.casefold(),
        )
        shown = [each for each in found if begun.startswith(".") or not each.name.startswith(".")]
        for each in shown[:most]:
            is_folder = each.is_dir()
            yield f"{folder}{slash}{each.name}{'/' if is_folder else ''}", is_folder
    except (OSError, ValueError, RuntimeError):
        return

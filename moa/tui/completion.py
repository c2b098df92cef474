"""What may be meant by what is typed: commands, agents, files. Pure but for looking at folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from moa.tui.attaching import Attachment, path_at_end, paths_beginning, size_text
from moa.tui.slash_commands import COMMANDS, Command, command_line

_MENTION: Final = re.compile(r"(?<![\w@./+-])@([\w-]*)\Z")
_FAR: Final = 4096  # characters before the cursor, at each of which nobody wants to wait
_LAST_WORD: Final = re.compile(r"[^\s,]*\Z")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be put in place of the end of what is typed."""

    shown: str
    text: str
    """What takes its place."""
    start: int
    """From which character on it takes the place of what is typed, up to the cursor."""
    about: str = ""
    attach: Path | None = None
    """A file to attach; the text that names it goes away."""


@dataclass(frozen=True, slots=True)
class Known:
    """What can be named."""

    agents: Mapping[str, str] = field(default_factory=dict)
    """What each is about, by its name."""
    commands: Sequence[Command] = COMMANDS
    themes: Sequence[str] = ()
    files: Sequence[Attachment] = ()
    """That are attached already."""


def offers(before: str, known: Known) -> tuple[Offer, ...]:
    """Return what may be meant.

    Args:
        before: what is typed, up to the cursor.
        known: what can be named.
    """
    if before.startswith("/") and not before.startswith("//") and "\n" not in before:
        named, space, argument = before[1:].partition(" ")
        if not space and re.fullmatch(r"[\w-]*", named):
            return _commands(named.lower(), known)
        command = next((each for each in known.commands if each.name == named.lower()), None)
        if space and command is not None and command_line(before.strip()):
            return _arguments(command, argument.lstrip(), len(before), known)
    line = before[before.rfind("\n") + 1 :][-_FAR:]
    start = len(before) - len(line)
    if mention := _MENTION.search(line):
        return _agents(mention[1], start + mention.start(), "@", known)
    dropped = path_at_end(line)
    return (_dropped(start + dropped[0], dropped[1]),) if dropped else ()


def _commands(begun: str, known: Known) -> tuple[Offer, ...]:
    return tuple(
        Offer(
            f"/{each.name} {each.argument}".rstrip(),
            f"/{each.name} " if each.argument else f"/{each.name}",
            0,
            each.does,
        )
        for each in known.commands
        if each.name.startswith(begun)
    )


def _arguments(command: Command, argument: str, end: int, known: Known) -> tuple[Offer, ...]:
    names: Iterable[str] = ()
    match command.takes:
        case "agents":
            word = _LAST_WORD.search(argument)
            begun = word[0] if word else ""
            sign = "@" if begun.startswith("@") else ""
            return _agents(begun.removeprefix("@"), end - len(begun), sign, known)
        case "file":
            start = end - len(argument)
            paths = paths_beginning(argument)
            return tuple(Offer(name, name, start, "folder" if folder else "") for name, folder in paths)
        case "attached":
            names = (file.name for file in known.files)
        case "theme":
            names = known.themes
    start = end - len(argument)
    return tuple(Offer(name, name, start) for name in names if name.casefold().startswith(argument.casefold()))


def _agents(begun: str, start: int, sign: str, known: Known) -> tuple[Offer, ...]:
    return tuple(
        Offer(f"{sign}{name}", f"{sign}{name} ", start, about)
        for name, about in known.agents.items()
        if name.casefold().startswith(begun.casefold())
    )


def _dropped(start: int, path: Path) -> Offer:
    try:
        size = size_text(path.stat().st_size)
    except OSError:
        size = ""
    return Offer(f"attach {path.name}", "", start, size, path)

"""Keys of one's own: `keys.toml` in the folder of settings, an id and a key a line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moa.errors import UsageError
from moa.paths import config_folder

if TYPE_CHECKING:
    from moa.tui.key_ids import Place

_HEAD: Final = """\
# The keys of moa's terminal UI. Take away the # before a line and write another key, or several: ["F9", "Ctrl+K"].
# /keys in the chat reads this file again.
"""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """What a file of keys says."""

    keys: Mapping[str, tuple[str, ...]]
    """The keys that are changed, by the id of what they do, as Textual spells them."""
    problems: tuple[str, ...] = ()
    """What of the file could not be heeded, a sentence each."""


NO_KEYS: Final = OwnKeys({})


def key_file() -> Path:
    """Return the file of keys, which need not be there."""
    return config_folder() / "keys.toml"


def read_keys(path: Path) -> OwnKeys:
    """Read a file of keys. What is wrong in it is told, and the keys that it says that of stay as they are."""
    if not path.exists():
        return NO_KEYS
    import tomllib

    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return OwnKeys({}, (f"{path} cannot be read: {error.strerror or error}. All keys are as they were.",))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return OwnKeys({}, (f"{path} is not TOML: {error}. All keys are as they were.",))
    return checked(dict(_flat(written)), path.name) if written else NO_KEYS


def checked(written: Mapping[str, Any], source: str) -> OwnKeys:
    """Return the keys that can be heeded, and what is wrong with the others.

    Args:
        written: a key or a list of them for each id.
        source: where it is written, for the sentences.
    """
    from moa.tui.key_ids import default_keys, key_name

    defaults, problems = default_keys(), []
    wanted: dict[str, tuple[str, ...]] = {}
    for name, value in written.items():
        if name not in defaults:
            near = get_close_matches(name, defaults, 1)
            hint = f"Did you mean {near[0]}?" if near else "/keys writes a file with all of them."
            problems.append(f"{source}: there is nothing called {name}. {hint}")
            continue
        try:
            if (keys := _keys(value)) != defaults[name]:
                wanted[name] = keys
        except UsageError as error:
            problems.append(f"{source}: {name} stays as it was. {error}")
    heeded = dict(wanted)
    # Again from the start after each: a key that stays where it was may be one that another was to have.
    while found := next(_clashes(heeded), None):
        name, clash = found
        del heeded[name]
        kept = " and ".join(map(key_name, defaults[name]))
        problems.append(f"{source}: {name} stays on {kept}. {clash}")
    return OwnKeys(heeded, tuple(problems))


def _clashes(changed: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield ids whose keys cannot be used, and why; the last ones in the file first."""
    from moa.tui.key_ids import places

    for name in reversed(list(changed)):
        for place in places():
            if name in place.ids and (clash := _clash(name, place, changed)):
                yield name, clash


def _clash(name: str, place: Place, changed: Mapping[str, tuple[str, ...]]) -> str:
    """Return why the keys of an id cannot be used in a place; empty if they can."""
    from moa.tui.key_ids import key_name

    for key in changed[name]:
        said = key_name(key)
        if place.typing and len(key) == 1:
            return f"{said} is typed in {place.name}. Take it together with Ctrl or Alt, or a function key."
        others = (other for other in place.ids if other != name and key in changed.get(other, place.ids[other]))
        if other := next(others, None):
            return f"{said} is already {other} in {place.name} ({place.does[other]}). Give one of them another key."
        if key in place.editing and name not in place.first:
            return f"{said} edits the text in {place.name}."
    return ""


def _keys(value: Any) -> tuple[str, ...]:
    from moa.tui.key_ids import parse_key

    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key.strip() for key in keys):
        raise UsageError('A key is written like "Ctrl+K", and several like ["F9", "Ctrl+K"].')
    return tuple(dict.fromkeys(map(parse_key, keys)))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ids and what is written for them: a dot in an id makes a table of it in TOML."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def template() -> str:
    """Return a file of keys that changes nothing, with every id and what it does."""
    from moa.tui.key_ids import key_name, places

    lines, seen = [_HEAD], set()
    for place in places():
        new = [name for name in place.ids if name not in seen]
        lines.append(f"\n# In {place.name}\n")
        for name in new:
            keys = [f'"{_in_toml(key_name(key))}"' for key in place.ids[name]]
            value = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
            lines.append(f"# {name} = {value}  # {place.does[name]}\n")
        seen.update(new)
    return "".join(lines)


def _in_toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def write_template(path: Path) -> None:
    """Write a file of keys to begin with.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            file.write(template())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error

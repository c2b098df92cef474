"""Agents and mixtures from Python files: what the word MIXTURE stands for on the command line."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Container, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

import moa
from moa.agent import Agent
from moa.errors import LoadError, MoaError
from moa.mixture import Mixture
from moa.workspace import python_files, run_files, shown

_FILE_AND_NAME = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/\\]*)")
_Noun = TypeVar("_Noun", Agent, Mixture)


def load_mixture(spec: str | os.PathLike[str] | None = None) -> Mixture:
    """Return the mixture that a user names.

    Args:
        spec: a Python file, which holds one mixture, or agents to make one of; `file.py:name`; a folder, whose
            `starter.py` holds its mixture, or whose files hold its agents; or None, which is the folder `agents` here
            if there is one with Python files in it, else the starter mixture.

    Raises:
        LoadError: there is no such file, it cannot be run, or it holds no mixture, or several. The message names the
            file and the line, and the cause is kept.
    """
    if spec is None:
        here = Path("agents")
        return _of_folder(here if python_files(here) else starter_folder())
    if match := _FILE_AND_NAME.fullmatch(os.fspath(spec)):
        return _named(_existing(match["file"]), match["name"])
    path = _existing(os.fspath(spec))
    return _of_folder(path) if path.is_dir() else _of_module(_module(path), path)


def load_agents(folder: str | os.PathLike[str]) -> tuple[Agent, ...]:
    """Return every agent that the files of a folder define, file by file in the order of their names.

    Files that define a mixture, and those whose name begins with `_`, are left out.

    Raises:
        LoadError: the folder is missing or holds no agent, a file cannot be run, or two agents have the same name.
    """
    path = _existing(os.fspath(folder))
    if not path.is_dir():
        raise LoadError(f"{shown(path)} is a file. Name the folder that it is in.")
    files = python_files(path)
    found: dict[int, Agent] = {}
    home: dict[str, Path] = {}
    for file, module in zip(files, run_files(files), strict=True):
        if _defined(module, Mixture):
            continue
        for agent in _defined(module, Agent).values():
            if id(agent) in found:
                continue
            if home.setdefault(agent.name, file) != file:
                both = f"{shown(home[agent.name])} and {shown(file)}"
                raise LoadError(f"{both} both define an agent called {agent.name!r}. Rename one of the two.")
            found[id(agent)] = agent
    if not found:
        raise LoadError(
            f"No file in the folder {shown(path)} defines an agent. Write one, such as a math.py with "
            '`math = Agent("math", model="…")` in it, or begin with the starter agents: moa init'
        )
    return tuple(found.values())


def starter_folder() -> Path:
    """Return the folder of the agents that come with moa.

    Raises:
        LoadError: they are missing from this installation.
    """
    package = Path(moa.__file__).parent
    for folder in (package / "starter" / "agents", package.parent / "agents"):
        if (folder / "starter.py").is_file():
            return folder
    raise LoadError("The starter agents are missing from this installation. Install moa again.")


def _of_folder(folder: Path) -> Mixture:
    starter = folder / "starter.py"
    if starter.is_file() and _defined(module := _module(starter), Mixture):
        return _of_module(module, starter)
    return _mixture_of(load_agents(folder), folder)


def _of_module(module: ModuleType, file: Path) -> Mixture:
    mixtures = _defined(module, Mixture)
    if len(mixtures) > 1:
        choices = " or ".join(f"{shown(file)}:{name}" for name in mixtures)
        raise LoadError(f"{shown(file)} defines {len(mixtures)} mixtures. Say which: {choices}")
    if mixtures:
        return next(iter(mixtures.values()))
    agents = _defined(module, Agent)
    if not agents:
        raise LoadError(
            f"{shown(file)} defines neither a mixture nor an agent. It needs `mixture = Mixture([…])` "
            'or `agent = Agent("name", model="…")` at its top level.'
        )
    return _mixture_of(tuple(agents.values()), file)


def _named(file: Path, name: str) -> Mixture:
    module = _module(file)
    value = vars(module).get(name)
    if isinstance(value, Mixture):
        return value
    if isinstance(value, Agent):
        return _mixture_of((value,), file)
    choices = [choice for choice in (*_members(module, Mixture), *_members(module, Agent)) if choice.isidentifier()]
    near = get_close_matches(name, choices)
    hint = f"Did you mean {_either(near)}?" if near else f"It defines {', '.join(choices) or 'none at all'}."
    raise LoadError(f"{shown(file)} defines no mixture or agent called {name!r}. {hint}")


def _mixture_of(agents: Sequence[Agent], origin: Path) -> Mixture:
    try:
        return Mixture(agents, name=origin.resolve().stem)
    except MoaError as error:
        raise LoadError(f"The agents in {shown(origin)} make no mixture: {error}") from error


def _module(file: Path) -> ModuleType:
    [module] = run_files([file])
    return module


def _defined(module: ModuleType, noun: type[_Noun]) -> dict[str, _Noun]:
    """Return what a module makes itself, by its name; only if that is nothing, what it imports from other files."""
    return _members(module, noun, without=_imported_names(Path(module.__file__ or ""))) or _members(module, noun)


def _members(module: ModuleType, noun: type[_Noun], without: Container[str] = ()) -> dict[str, _Noun]:
    """Return the module's public variables of a kind, and what its public lists and tuples hold; each object once."""
    found: dict[int, tuple[str, _Noun]] = {}
    for name, value in vars(module).items():
        if not name.startswith("_") and name not in without:
            for label, member in _with_content(name, value):
                if isinstance(member, noun):
                    found.setdefault(id(member), (label, member))
    return dict(found.values())


def _with_content(name: str, value: object) -> Iterator[tuple[str, object]]:
    yield name, value
    if type(value) in {list, tuple}:
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(cast("Sequence[object]", value)))


def _imported_names(file: Path) -> set[str]:
    return {
        alias.asname or alias.name
        for statement in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def _existing(named: str) -> Path:
    path = Path(named).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix == ".py"):
        return path
    if path.exists():
        raise LoadError(f"{named} is no Python file. Name a .py file that defines a mixture or agents, or a folder.")
    near = _near(path)
    if near:
        hint = f"Did you mean {_either(near)}?"
    elif _is_in_starter(path.name):
        hint = f"`moa init` copies the starter agents here, a {path.name} among them."
    else:
        hint = "Name a Python file, file.py:name, or a folder of agents; naming nothing means the starter mixture."
    raise LoadError(f"There is no file or folder {named}. {hint}")


def _is_in_starter(name: str) -> bool:
    try:
        return (starter_folder() / name).is_file()
    except LoadError:  # not what is being complained about here
        return False


def _near(missing: Path) -> list[str]:
    """Return the Python files and folders of them that might have been meant."""
    places = dict.fromkeys((missing.parent, Path("agents"), Path()))
    candidates = [entry for place in places for entry in (*python_files(place), *_folders_of_files(place))]
    stems = get_close_matches(missing.stem, {entry.stem for entry in candidates})
    return [str(entry) for stem in stems for entry in candidates if entry.stem == stem]


def _folders_of_files(place: Path) -> Iterator[Path]:
    entries = sorted(place.iterdir()) if place.is_dir() else []
    return (entry for entry in entries if entry.is_dir() and python_files(entry))


def _either(choices: Sequence[str]) -> str:
    return " or ".join(choices)

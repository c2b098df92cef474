"""The files of agents that a server was started with: loaded, watched, and loaded again when they change."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moa.errors import LoadError, UsageError
from moa.loader import load_mixture, starter_folder
from moa.mixture import Mixture
from moa.workspace import python_files

_State = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class AgentFiles:
    """What the mixtures of a server are made of.

    A change that cannot be loaded is not taken over: what was there before goes on, and the server says so. A change is
    taken up when the files have stood still from one look to the next, so that nobody's half saved file is read.
    """

    specs: tuple[str | None, ...] = (None,)
    prepare: Callable[[Mixture], None] = lambda mixture: mixture.router.prepare(mixture.agents)
    """Makes a mixture ready to route."""
    _taken: _State = field(default=())
    _seen: _State = field(default=())

    def load(self) -> dict[str, Mixture]:
        """Return the mixtures by their names, ready to route.

        Raises:
            MoaError: a file cannot be loaded, two mixtures have the same name, or the encoder cannot be had.
        """
        self._taken = self._seen = self._state()
        mixtures: dict[str, Mixture] = {}
        for spec in self.specs:
            mixture = load_mixture(spec)
            if mixture.name in mixtures:
                raise UsageError(f"Two mixtures are called {mixture.name!r}. Give each a name: Mixture(…, name='…').")
            if any(mark in mixture.name for mark in ":/") or not mixture.name.isprintable() or not mixture.name.strip():
                raise UsageError(
                    f"The mixture {mixture.name!r} cannot be a model's name: it must not have a : or / in it. Give it "
                    "another one: Mixture(…, name='…')."
                )
            mixtures[mixture.name] = mixture
        for mixture in mixtures.values():
            self.prepare(mixture)
        return mixtures

    def changed(self) -> bool:
        """Whether the files are others than those that were loaded, and have not changed since the last look."""
        before, self._seen = self._seen, self._state()
        return self._seen != self._taken and self._seen == before

    def pass_over(self) -> None:
        """Take note that what is there now cannot be loaded: it is not tried again until it changes."""
        self._taken = self._seen

    def _state(self) -> _State:
        return tuple(
            (str(file), facts.st_mtime_ns, facts.st_size)
            for folder in _folders(self.specs)
            for file in python_files(folder)
            if (facts := _facts(file))
        )


def _folders(specs: Sequence[str | None]) -> list[Path]:
    """Return the folders whose files matter: that of each file that was named, for they import from each other."""
    found = []
    for spec in specs:
        if spec is None:
            here = Path("agents")
            try:
                found.append(here if python_files(here) else starter_folder())
            except LoadError:
                continue
        else:
            path = Path(spec.rpartition(".py:")[0] + ".py" if ".py:" in spec else spec).expanduser()
            found.append(path if path.is_dir() else path.parent)
    return list(dict.fromkeys(found))


def _facts(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None

"""Running the Python files of a folder, so that neither they nor the standard library get into each other's way.

A folder's files are modules of a package whose name is made up from the folder's path. `from .math import math` in
one of them means the file beside it, and no file called `math.py` or `code.py` can stand in front of Python's own.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType

from moa.errors import LoadError, MoaError

_PREFIX = "moa_workspace_"
_lock = threading.RLock()


def python_files(folder: Path) -> list[Path]:
    """Return a folder's Python files in the order of their names, without those whose name begins with `_` or `.`."""
    return sorted(file for file in folder.glob("*.py") if file.name[0] not in "_." and file.is_file())


def run_files(files: Sequence[Path]) -> list[ModuleType]:
    """Run files of one folder and return their modules.

    Every call reads them, and whatever they import from beside them, anew: what was edited counts. Within one call a
    file runs once, even if others import it. The modules' names stay the same from call to call.

    Raises:
        LoadError: a file cannot be read, is not valid Python, or raises. The message names file and line; the cause
            is kept.
    """
    with _lock:
        packages = {folder: _fresh_package(folder) for folder in {file.resolve().parent for file in files}}
        return [_run(packages[file.resolve().parent], file) for file in files]


def shown(path: Path) -> str:
    """Return a path as people here write it: relative to the current folder, if it is inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except (ValueError, OSError):
        return str(path)


class _Source(SourceFileLoader):
    """Compiles from the source each time: cached bytecode is too coarse in time to follow quick edits.

    Nor is a `__pycache__` left in the user's folder.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _Workspaces(MetaPathFinder):
    """Finds what files of a workspace import from beside them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not fullname.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Source(spec.loader.name, spec.loader.path)
        return spec


def _fresh_package(folder: Path) -> str:
    """Forget what was loaded from a folder, and return the name of an empty package for it."""
    if not any(isinstance(finder, _Workspaces) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Workspaces())
    importlib.invalidate_caches()
    name = _PREFIX + hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    for loaded in list(sys.modules):
        if loaded == name or loaded.startswith(f"{name}."):
            del sys.modules[loaded]
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    sys.modules[name] = module_from_spec(spec)
    return name


def _run(package: str, file: Path) -> ModuleType:
    name = f"{package}.{file.stem.replace('.', '_')}"  # a dot would name a package within the package
    if name in sys.modules:
        return sys.modules[name]
    path = str(file.resolve())
    spec = ModuleSpec(name, _Source(name, path), origin=path)
    spec.has_location = True
    module = sys.modules[name] = module_from_spec(spec)
    try:
        _Source(name, path).exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _load_error(package, file, error) from error
    return module


def _load_error(package: str, file: Path, error: BaseException) -> LoadError:
    if isinstance(error, SyntaxError):
        line = f", line {error.lineno}" if error.lineno else ""
        return LoadError(f"{shown(Path(error.filename or file))}{line} is not valid Python: {error.msg}.")
    # The innermost of the user's own lines is where to look; the libraries below it are not to be mended.
    own = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith(f"{package}.")
    ]
    if isinstance(error, OSError) and not own:
        return LoadError(f"{shown(file)} cannot be read: {error.strerror or error}.")
    where = f"{shown(Path(own[-1][0]))}, line {own[-1][1]}" if own else shown(file)
    what = str(error).replace(f"{package}.", ".")
    if not isinstance(error, MoaError):
        what = f"{type(error).__name__}: {what}" if what else f"{type(error).__name__} was raised."
    return LoadError(f"{where}: {what}{_import_advice(file.resolve().parent, error)}")


def _import_advice(folder: Path, error: BaseException) -> str:
    name = error.name if isinstance(error, ImportError) else None
    if name and (folder / f"{name}.py").is_file():
        return f". To import from the file {name}.py beside it, write `from .{name} import …`, with the dot."
    return ""

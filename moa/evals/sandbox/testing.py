"""The process of the tests: runs statements that must hold, whose calls of the answer go to the other process.

A script for `moa.evals.sandbox.apart`. The verdict is its last line on the standard error, which the answer's process
does not have. `testing.json` of this folder holds `tests`, the source text, `names`, which are the
answer's even if Python has them too, and `seal`, with which the line begins.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moa.evals.sandbox.wire import Gone, Peer
else:  # there is no moa where this runs: the module lies beside this script
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from wire import Gone, Peer

_FILE = "tests.py"
_LONGEST = 300
"""Characters of a failed test that are shown."""


def wanted_names(tree: ast.Module, owned: set[str]) -> tuple[set[str], set[str]]:
    """Return the names that tests use and do not define: those of modules, and those that the answer must define.

    What Python itself calls so is Python's, unless it is `owned`: said to be the answer's.
    """
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    defined = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    defined |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    called: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {node.id for node in names if id(node) not in bases}
    wanted = {node.id for node in names} - defined - (set(dir(builtins)) - owned) - {"__name__"}
    modules = {name for name in wanted - called if name in sys.stdlib_module_names}
    return modules, wanted - modules


def run(tests: str, peer: Peer, owned: set[str]) -> str:
    """Run tests; return what failed, or nothing if they hold."""
    try:
        tree = ast.parse(tests, _FILE)
    except SyntaxError as error:
        return f"the tests cannot be read: {error}"
    modules, names = wanted_names(tree, owned)
    try:
        peer.ask("call", "load the answer")
    except Gone:
        return "the code ended while it was loaded"
    except Exception as error:  # noqa: BLE001  (whatever the code raises)
        return f"the code does not load: {type(error).__name__}: {error}"
    space: dict[str, Any] = {"__name__": "tests"}
    space.update({name: importlib.import_module(name) for name in modules})
    try:
        for name in sorted(names):
            try:
                space[name] = peer.ask("name", name)
            except KeyError:
                continue  # the tests say so themselves, where they need it
        exec(compile(tree, _FILE, "exec"), space)  # noqa: S102  (that is what this process is for)
    except Gone:
        return "the code ended before its tests did"
    except BaseException as error:  # noqa: BLE001  (whatever the tests raise)
        return _told(error, tests)
    return ""


def _told(error: BaseException, tests: str) -> str:
    lines = tests.splitlines()
    at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE]
    line = lines[at[-1] - 1].strip() if at and at[-1] and at[-1] <= len(lines) else ""
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{said} at `{line[:_LONGEST]}`" if line else said


def main() -> None:
    """Run the tests of this folder, and write the verdict."""
    spec = json.loads(Path(sys.path.pop(0), "testing.json").read_text("utf-8"))
    sys.set_int_max_str_digits(0)
    reading, writing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    failed = run(spec["tests"], Peer(reading, writing, closed=True), set(spec["names"]))
    sys.stdout.flush()
    os.write(2, f"\n{spec['seal']} {json.dumps({'failed': failed})}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main()

"""Which sandbox this machine has."""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import cache

from moa.errors import ScoringError
from moa.evals.sandbox.base import Sandbox
from moa.evals.sandbox.bubblewrap import Bubblewrap
from moa.evals.sandbox.container import Container
from moa.evals.sandbox.namespaces import Namespaces
from moa.evals.sandbox.unconfined import Unconfined

UNSAFE: ContextVar[bool] = ContextVar("UNSAFE", default=False)
"""Whether programs may run without a sandbox where none is to be had: what `--unsafe-exec` sets."""


def find_sandbox(*, unsafe: bool | None = None) -> Sandbox:
    """Return the best sandbox that works here. The first call tries them, which takes some tenths of a second.

    Args:
        unsafe: take none where there is none; None asks `UNSAFE`.

    Raises:
        ScoringError: there is none, and `unsafe` was not said.
    """
    found, failures = _tried()
    if found is not None:
        return found
    bare = Unconfined()
    if (UNSAFE.get() if unsafe is None else unsafe) and not bare.missing():
        return bare
    listed = "; ".join(f"{name}: {why}" for name, why in failures)
    raise ScoringError(
        f"There is no sandbox on this machine, so code of models is not run ({listed}). Install bubblewrap, or run it "
        "with your own rights by --unsafe-exec if you trust these models."
    )


def describe() -> tuple[bool, str]:
    """Return whether there is a sandbox here, and a sentence on it."""
    found, failures = _tried()
    if found is not None:
        return True, f"{found.name}: code of models runs without network, files and rights"
    return False, "none: " + "; ".join(f"{name}: {why}" for name, why in failures)


@cache
def _tried() -> tuple[Sandbox | None, tuple[tuple[str, str], ...]]:
    kinds: list[Sandbox] = [Bubblewrap(), Namespaces(), Container()]
    if getattr(os, "getuid", lambda: 1)() == 0:
        kinds[:2] = reversed(kinds[:2])  # bubblewrap leaves a program of root root, whom the limit of processes spares
    failures: list[tuple[str, str]] = []
    for kind in kinds:
        why = kind.trial()
        if not why:
            return kind, tuple(failures)
        failures.append((kind.name, why))
    return None, tuple(failures)

"""The name of a request: equal for two requests that any model would take for the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from moa.backends.base import Backend, Request
from moa.backends.priced import Priced

VERSION = 1
"""Counted up when what is hashed changes its meaning."""
_BESIDE = ("api_base", "extra", "adapter", "context", "max_tokens")
"""Fields of backends that change what a model answers."""


def request_key(backend: Backend, request: Request) -> str | None:
    """Return the SHA-256 of a model and all that it is asked, in hexadecimal digits; None if it is not worth keeping.

    Beside the reference of the model, what its backend adds to a request counts: another address, adapter or window is
    another model, and so is a model file that was changed. Nothing of it can be read back; keys and headers are left
    out. Recorded answers are not kept a second time.
    """
    while isinstance(backend, Priced):
        backend = backend.inner
    if backend.reference.startswith("replay:"):
        return None
    beside = {name: repr(getattr(backend, name)) for name in _BESIDE if hasattr(backend, name)}
    asked = {
        "version": VERSION,
        "model": backend.reference,
        "beside": beside,
        "file": _file(backend),
        "request": asdict(request),
    }
    written = json.dumps(asked, sort_keys=True, ensure_ascii=True, default=repr)
    return sha256(written.encode()).hexdigest()


def _file(backend: Backend) -> tuple[int, int] | None:
    """Return size and time of change of the file that a user named as a model; None if there is none."""
    path = getattr(getattr(backend, "weights", None), "path", None)
    try:
        facts = path.stat() if isinstance(path, Path) else None
    except (OSError, ValueError):
        return None
    return (facts.st_size, facts.st_mtime_ns) if facts else None

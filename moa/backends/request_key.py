"""The name of a request: equal for two requests that any model would take for the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256

from moa.backends.base import Backend, Request
from moa.backends.priced import Priced

VERSION = 1
"""Counted up when what is hashed changes its meaning."""


def request_key(backend: Backend, request: Request) -> str:
    """Return the SHA-256 of a model and all that it is asked, in hexadecimal digits.

    Beside the reference of the model, what its backend adds to a request counts: another address, adapter or window is
    another model. Nothing of it can be read back, keys and headers are left out.
    """
    inner = backend.inner if isinstance(backend, Priced) else backend
    beside = {name: repr(getattr(inner, name)) for name in _BESIDE if hasattr(inner, name)}
    asked = {"version": VERSION, "model": inner.reference, "beside": beside, "request": asdict(request)}
    written = json.dumps(asked, sort_keys=True, ensure_ascii=True, default=repr)
    return sha256(written.encode()).hexdigest()


_BESIDE = ("api_base", "extra", "adapter", "context", "max_tokens")
"""Fields of backends that change what a model answers."""

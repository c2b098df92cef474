"""Model references: the strings that name a model, and the backend that each form stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moa.errors import ModelReferenceError

if TYPE_CHECKING:
    from moa.backends.base import Backend

FORMS = (
    "provider/name (for example openai/gpt-4o-mini), http://host:port/v1#name, "
    "local:name (see `moa models`), local:path/to/file.gguf, local:org/repo:file-or-quant, replay:file.jsonl#name"
)


def backend_for(reference: str) -> Backend:
    """Return the backend that a model reference names. Opens nothing and imports no model library.

    Raises:
        ModelReferenceError: the string has none of the known forms, or names nothing.
    """
    scheme, colon, rest = reference.partition(":")
    if colon and scheme == "local":
        from moa.backends.local import LocalModel

        return LocalModel.named(rest)
    if colon and scheme == "replay":
        from moa.backends.replay import Replay

        return Replay.named(rest)
    if reference.startswith(("http://", "https://")):
        from moa.backends.endpoint import Endpoint

        return Endpoint.named(reference)
    if re.fullmatch(r"[A-Za-z0-9_.-]+/\S+", reference):
        from moa.backends.hosted import Hosted

        return Hosted(reference)
    raise ModelReferenceError(f"{reference!r} names no model. Use one of these forms: {FORMS}.")

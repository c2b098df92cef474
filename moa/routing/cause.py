"""What another library's error says, for a sentence of ours."""

from __future__ import annotations

_ROOM = 200
"""Characters of somebody else's message that a sentence has room for."""


def cause(error: Exception) -> str:
    """Return the first line of what another library said, short enough to stand inside a sentence."""
    return next((line.strip()[:_ROOM] for line in str(error).splitlines() if line.strip()), type(error).__name__)

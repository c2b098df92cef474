"""Gates kept in a folder: how one is known, and what is said of a folder that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from moa.errors import GateError

MANIFEST = "gate.json"
"""The file that makes a folder a gate: a JSON object whose `kind` names what was learned."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a saved gate says of itself.

    Raises:
        GateError: there is no such folder, or it is no gate.
    """
    if not folder.is_dir():
        raise GateError(f"There is no gate in {folder}: it is not a folder. Name one that holds a {MANIFEST}.")
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GateError(f"The folder {folder} is no gate: it holds no {MANIFEST}.") from error
    except (OSError, ValueError) as error:
        raise GateError(f"The gate in {folder} cannot be read: its {MANIFEST} is broken ({error}).") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("kind"), str):
        raise GateError(f"The gate in {folder} cannot be read: its {MANIFEST} does not say which kind of gate it is.")
    return manifest

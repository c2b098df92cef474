"""Writing what a command exports: JSON lines, into a new file or to the screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moa.errors import UsageError

SCREEN = "-"


def write_lines(rows: Iterable[Mapping[str, Any]], to: Path, *, force: bool) -> bool:
    """Write a JSON object a line; return whether that went into a file, and not to the screen.

    Args:
        rows: what to write.
        to: the file; `-` is the screen.
        force: whether a file that is there is replaced.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    if str(to) == SCREEN:
        print(lines, end="")
        return False
    try:
        with to.open("w" if force else "x", encoding="utf-8") as file:
            file.write(lines)
    except FileExistsError:
        raise UsageError(f"{to} is there already. Give another name, or --force to replace it.") from None
    except OSError as error:
        raise UsageError(f"{to} cannot be written: {error.strerror or error}.") from error
    return True

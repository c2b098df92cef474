"""The process that tries regular expressions. A script for `moa.evals.scorers.line_process`."""

from __future__ import annotations

import json
import re
import sys
from typing import Any


def found(asked: dict[str, Any]) -> list[str | None]:
    """Return the last match of a pattern in a text, and its first group, where it has one; nothing if none matches."""
    pattern = re.compile(asked["pattern"], re.MULTILINE | (re.IGNORECASE if asked["ignore_case"] else 0))
    text = asked["text"]
    matches = [pattern.fullmatch(text.strip())] if asked["whole"] else list(pattern.finditer(text))
    last = matches[-1] if matches else None
    return [] if last is None else [last[0], last[1] if pattern.groups else last[0]]


def main() -> None:
    """Answer each line of the input."""
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told: dict[str, Any] = {"gives": found(asked)}
        except re.error as error:
            told = {"failed": f"{asked['pattern']!r} is no regular expression: {error}."}
        print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

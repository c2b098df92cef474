"""The process that compares mathematics. A script for `moa.evals.scorers.line_process`."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any

_MEMORY_BYTES = 4 * 1024**3
"""Powers of powers fill any memory."""


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Answer each line of the input: whether `answer` equals `target`, and what was read of both."""
    _limit_memory()
    logging.disable()
    try:
        from math_verify import parse, verify
    except ImportError as error:
        print(f"math-verify is missing ({error}). Run: pip install 'mixture-of-agents[eval]'", flush=True)  # noqa: T201
        return
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        asked = json.loads(line)
        told: dict[str, Any]
        try:
            # Its own limits of time need signals, and do not hold within C; this process is ended from outside.
            target = parse(f"${asked['target']}$", parsing_timeout=None)
            answer = parse(asked["answer"], parsing_timeout=None)
            right = bool(target and answer and verify(target, answer, timeout_seconds=None))
            told = {"gives": [right, bool(target), str(answer[-1]) if answer else ""]}
        except Exception as error:  # noqa: BLE001  (a text that algebra cannot read is no reason to end)
            told = {"gives": [False, True, f"{type(error).__name__}"]}
        print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

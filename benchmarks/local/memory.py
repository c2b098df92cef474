"""What models take beside what was estimated: `python -m benchmarks.local.memory [--context N …] [--slots N …]`.

Each model of the catalogue is loaded by the engine's own child process, reads about 1,000 tokens and writes a few. The
largest resident set of the process by then is held against the estimate that the pool plans with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from benchmarks.local.panels import LARGEST, MIDDLE, SMALLEST, file_of
from moa.local.child import Child
from moa.local.engine import EngineSettings, engine_for

MODELS = (SMALLEST, MIDDLE, LARGEST)
CONTEXTS, SLOTS = (2048, 8192, 32_768), (1, 2, 4)
PROMPT = "The keeper of the lighthouse wrote down the weather, the ships and the birds of every single day. " * 50
"""Some 1,000 tokens."""
_WRITTEN_TOKENS = 48
_SECONDS = 600.0


def main() -> None:
    """Measure and print a table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local.memory", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", action="append", choices=MODELS, help="only these; may be repeated")
    parser.add_argument("--context", action="append", type=int, help=f"tokens; by default {CONTEXTS}")
    parser.add_argument("--slots", action="append", type=int, help=f"by default {SLOTS}")
    given = parser.parse_args()
    print("| model | context | slots | estimate | measured | |", "| --- | ---: | ---: | ---: | ---: | ---: |", sep="\n")
    for model, context, slots in product(given.model or MODELS, given.context or CONTEXTS, given.slots or SLOTS):
        for row in _row(model, context, slots):
            print(row, flush=True)


def _row(model: str, context: int, slots: int) -> Iterator[str]:
    """Yield the row of a case; none where the model was trained on less and moa would not give it as much."""
    settings = EngineSettings(file_of(model), context, slots)
    engine = engine_for(model, settings)
    engine.settings = settings  # not joined with the larger case before
    if engine.context < context:
        return
    estimate, held = engine.expected_bytes(), _largest(model, settings)
    yield f"| {model} | {context:,} | {slots} | {_mb(estimate)} | {_mb(held)} | {estimate / held - 1:+.1%} |"


def _largest(model: str, settings: EngineSettings) -> int:
    """Return the largest resident set of a child that was loaded and answered once, in bytes. Linux."""
    child = Child(model, settings.model, settings.context, settings.slots)
    try:
        child.wait_until_loaded()
        body = {"prompt": PROMPT, "n_predict": _WRITTEN_TOKENS, "ignore_eos": True}
        with child.working():
            child.post("/completion", body, seconds=_SECONDS)
        status = Path(f"/proc/{child.pid}/status").read_text()
    finally:
        child.stop()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()

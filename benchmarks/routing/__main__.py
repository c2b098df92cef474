"""Routing, side by side, in one command.

python -m benchmarks.routing --data ../shared/data
python -m benchmarks.routing --data ../shared/data --only domain,clinc
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.routing import domain, intents, report, responses, robustness, speed
from benchmarks.routing.bench import Bench, say
from benchmarks.routing.sets import DataMissing
from benchmarks.routing.tables import Table

SECTIONS: dict[str, Callable[[Bench], list[Table]]] = {
    "domain": domain.run,
    "clinc": intents.run_clinc,
    "banking": intents.run_banking,
    "robustness": robustness.run,
    "responses": responses.run,
    "speed": speed.run,
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of the data sets")
    parser.add_argument("--only", metavar="PART,…", help=f"some of: {', '.join(SECTIONS)}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    wanted = given.only.split(",") if given.only else list(SECTIONS)
    if unknown := [name for name in wanted if name not in SECTIONS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(SECTIONS)}")
    if not given.data.is_dir():
        parser.error(f"there is no folder {given.data}; name the one that holds domain_routing.jsonl and the others")
    command = shlex.join(["python", "-m", "benchmarks.routing", *sys.argv[1:]])
    try:
        bench = Bench.of(given.data)
        tables = [table for name in SECTIONS if name in wanted for table in _timed(name, bench)]
    except DataMissing as error:
        sys.exit(str(error))
    if given.json:
        print(report.as_json(tables, bench.absent, command))
    else:
        print(report.header(command), report.text(tables, bench.absent), sep="\n\n")


def _timed(name: str, bench: Bench) -> list[Table]:
    started = perf_counter()
    tables = SECTIONS[name](bench)
    say(f"{name}: {perf_counter() - started:.0f} s")
    return tables


if __name__ == "__main__":
    main()

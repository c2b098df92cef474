"""What aggregation is worth, in one command.

python -m benchmarks.aggregation.drafts --data ../shared/data
python -m benchmarks.aggregation --data ../shared/data

The first writes the drafts of the local models, and may be stopped and started again; the second measures what is
there.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from benchmarks.aggregation import local, recorded, report
from benchmarks.routing.bench import Bench
from benchmarks.routing.sets import DataMissing
from benchmarks.routing.tables import Table

PARTS = ("recorded", "local")


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aggregation", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of the data sets")
    parser.add_argument("--only", choices=PARTS, help="one half only")
    parser.add_argument(
        "--live", type=int, default=0, metavar="N", help="ask a model to aggregate, on N questions of each set"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if not given.data.is_dir():
        parser.error(f"there is no folder {given.data}; name the one that holds gsm8k_test.jsonl and the others")
    command = shlex.join(["python", "-m", "benchmarks.aggregation", *sys.argv[1:]])
    tables: list[Table] = []
    try:
        if given.only != "local":
            tables += recorded.run(Bench.of(given.data))
        if given.only != "recorded":
            tables += local.measure(given.data, given.live)
    except DataMissing as error:
        sys.exit(str(error))
    if given.json:
        print(report.as_json(tables, command))
    else:
        print(report.header(command), report.text(tables), sep="\n\n")


if __name__ == "__main__":
    main()

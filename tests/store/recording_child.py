"""A process to be killed: it records runs, turns of one session, and tells each event that it has seen."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

from moa.store import Sessions, Slot, Store, filed, recorded
from tests.store.sample import a_run, stream


async def main(path: Path, runs: int, seen_of_last: int) -> None:
    store = Store(path)
    for number in range(runs):
        run = f"r{number:04}"
        last = number == runs - 1
        asked = recorded(stream(a_run(run)), store)
        async with aclosing(filed(asked, Sessions(store), Slot("talk"))) as events:
            seen = 0
            async for event in events:
                seen += 1
                sys.stdout.write(f"{run} {event.type}\n")
                sys.stdout.flush()
                if last and seen == seen_of_last:
                    sys.stdin.readline()  # stands here until it is killed, with the run open


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

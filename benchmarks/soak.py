"""Hundreds of mixed requests to local models that do not fit into memory together: what is left behind?

Three models and two adapters under a budget that holds one model and a bit, so that nearly every change of model is an
eviction. Among the requests are some that are broken off, that cannot be answered (too long a prompt, a damaged file,
one that is not there), whose engine is killed, and whose panel was announced beforehand. In the end there must be no
process, no socket, no thread and no memory more than at the beginning, every request must have been answered or
refused for its own reason, and no sample of the engines' memory may lie above the budget.

    python -m benchmarks.soak --requests 500

The models are the smallest one of the catalogue under three names.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from moa.backends.base import Delta, Finish, Request, Sampling
from moa.backends.foresight import foreseen
from moa.backends.local import LocalModel
from moa.errors import BackendError, ContextTooLong, EngineError
from moa.local.engine import close_engines
from moa.local.machine_memory import resident_bytes
from moa.local.pool import the_pool
from moa.messages import Message
from tests.fakes.adapter import parrot
from tests.fakes.models import smallest_model

NAMES = ("math", "code", "law")
CONTEXT = 512
BUDGET = "330MB"
"""One of these models takes some 205 MB."""
AT_ONCE = 6
WEIGHTS = {"whole": 60, "panel": 12, "broken off": 12, "too long": 6, "damaged": 4, "missing": 3, "killed": 3}
"""How often each kind of request comes."""


@dataclass
class Leftovers:
    """What a process holds on to."""

    processes: int
    sockets: int
    threads: int
    bytes: int

    @classmethod
    def now(cls) -> Leftovers:
        """Look at this process."""
        gc.collect()
        return cls(len(children()), sockets(), threading.active_count(), resident_bytes(os.getpid()) or 0)


@dataclass
class Soak:
    """What came of it."""

    requests: int
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    """Kind of request and what became of it → how often."""
    unexpected: list[str] = field(default_factory=list)
    loads: int = 0
    budget: int = 0
    peak_bytes: int = 0
    """Of all engines together, in the samples."""
    samples: int = 0
    before: Leftovers | None = None
    """After the first requests: what is made once and kept is there by then."""
    after: Leftovers | None = None


async def soak(requests: int, folder: Path, seed: int = 1) -> Soak:
    """Make the requests and count what is left.

    Args:
        requests: how many.
        folder: where the models go; on the disk of the cache, they take no room.
        seed: of the mix.
    """
    files = _files(folder)
    result, chance = Soak(requests), random.Random(seed)
    kinds = chance.choices([*WEIGHTS], [*WEIGHTS.values()], k=requests)
    warm = ["whole", "panel", "killed", "broken off", "too long", "damaged"]
    await _all(warm, files, Soak(0), random.Random(0))
    await close_engines()
    result.before = await _settled()
    began = time.monotonic()
    with _sampled(result):
        await _all(kinds, files, result, chance)
        result.seconds = time.monotonic() - began
        result.budget = the_pool().budget
    await close_engines()
    result.after = await _settled()
    return result


async def _all(kinds: list[str], files: dict[str, Path], result: Soak, chance: random.Random) -> None:
    left = iter([(kind, chance.random()) for kind in kinds])

    async def work() -> None:
        for kind, luck in left:
            outcome = await _one(kind, files, random.Random(luck), result)
            told = f"{kind}: {outcome}"
            result.outcomes[told] = result.outcomes.get(told, 0) + 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def _one(kind: str, files: dict[str, Path], chance: random.Random, result: Soak) -> str:
    """Make one request; return what became of it, and take note of it if that is not what should have."""
    model = _model(files, chance)
    try:
        match kind:
            case "panel":
                await _panel(files, chance)
            case "broken off":
                await _broken_off(model, chance)
            case "too long":
                await _whole(model, "word " * 2000)
            case "damaged" | "missing":
                await _whole(LocalModel(str(files["code"].with_name(f"{kind}.gguf"))), "Hello")
            case "killed":
                await _killed(model)
            case _:
                await _whole(model, f"Tell me of {chance.randrange(10**6)} ships.", chance.randint(1, 8))
    except ContextTooLong:
        return _as_should(kind, "too long", "refused", result)
    except EngineError as error:
        # Whoever shares the engine with one that is killed loses an answer, too, and is told so.
        told = "was killed" in str(error) or "died" in str(error)
        return "killed" if told else _as_should(kind, ("damaged", "missing"), "refused", result, str(error))
    except BackendError as error:
        return _as_should(kind, (), type(error).__name__, result, str(error))
    return _as_should(kind, ("whole", "panel", "broken off", "killed"), "answered", result)


def _as_should(kind: str, meant: str | tuple[str, ...], outcome: str, result: Soak, why: str = "") -> str:
    if kind not in ((meant,) if isinstance(meant, str) else meant):
        result.unexpected.append(f"{kind}: {outcome} {why}".strip())
    return outcome


async def _whole(model: LocalModel, text: str, tokens: int = 4) -> None:
    request = Request((Message("user", text),), Sampling(max_tokens=tokens, temperature=0.0))
    async with aclosing(model.stream(request)) as chunks:
        last = [chunk async for chunk in chunks][-1]
    if not isinstance(last, Finish):
        raise TypeError(f"{model.reference} ended with {last}")


async def _panel(files: dict[str, Path], chance: random.Random) -> None:
    models = [_model(files, chance) for _ in range(3)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(foreseen(models, models[:1]))
        async with asyncio.TaskGroup() as group:
            for model in models:
                group.create_task(_survived(model))
        await _survived(models[0])


async def _survived(model: LocalModel) -> None:
    """Ask, whatever becomes of it: another request may kill the engine."""
    with suppress(EngineError):
        await _whole(model, "What is the capital of France?")


async def _broken_off(model: LocalModel, chance: random.Random) -> None:
    request = Request((Message("user", "Tell me a long story."),), Sampling(max_tokens=50))
    left = chance.randrange(6)
    async with aclosing(model.stream(request)) as chunks:
        async for _ in chunks:
            left -= 1
            if left < 0:
                break


async def _killed(model: LocalModel) -> None:
    request = Request((Message("user", "Tell me a story."),), Sampling(max_tokens=30))
    async with aclosing(model.stream(request)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, Delta):
                for member in the_pool().members():
                    if member.engine.settings.model == model.weights.files()[0] and (child := member.engine.child):
                        os.kill(child.pid, signal.SIGKILL)


def _model(files: dict[str, Path], chance: random.Random) -> LocalModel:
    name = str(files[chance.choice(NAMES)])
    if chance.random() < 0.3:
        name += f"+{files[chance.choice(('parrot', 'other-parrot'))]}@{chance.choice((0.5, 1.0))}"
    return LocalModel(name, context=CONTEXT, slots=2)


def _files(folder: Path) -> dict[str, Path]:
    """Put three models, two adapters and a damaged file into a folder."""
    weights = smallest_model()
    files = {name: folder / f"{name}.gguf" for name in NAMES}
    for path in files.values():
        try:
            os.link(weights, path)
        except OSError:  # another disk
            shutil.copyfile(weights, path)
    with weights.open("rb") as whole:
        (folder / "damaged.gguf").write_bytes(whole.read(5_000_000))
    files["parrot"] = parrot(folder / "parrot.gguf", weights, 5)
    files["other-parrot"] = parrot(folder / "other-parrot.gguf", weights, 9)
    return files


@contextmanager
def _sampled(result: Soak) -> Iterator[None]:
    """Look 20 times a second at what all engines hold together."""
    over, seen = threading.Event(), set[int]()

    def sample() -> None:
        while not over.wait(0.05):
            pids = children()
            seen.update(pids)
            result.peak_bytes = max(result.peak_bytes, sum(resident_bytes(pid) or 0 for pid in pids))
            result.samples += 1

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        result.loads = len(seen)


async def _settled() -> Leftovers:
    """Look at what is left once what is about to end has ended: sockets close a moment after their answers."""
    least = Leftovers.now()
    for _ in range(40):
        await asyncio.sleep(0.1)
        now = Leftovers.now()
        if now == least:
            break
        least = now
    return least


def children() -> list[int]:
    """Return the ids of this process's children (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(path.parent.name))
    return found


def sockets() -> int:
    """Return how many sockets this process has open (Linux)."""
    count = 0
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(path.readlink()).startswith("socket:")
    return count


def main() -> None:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.setdefault("MOA_LOCAL_MEMORY", BUDGET)
    with tempfile.TemporaryDirectory(dir=smallest_model().parent, prefix=".soak-") as folder:
        result = asyncio.run(soak(arguments.requests, Path(folder), arguments.seed))
    print(json.dumps(asdict(result), indent=2))
    sys.exit(bool(result.unexpected))


if __name__ == "__main__":
    main()

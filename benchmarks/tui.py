"""What the terminal UI costs: CPU while four drafts stream, until it paints, until an old session is open, in memory.

    python -m benchmarks.tui
    python -m benchmarks.tui --frames 60 --only frames

The search over 100,000 messages is measured by `python -m benchmarks.tui_store`, which `--only search` runs as well.

Headless, at 120×40. Each measurement runs in a process of its own; what is given is CPU time of the whole process, so
that a busy machine disturbs it little, and nothing that it does in another thread is hidden. Each frame gets the tokens
of a thirtieth of a second, and the next ones come when it has been drawn: so no frame is left out however slow the
machine is. The first paint is
measured on a pseudo-terminal, from the start of the process to the first full screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

SIZE = (120, 40)
TOKENS_A_SECOND = 50
"""Of each draft."""
FRAMES_A_SECOND = 30
"""As many as the chat draws at most."""
WARMING_FRAMES = 30
DRAFTS = 4
FRAME_BAR_MS, PAINT_BAR_SECONDS, OPEN_BAR_SECONDS = 16.0, 0.6, 0.5
VERSIONS = ("mixture-of-agents", "textual", "rich", "markdown-it-py")
WORDS = ("the", "prime", "numbers", "below", "a", "bound", "are", "found", "by", "crossing", "out", "`multiples`")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=180, help="of each measurement")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement; the table has medians")
    parser.add_argument("--only", choices=["frames", "long", "paint", "open", "search"], help="one part")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        what, argument = chosen.child
        print(json.dumps(asyncio.run(CHILDREN[what](int(argument), chosen.frames))))
        return
    print(f"# The terminal UI, {datetime.now(UTC):%Y-%m-%d}\n\n{machine()}\n")
    print(f"Headless, {SIZE[0]}×{SIZE[1]}; CPU of the whole process; median of {chosen.runs} runs.\n")
    if chosen.only in {None, "frames"}:
        streams(chosen.runs, chosen.frames)
    if chosen.only in {None, "long"}:
        long_answers(chosen.runs, chosen.frames)
    if chosen.only in {None, "paint"}:
        paint(chosen.runs)
    if chosen.only in {None, "open"}:
        opening(chosen.runs)
    if chosen.only in {None, "search"}:
        subprocess.run([sys.executable, "-m", "benchmarks.tui_store"], cwd=Path(__file__).parents[1], check=True)


def streams(runs: int, frames: int) -> None:
    """Measure what a frame costs while drafts stream, and while the answer does."""
    print(f"{'while it streams, with earlier turns':<44}{'ms a frame':>12}{'ms a token':>12}{'MiB':>8}  bar")
    for what, told in (("drafts", f"{DRAFTS} drafts at {TOKENS_A_SECOND} tokens/s"), ("answer", "an answer, the same")):
        for turns in (0, 50, 200, 1000):
            found = [child(what, turns, frames) for _ in range(runs)]
            frame = statistics.median(each["ms_a_frame"] for each in found)
            token = statistics.median(each["ms_a_token"] for each in found)
            mib = statistics.median(each["mib"] for each in found)
            verdict = judged(frame, FRAME_BAR_MS, "ms") if turns == 200 and what == "drafts" else ""
            print(f"{f'{told}, {turns} turns':<44}{frame:>12.1f}{token:>12.2f}{mib:>8.0f}  {verdict}", flush=True)
    print()


def long_answers(runs: int, frames: int) -> None:
    """Measure what a frame costs while an answer streams that is long already."""
    print(f"{'while it streams, without earlier turns':<44}{'ms a frame':>12}{'':>12}{'MiB':>8}")
    for characters in (10_000, 100_000, 1_000_000):
        found = [child("long", characters, frames) for _ in range(runs)]
        frame = statistics.median(each["ms_a_frame"] for each in found)
        mib = statistics.median(each["mib"] for each in found)
        told = f"an answer that has {characters:,} characters"
        print(f"{told:<44}{frame:>12.1f}{'':>12}{mib:>8.0f}", flush=True)
    print()


def paint(runs: int) -> None:
    """Measure the CPU from the start of the process until the screen is painted."""
    with tempfile.TemporaryDirectory() as compiled:
        found = [first_paint(compiled) for _ in range(runs + 1)][1:]  # the first one compiles, as an installation does
        help_cpu = statistics.median(cpu_of_help(compiled) for _ in range(runs))
    cpu, wall = (statistics.median(each[place] for each in found) for place in (0, 1))
    print(f"for comparison, moa --help: {help_cpu:.2f} s of CPU")
    fastest = min(each[0] for each in found)
    told = f"first paint: {cpu:.2f} s of CPU (fastest {fastest:.2f}), {wall:.2f} s on the clock"
    print(f"{told}  {judged(cpu, PAINT_BAR_SECONDS, 's')}\n", flush=True)


def opening(runs: int) -> None:
    """Measure how long it takes to open a session of a thousand turns."""
    found = [child("open", 1000, 0) for _ in range(runs)]
    wall = statistics.median(each["seconds"] for each in found)
    cpu = statistics.median(each["cpu"] for each in found)
    fastest = min(each["cpu"] for each in found)
    told = f"open a session of 1,000 turns: {cpu:.2f} s of CPU (fastest {fastest:.2f}), {wall:.2f} s on the clock"
    print(f"{told}  {judged(cpu, OPEN_BAR_SECONDS, 's')}\n", flush=True)


def judged(value: float, bar: float, unit: str) -> str:
    """Return whether a bar holds."""
    return f"{'holds' if value <= bar else 'MISSED'}: at most {bar:g} {unit}"


def child(what: str, argument: int, frames: int) -> dict[str, float]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.tui", "--frames", str(frames), "--child", what, str(argument)]
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MOA_DATA": folder}
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


async def streaming(turns: int, frames: int, *, answer: bool, written: int = 0) -> dict[str, float]:
    """Stream four drafts, or an answer, below some earlier turns, and count the CPU of so many frames.

    Args:
        turns: how many.
        frames: how many.
        answer: whether it is an answer.
        written: characters that the answer has already.
    """
    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen
    from moa.tui.prompt import Prompt
    from moa.tui.source import Source
    from moa.tui.transcript import Transcript

    screen = ChatScreen(lambda: Source("benchmark", ask))
    app = MoaApp(screen)
    drawn, spent = Frames(screen), list[float]()

    async def ask(*_: Any) -> AsyncIterator[Any]:
        events = run_events(answer=answer)
        for event in events["before"]:
            yield event
        told = 0
        if written:
            text = "".join(token(count) for count in range(written))[:written]
            for event in events["whole"](text):
                yield event
        for frame in range(WARMING_FRAMES + frames + 1):
            await drawn.next()
            if frame in {WARMING_FRAMES, WARMING_FRAMES + frames}:
                spent.append(time.process_time())
            while told < (frame + 1) * TOKENS_A_SECOND / FRAMES_A_SECOND:
                for event in events["piece"](told, frame / FRAMES_A_SECOND):
                    yield event
                told += 1
        ended.set()
        await asyncio.Event().wait()

    ended = asyncio.Event()
    async with app.run_test(size=SIZE) as pilot:
        await screen.query_one(Transcript).fill(earlier(turns))
        await pilot.pause(0.5)
        prompt = screen.query_one(Prompt)
        prompt.post_message(Prompt.Sent(prompt, "Which numbers below 30 are prime?"))
        await ended.wait()
    cpu = 1000 * (spent[1] - spent[0])
    tokens = frames * TOKENS_A_SECOND / FRAMES_A_SECOND * (1 if answer else DRAFTS)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ms_a_frame": cpu / frames, "ms_a_token": cpu / tokens, "mib": mib}


class Frames:
    """Waits for the frames of the chat."""

    def __init__(self, screen: Any) -> None:
        self._drawn = asyncio.Event()
        draw = screen.draw_frame

        async def noticed() -> None:
            await draw()
            self._drawn.set()

        screen.draw_frame = noticed

    async def next(self) -> None:
        """Wait until there has been another one."""
        self._drawn.clear()
        await self._drawn.wait()


def run_events(*, answer: bool) -> dict[str, Any]:
    """Return the events of a run up to its streaming, and how to make those of one piece of text."""
    from moa import events as happened
    from moa.answers import Aggregation, Draft, Routing, ScoredAgent
    from moa.messages import Message, Usage

    names = [f"agent{number}" for number in range(DRAFTS)]
    models = dict.fromkeys(names, "local:a-model")
    scored = tuple(ScoredAgent(name, 0.4, 0.4, 1 / DRAFTS, chosen=True) for name in names)
    question = (Message("user", "Which numbers below 30 are prime?"),)
    before: list[Any] = [
        happened.RunStarted(0.0, "run", 0.0, "benchmark", question, models),
        happened.Routed(
            0.01, Routing(tuple(names), scored, fallback=False, threshold=0.35, encoder="none", seconds=0.007)
        ),
        *(happened.DraftStarted(0.02, f"{name}.1", name, models[name]) for name in names),
    ]

    def drafts(count: int, at: float) -> Sequence[Any]:
        return [happened.DraftDelta(at, f"{name}.1", token(count)) for name in names]

    def answers(count: int, at: float) -> Sequence[Any]:
        return [happened.AnswerDelta(at, token(count))]

    if answer:
        before += [
            happened.DraftFinished(0.03, Draft(f"{name}.1", name, models[name], "ok", "Text.", Usage(9, 9), 0.0, 0.01))
            for name in names
        ]
        before.append(happened.AggregationStarted(0.04, Aggregation("synthesize", "synthesize", "4 drafts")))

    def whole(text: str) -> Sequence[Any]:
        return [happened.AnswerDelta(0.05, text)]

    return {"before": before, "piece": answers if answer else drafts, "whole": whole}


def token(count: int) -> str:
    """Return a piece of a text with paragraphs and code in it."""
    if count % 97 == 96:
        return "\n\n```python\nprint('two')\n```\n\n"
    return "\n\n" if count % 61 == 60 else WORDS[count % len(WORDS)] + " "


def earlier(turns: int) -> list[Any]:
    """Return earlier turns of a conversation, with Markdown in their answers."""
    from moa.tui.past import PastTurn
    from moa.tui.state import RunView
    from moa.tui.writing import Writing

    text = "".join(token(count) for count in range(200))
    return [
        PastTurn(f"Question {number}?", RunView(answer=Writing.of(f"{number}. {text}"), end="done"))
        for number in range(turns)
    ]


async def open_session(turns: int, _: int) -> dict[str, float]:
    """Open a stored session, and stop the clock when its last turn is on the screen."""
    from benchmarks.tui_store import fill
    from moa.store import Sessions, Store
    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen
    from moa.tui.prose import Prose
    from moa.tui.source import Source
    from moa.tui.transcript import Transcript

    async def ask(*_: Any) -> AsyncIterator[Any]:
        return
        yield

    with Store() as store:
        fill(store, turns)
        screen = ChatScreen(lambda: Source("benchmark", ask), sessions=Sessions(store))
        app = MoaApp(screen)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(0.5)
            transcript = screen.query_one(Transcript)
            wall, cpu = time.perf_counter(), time.process_time()
            await screen.open_session("long")
            while not (shown := transcript.turns()) or not all(prose.size.height for prose in shown[-1].query(Prose)):
                await pilot.pause()
            spent = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            if len(transcript.history()) != turns:
                raise SystemExit(f"{len(transcript.history())} turns were opened.")
    return spent


async def drafts_streaming(argument: int, frames: int) -> dict[str, float]:
    """Measure four drafts below so many turns."""
    return await streaming(argument, frames, answer=False)


async def answer_streaming(argument: int, frames: int) -> dict[str, float]:
    """Measure an answer below so many turns."""
    return await streaming(argument, frames, answer=True)


async def long_streaming(argument: int, frames: int) -> dict[str, float]:
    """Measure an answer that has so many characters already."""
    return await streaming(0, frames, answer=True, written=argument)


CHILDREN = {"drafts": drafts_streaming, "answer": answer_streaming, "long": long_streaming, "open": open_session}


def first_paint(compiled: str) -> tuple[float, float]:
    """Start the chat on a terminal of its own; return CPU and wall-clock seconds until its screen is there.

    Args:
        compiled: a folder for compiled modules.
    """
    import fcntl
    import pty
    import select
    import struct
    import termios

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        # A mixture that never comes: or its loading, which begins after the first paint, would be counted in part.
        (Path(folder) / "never.py").write_text("import time\ntime.sleep(600)\n")
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "moa", "chat", "never.py"],
            cwd=folder,
            env=compiling(compiled) | {"MOA_DATA": folder, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            seen = b""
            while time.perf_counter() - started < 60:
                ready, _, _ = select.select([ours], [], [], 0.5)
                seen += os.read(ours, 65536) if ready else b""
                if b"sk the panel" in seen:
                    return cpu_of(process.pid), time.perf_counter() - started
            raise SystemExit(f"moa chat drew nothing: {seen[-300:]!r}")
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def cpu_of_help(compiled: str) -> float:
    """Return the CPU seconds of `moa --help`, which tell how fast the machine is at the moment."""
    environment = compiling(compiled)
    process = subprocess.Popen([sys.executable, "-m", "moa", "--help"], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def compiling(folder: str) -> dict[str, str]:
    """Return an environment in which compiled modules are kept in a folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": folder}


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Return the machine and the versions in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    main()

"""`moa eval run`: ask every system every question, and write each answer down."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from moa.cli.eval_options import (
    AnswerColumn,
    AsJson,
    AtOnce,
    Data,
    Epochs,
    EstimateOnly,
    Limit,
    MaxUsd,
    MixtureOption,
    Out,
    Question,
    RetryErrors,
    SampleTimeout,
    ScorerName,
    ScorerOption,
    Seed,
    Suites,
    Systems,
    UnsafeExec,
    Yes,
    scorer_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moa.evals.expected import Outlay
    from moa.evals.folder import RunFolder
    from moa.evals.references import Named
    from moa.evals.runner import Runner, Settings
    from moa.evals.shared import Sharing
    from moa.evals.suite import Suite


def run(
    *,
    suites: Suites,
    system: Systems = None,
    mixture: MixtureOption = None,
    out: Out = None,
    data: Data = None,
    limit: Limit = None,
    seed: Seed = 0,
    epochs: Epochs = None,
    scorer: ScorerName = None,
    scorer_option: ScorerOption = None,
    question: Question = None,
    answer: AnswerColumn = None,
    at_once: AtOnce = 16,
    timeout: SampleTimeout = 600.0,
    max_usd: MaxUsd = None,
    retry_errors: RetryErrors = False,
    unsafe_exec: UnsafeExec = False,
    yes: Yes = False,
    estimate: EstimateOnly = False,
    as_json: AsJson = False,
) -> None:
    """Ask every system every question of a suite.

    Each answer is written down as soon as it is there. A run that was stopped goes on with the same command and the
    same --out: what is recorded is never asked again. Ctrl-C finishes what was begun; a second one gives that up too.
    Systems that ask the same agents the same share the drafts and pay for them once.

    Example: moa eval run questions.csv --system mixture --system agent:general

    Example: moa eval run eval/suites/gsm8k.py --data gsm8k.jsonl --limit 100 --out evals/gsm8k

    Example: moa eval run questions.csv --scorer numeric --estimate
    """
    from moa.cli.eval_folders import new_folder
    from moa.evals.folder import RunFolder
    from moa.evals.pace import Paces
    from moa.evals.references import References
    from moa.evals.runner import Settings
    from moa.evals.sandbox import UNSAFE
    from moa.evals.scorers import prepare
    from moa.evals.shared import Sharing
    from moa.evals.suite_files import Wanted, load_suite

    wanted = Wanted(data, limit, seed, scorer, scorer_options(scorer_option), epochs, (), question, answer)
    loaded = [load_suite(path, wanted) for path in suites]
    _differ([suite.name for suite in loaded])
    if estimate and out is None:
        _print_outlay(_outlay(loaded, References(mixture, Sharing()).systems(system or ()), ()), as_json=as_json)
        return
    UNSAFE.set(unsafe_exec)
    for suite in loaded:
        prepare(suite.scorer, suite.samples)
    place = out or new_folder([suite.name for suite in loaded])
    with RunFolder(place) as folder:
        sharing = Sharing(folder.replies, Paces(at_once))
        references = References(mixture, sharing)
        named = references.systems(system or ())
        _prepare(named)
        outlay = _outlay(loaded, named, {} if retry_errors else {each.key for each in folder.stored.records})
        if estimate:
            _print_outlay(outlay, as_json=as_json)
            return
        _agree(outlay, max_usd, yes=yes)
        settings = Settings(
            workers=_workers(named, at_once),
            timeout=timeout or None,
            cap_usd=max_usd,
            expected_usd=outlay.dearest_usd,
            retry_errors=retry_errors,
        )
        about = {
            "mixture": mixture,
            "seed": seed,
            "limit": limit,
            "at_once": at_once,
            "timeout": timeout,
            "started_unix": time.time(),
        }
        folder.describe(loaded, [each.about() for each in named], about)
        ended = _run(folder, loaded, named, settings, sharing)
    _tell(place, ended, as_json=as_json)


def _differ(names: Sequence[str]) -> None:
    from moa.errors import UsageError

    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Two of the suites are called {name!r}. Rename one of the files, or its `name`.")


def _prepare(named: Sequence[Named]) -> None:
    """Load encoders now, and not within the time of the first answer."""
    from moa.cli.deciding import Downloading
    from moa.evals.system import MixtureSystem

    for each in named:
        if isinstance(each.system, MixtureSystem):
            mixture = each.system.mixture
            mixture.router.prepare(mixture.agents, on_progress=Downloading())


def _outlay(suites: Sequence[Suite], named: Sequence[Named], there: Any) -> Outlay:
    import asyncio

    from moa.evals.expected import expected

    return asyncio.run(expected(suites, [each.system for each in named], there))


def _print_outlay(outlay: Outlay, *, as_json: bool) -> None:
    from dataclasses import asdict

    from moa.cli.console import print_json

    if as_json:
        print_json(asdict(outlay))
    else:
        print(_in_words(outlay))


def _in_words(outlay: Outlay) -> str:
    asked = f"{outlay.answers:,} answers, about {outlay.calls:,} calls and {outlay.tokens:,} tokens"
    if outlay.usd is None:
        return f"{asked}. The cost is unknown: no price is known of {', '.join(outlay.unpriced)}."
    return f"{asked}, {'for free' if outlay.usd == 0 else f'about {outlay.usd:.2f} USD'}."


def _agree(outlay: Outlay, cap: float | None, *, yes: bool) -> None:
    """Say what the run will take, and see that whoever started it agrees.

    Raises:
        UsageError: a cap is wanted and a price is unknown, or nobody is there to be asked.
    """
    from moa.errors import UsageError

    print(_in_words(outlay), file=sys.stderr)
    if cap is not None and outlay.usd is None:
        raise UsageError(
            f"--max-usd cannot be kept: no price is known of {', '.join(outlay.unpriced)}. Give these agents a price "
            "(Agent(…, price=Price(input, output))), or leave --max-usd out and say --yes."
        )
    if yes or cap is not None or outlay.usd == 0 or outlay.answers == 0:
        return
    if not sys.stdin.isatty():
        raise UsageError("This run is not free, and nobody is there to ask. Say --yes, or set a limit: --max-usd 5")
    if input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise UsageError("Nothing was asked. Try fewer samples: --limit 20")


def _workers(named: Sequence[Named], at_once: int) -> int:
    """Return how many answers to make at once: as many as all models together can work on."""
    backends = {
        agent.backend.reference: getattr(agent.backend, "slots", at_once) for each in named for agent in each.agents
    }
    return max(1, sum(min(at_once, slots) for slots in backends.values()))


def _run(
    folder: RunFolder, suites: Sequence[Suite], named: Sequence[Named], settings: Settings, sharing: Sharing
) -> str:
    import asyncio

    from moa.cli.eval_progress import Watching
    from moa.evals.runner import Runner

    with Watching([each.system.name for each in named]) as watching:
        runner = Runner(folder, suites, [each.system for each in named], settings, sharing, watching)
        return asyncio.run(_until_done(runner))


async def _until_done(runner: Runner) -> str:
    import asyncio

    from moa.backends.http import close_clients

    loop = asyncio.get_running_loop()

    def stop() -> None:
        again = runner.ended == "stopped"
        said = "Giving up what was begun." if again else "Finishing what was begun; Ctrl-C again gives that up."
        print(f"\n{said}", file=sys.stderr, flush=True)
        runner.stop()

    with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or no main thread: Ctrl-C ends it at once
        loop.add_signal_handler(signal.SIGINT, stop)
    try:
        return await runner.run()
    finally:
        await close_clients()


def _tell(place: Path, ended: str, *, as_json: bool) -> None:
    import typer

    from moa.cli.console import print_json
    from moa.cli.eval_tables import print_summary
    from moa.evals.folder import read_run
    from moa.evals.summary import summaries

    found = summaries(read_run(place))
    if as_json:
        print_json({"folder": str(place), "ended": ended, "suites": [each.to_json() for each in found]})
    else:
        for each in found:
            print_summary(each)
            print()
        print(f"Kept in {place}. Look at every answer: moa eval report {place}")
    if ended != "done":
        why = {"stopped": "It was stopped", "cap": "It would have cost more than --max-usd"}[ended]
        print(f"{why}. To go on, give the same command with --out {place}", file=sys.stderr)
        raise typer.Exit(1)

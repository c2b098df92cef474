"""`moa eval compare`: one system against another, or one evaluation against another, pair by pair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moa.cli.eval_options import AsJson, LeaveErrorsOut

if TYPE_CHECKING:
    from moa.evals.folder import Stored
    from moa.evals.outcomes import Errors

Things = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN|SYSTEM",
        help="A run and systems of it, or two runs. By default the last run, and its mixture against all others.",
        show_default=False,
    ),
]


def compare(things: Things = None, exclude_errors: LeaveErrorsOut = False, as_json: AsJson = False) -> None:
    """Say whether systems differ, in plain words.

    Differences are paired, on the same samples, and corrected for their number. With one system it is held against all
    others, with several against those. With two runs each system of the second is compared with that of the same name
    in the first, on the samples that both have.

    Example: moa eval compare

    Example: moa eval compare evals/gsm8k mixture math

    Example: moa eval compare evals/before evals/after
    """
    from moa.cli.console import print_json
    from moa.cli.eval_tables import print_comparisons, print_summary
    from moa.evals.summary import comparisons, summaries

    asked = _asked(list(things or ()))
    for problem in asked.stored.problems:
        typer.echo(problem, err=True)
    errors: Errors = "excluded" if exclude_errors else "strict"
    results: list[dict[str, Any]] = []
    for summary in summaries(asked.stored, reference=asked.reference, errors=errors):
        known = summary.outcomes.systems
        _insist(known, [asked.reference] if asked.reference else [])
        if not asked.pairs:
            results.append(summary.to_json())
            if not as_json:
                print_summary(summary)
                typer.echo()
        for name, others in asked.pairs:
            _insist(known, [name, *others])
            found = comparisons(summary.outcomes, name, others, errors=errors)
            results.append({"suite": summary.suite, "comparisons": [asdict(each) for each in found]})
            if not as_json and found:
                typer.echo(f"{summary.suite}, {len(summary.outcomes.samples)} samples")
                print_comparisons(found)
                typer.echo()
    if as_json:
        print_json({"folders": [str(each) for each in asked.folders], "suites": results})


@dataclass(frozen=True)
class _Asked:
    """What is to be compared."""

    stored: Stored
    folders: list[Path]
    reference: str | None
    """The system that is held against all others, if no pairs are named."""
    pairs: list[tuple[str, list[str]]]
    """Systems, each with those that it is held against."""


def _asked(things: list[str]) -> _Asked:
    """Tell runs from systems.

    Raises:
        UsageError: there is no run, or there are more than two.
    """
    from moa.cli.eval_folders import chosen_folder
    from moa.errors import UsageError
    from moa.evals.folder import read_run

    folders = [Path(each) for each in things if (Path(each) / "run.json").is_file()]
    names = [each for each in things if not (Path(each) / "run.json").is_file()]
    if len(folders) > 2:  # noqa: PLR2004
        raise UsageError("Two runs can be compared at once. Name two folders.")
    if len(folders) == 2:  # noqa: PLR2004
        stored = joined(read_run(folders[0]), read_run(folders[1]))
        there = set(stored.systems)
        wanted = [name.removesuffix("(2)") for name in names or stored.systems if names or name.endswith("(2)")]
        pairs = [(f"{name}(2)", [f"{name}(1)"]) for name in wanted if names or f"{name}(1)" in there]
        return _Asked(stored, folders, None, pairs)
    place = chosen_folder(folders[0] if folders else None)
    pairs = [(names[0], names[1:])] if len(names) > 1 else []
    return _Asked(read_run(place), [place], names[0] if names else None, pairs)


def joined(first: Stored, second: Stored) -> Stored:
    """Return two runs as one, the systems of the first called `name(1)`, those of the second `name(2)`.

    Only samples of the same suite and id count, and only where both asked the same.

    Raises:
        UsageError: they have none in common.
    """
    from moa.errors import UsageError
    from moa.evals.folder import Stored

    asked = {(each.suite, each.id): each.input for each in first.samples}
    common = [each for each in second.samples if asked.get((each.suite, each.id)) == each.input]
    if not common:
        raise UsageError(f"{first.path} and {second.path} have no sample in common, so nothing can be compared.")
    keys = {(each.suite, each.id) for each in common}
    records, systems = [], []
    for number, run in enumerate((first, second), start=1):
        systems += [{**each, "name": f"{each['name']}({number})"} for each in run.about.get("systems", ())]
        records += [
            replace(record, system=f"{record.system}({number})")
            for record in run.records
            if (record.suite, record.sample) in keys
        ]
    about = {**first.about, "systems": systems}
    return Stored(first.path, about, common, records, [*first.problems, *second.problems])


def _insist(known: Iterable[str], names: Iterable[str]) -> None:
    from difflib import get_close_matches

    from moa.errors import UsageError

    there = list(known)
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(there)}."
            raise UsageError(f"There is no system or run {name!r}. {hint}")

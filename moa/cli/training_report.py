"""What training a gate found, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moa.routing.learned.gate import TrainedGate

_LARGEST_TABLE = 12
"""Labels of a confusion table that still fits a terminal; of more, the pairs most often confused are listed."""
_PAIRS = 10


def report(gate: TrainedGate, folder: Path) -> dict[str, Any]:
    """Return all that is known of a trained gate, as plain values."""
    return {
        "gate": str(folder),
        "labels": list(gate.labels),
        "encoder": gate.origin.name,
        "threshold": gate.threshold,
        **gate.facts,
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures of a trained gate, and what it confuses."""
    from rich.table import Table
    from rich.text import Text

    from moa.cli.console import console

    out = console()
    training = found["training"]
    out.print(Text(f"The gate is saved in {found['gate']}.", "bold"))
    built_in = f" and {training['built_in']} built-in ones" if training["built_in"] else ""
    out.print(
        f"It tells {len(found['labels'])} labels apart, learned from {training['questions']} questions{built_in}.\n"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("on questions left out")
    columns = [("left out at random", found["held_out"])]
    if found["held_out_groups"]:
        kind = "whole groups left out" if found["groups"] == "field" else "whole clusters left out"
        columns.append((kind, found["held_out_groups"]))
    for title, _ in columns:
        table.add_column(title, justify="right")
    for name, key in (
        ("accuracy", "accuracy"),
        ("macro-F1", "macro_f1"),
        ("expected calibration error", "calibration_error"),
        ("out-of-scope AUROC", "out_of_scope_auroc"),
    ):
        table.add_row(name, *(_number(figures[key]) for _, figures in columns))
    out.print(table)
    out.print()
    _show_calibration(found["calibration"])
    if "thresholds" in found:
        _show_thresholds(found["thresholds"])
    _show_confusions(found["confusions"], found["labels"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _show_calibration(calibration: dict[str, Any]) -> None:
    from moa.cli.console import console

    tried = ", ".join(
        f"{method} {each['log_loss']:.3f} and {each['calibration_error']:.3f}"
        for method, each in calibration["tried"].items()
    )
    console().print(f"calibrated by: {calibration['method']} (log loss and calibration error left out: {tried})\n")


def _show_thresholds(thresholds: dict[str, Any]) -> None:
    from rich.table import Table

    from moa.cli.console import console
    from moa.untrusted import one_line

    [(kind, least)] = thresholds["target"].items()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), title=f"thresholds for a {kind} of {least:g}")
    table.title_justify = "left"
    for name in ("", "threshold", "precision left out", "recall left out"):
        table.add_column(name, justify="right" if name else "left")
    for label, found in thresholds["labels"].items():
        left_out = found["held_out"] or {"precision": None, "recall": None}
        figures = (found["threshold"], left_out["precision"], left_out["recall"])
        table.add_row(one_line(label), *map(_number, figures))
    console().print(table)
    for label, found in thresholds["labels"].items():
        if found["why"]:
            console().print(f"{one_line(label)} has no threshold of its own: {found['why']}")
    console().print()


def _show_confusions(counts: list[list[int]], labels: list[str]) -> None:
    from rich.table import Table

    from moa.cli.console import console
    from moa.untrusted import one_line

    names = [one_line(label) for label in labels]
    rows = [*names, "(out of scope)"] if sum(counts[-1]) else names
    if len(names) <= _LARGEST_TABLE:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title="right label, by label given to it")
        table.title_justify = "left"
        for name in ("", *names):
            table.add_column(name, justify="right" if name else "left")
        for name, row in zip(rows, counts, strict=False):
            table.add_row(name, *map(str, row))
        console().print(table)
        return
    pairs = [
        (count, rows[right], names[given])
        for right, row in enumerate(counts[: len(rows)])
        for given, count in enumerate(row)
        if count and right != given and right < len(names)
    ]
    console().print("most often confused:")
    for count, right, given in sorted(pairs, reverse=True)[:_PAIRS]:
        console().print(f"  {count:4}  {right} taken for {given}")

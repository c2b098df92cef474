"""What training a gate of responses found, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from moa.routing.learned.responses import ResponseGate


def report(gate: ResponseGate, folder: Path) -> dict[str, Any]:
    """Return all that is known of a trained gate, as plain values."""
    return {
        "gate": str(folder),
        "kind": "responses",
        "agents": list(gate.agents),
        "encoder": "" if gate.origin is None else gate.origin.name,
        **gate.facts,
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures of a trained gate."""
    from rich.text import Text

    from moa.cli.console import console
    from moa.untrusted import one_line

    out = console()
    training, held_out = found["training"], found["held_out"]
    out.print(Text(f"The gate is saved in {found['gate']}.", "bold"))
    out.print(
        f"It chooses among {len(found['agents'])} agents, learned from {training['answers']} answers to "
        f"{training['questions']} questions."
    )
    if training["penalty"] is None and not found["price"]:
        best = one_line(found["best_single"])
        out.print(f"On questions left out no choice clearly beat the best single agent, so it always chooses {best}.")
    if found["price"]:
        out.print(f"One unit of cost is worth {found['price']:.4g} in success.")
    out.print()
    columns = [("left out at random", held_out["all"])]
    if found["held_out_groups"]:
        columns.append(("whole groups left out", found["held_out_groups"]["all"]))
    out.print(_compared(columns))
    out.print()
    if held_out["families"]:
        out.print(_families(held_out["families"]))
        out.print()
    if held_out["curve_area"] is not None:
        out.print(f"area under the hull of success over cost   {held_out['curve_area']:.3f}")
    out.print(
        f"expected calibration error   {held_out['calibration_error']:.3f} of every agent, "
        f"{held_out['calibration_error_chosen']:.3f} of the chosen ones"
    )


def _compared(columns: list[tuple[str, dict[str, Any]]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("success on questions left out")
    for title, _ in columns:
        table.add_column(title, justify="right")
    for name, key in (
        ("questions", "questions"),
        ("routing", "routing"),
        ("best single agent", "best_single"),
        ("at random", "random"),
        ("oracle", "oracle"),
    ):
        table.add_row(name, *(_number(figures[key]) for _, figures in columns))
    table.add_row("routing less best single", *(f"{figures['difference']:+.3f}" for _, figures in columns))
    table.add_row("  95 % interval", *("{:+.3f} … {:+.3f}".format(*figures["interval"]) for _, figures in columns))
    table.add_row("share of the gap to the oracle", *(_share(figures["gap_share"]) for _, figures in columns))
    table.add_row("cost, best single = 100 %", *(_share(figures["cost_share"]) for _, figures in columns))
    return table


def _families(families: list[tuple[str, dict[str, Any]]]) -> Table:
    """Return a line for every set of agents that were asked together."""
    from rich.table import Table

    from moa.untrusted import one_line

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), title="by who was asked together")
    table.title_justify = "left"
    for name in ("best single agent", "agents", "questions", "its success", "routing", "95 % interval of the gain"):
        table.add_column(name, justify="left" if name == "best single agent" else "right")
    for name, figures in families:
        low, high = figures["interval"]
        cells = (_number(figures[key]) for key in ("agents", "questions", "best_single", "routing"))
        table.add_row(one_line(name), *cells, f"{low:+.3f} … {high:+.3f}")
    return table


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"

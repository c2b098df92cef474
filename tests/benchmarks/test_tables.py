"""Tables of figures, and what they say of the bars."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np

from benchmarks.routing.bootstrap import Estimate
from benchmarks.routing.report import as_json, header, text
from benchmarks.routing.tables import Bar, Line, Table, table_of, table_of_means

RIGHT = {
    "ours": np.array([1, 1, 1, 1, 0] * 20, float),
    "theirs": np.array([1, 1, 1, 0, 0] * 20, float),
    "others'": np.array([1, 0, 0, 0, 0] * 20, float),
}


def table(bar: Bar | None = None, *, best_of_all: bool = False) -> Table:
    return table_of_means("a set", "accuracy", RIGHT, ["ours"], bar=bar, held=("ours",), best_of_all=best_of_all)


def test_our_lines_come_first_and_the_best_peer_is_named() -> None:
    lines = table().lines

    assert [line.who for line in lines] == ["ours", "theirs", "others'"]
    assert lines[1].note == "best peer"
    assert lines[1].beside is None


def test_the_difference_to_the_best_peer_is_paired() -> None:
    beside = table().lines[0].beside

    assert beside is not None
    assert abs(beside.value - 0.2) < 1e-9
    assert 0.1 < beside.low < 0.2 < beside.high < 0.3


def test_a_bar_says_by_how_much_it_is_met_or_missed() -> None:
    assert table(Bar(0.75)).verdict() == "≥ 0.75: met by 0.0500"
    assert table(Bar(0.9)).verdict() == "≥ 0.9: MISSED by 0.1000"
    assert table(Bar(0.9, below=True)).verdict() == "≤ 0.9: met by 0.1000"
    assert table(best_of_all=True).verdict() == "best of all: met by 0.2000"
    assert table().verdict() == ""


def test_a_bar_on_the_upper_end_asks_for_not_significantly_below() -> None:
    bar = Bar(0.0, upper=True)

    assert bar.missed_by(Estimate(-0.01, -0.03, 0.01)) <= 0
    assert bar.missed_by(Estimate(-0.03, -0.05, -0.01)) > 0


def test_the_worst_of_several_is_held_to_the_bar() -> None:
    lines = (Line("quick", Estimate(0.1, 0.1, 0.1), ours=True), Line("slow", Estimate(0.7, 0.7, 0.7), ours=True))

    assert (
        Table("speed", "ms", lines, Bar(0.5, below=True), ("quick", "slow"), falls=True)
        .verdict()
        .startswith("≤ 0.5: MISSED by 0.200")
    )


def test_the_text_shows_figures_intervals_bars_and_who_is_absent() -> None:
    shown = text([table(Bar(0.75))], ["semantic-router"])

    assert "The bars" in shown
    assert "ours" in shown
    assert "0.800  0.7" in shown
    assert "+0.200 (+0.1" in shown
    assert "Not installed, and so not in the tables: semantic-router." in shown


def test_the_header_tells_command_date_machine_and_versions() -> None:
    shown = header("python -m benchmarks.routing", now=datetime(2026, 1, 2, tzinfo=UTC))

    assert "python -m benchmarks.routing" in shown
    assert "2026-01-02" in shown
    assert "cores" in shown
    assert "scikit-learn 1" in shown


def test_json_holds_the_same() -> None:
    found = json.loads(as_json([table(Bar(0.75))], [], "command"))

    assert found["tables"][0]["verdict"] == "≥ 0.75: met by 0.0500"
    assert found["tables"][0]["lines"][0]["found"]["value"] == 0.8


def test_a_peer_that_is_unfit_is_not_the_best() -> None:
    plain = {"ours": 0.6, "reckless": 0.2, "careful": 0.8}
    resampled = {name: np.full(10, value) for name, value in plain.items()}

    lines = table_of("a set", "cost", plain, resampled, ["ours"], unfit=["reckless"], falls=True).lines

    assert next(line.who for line in lines if line.note == "best peer") == "careful"


def test_an_interval_does_not_go_where_no_figure_can_be() -> None:
    [line] = table_of("a set", "error", {"ours": 0.1}, {"ours": np.array([0.1, 0.3] * 50)}, ["ours"], least=0.0).lines

    assert line.found == Estimate(0.1, 0.0, 0.1)

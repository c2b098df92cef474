"""The labelled questions of a data folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = dict[str, Any]


class DataMissing(Exception):
    """A file of the data folder is not there, or is not what it should be."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Questions and whose they are."""

    texts: tuple[str, ...]
    labels: tuple[str | None, ...]
    """None is out of scope."""
    sources: tuple[str, ...] | None = None
    """Where each question is from."""

    def only(self, places: Sequence[int] | NDArray[np.intp]) -> Labelled:
        """Return the questions at these places."""
        return Labelled(
            tuple(self.texts[place] for place in places),
            tuple(self.labels[place] for place in places),
            None if self.sources is None else tuple(self.sources[place] for place in places),
        )

    def in_scope(self) -> Labelled:
        """Return the questions that have a label."""
        return self.only([place for place, label in enumerate(self.labels) if label is not None])


def read(data: Path, name: str) -> list[Row]:
    """Return the rows of one set.

    Raises:
        DataMissing: there is no such file, or a line is no JSON object.
    """
    path = data / f"{name}.jsonl"
    try:
        lines = path.read_text("utf-8").rstrip("\n").split("\n")  # splitlines would cut at U+2028 inside a question
    except OSError as error:
        raise DataMissing(
            f"{path} cannot be read ({error.strerror}). Give the folder that holds it with --data."
        ) from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise DataMissing(f"Line {number} of {path} is not JSON: {error}") from error
    return rows


def domains(data: Path, split: str) -> Labelled:
    """Return one split of `domain_routing`: fields of questions; no source is in both splits."""
    rows = [row for row in read(data, "domain_routing") if row["split"] == split]
    return Labelled(
        tuple(row["text"] for row in rows),
        tuple(row["domain"] for row in rows),
        tuple(row["source"] for row in rows),
    )


def clinc(data: Path, split: str) -> Labelled:
    """Return one split of CLINC150, `train` or `test`, with its questions out of scope."""
    return _intents(read(data, "clinc150"), lambda row: row["split"] in {split, f"oos_{split}"})


def banking(data: Path, split: str) -> Labelled:
    """Return one split of Banking77, `train` or `test`."""
    return _intents(read(data, "banking77"), lambda row: bool(row["split"] == split))


def pairs(data: Path) -> list[tuple[str, str]]:
    """Return prompts and their paraphrases."""
    return [(row["original"], row["paraphrase"]) for row in read(data, "router_robustness_pairs")]


def _intents(rows: Sequence[Row], wanted: Callable[[Row], bool]) -> Labelled:
    kept = [row for row in rows if wanted(row)]
    return Labelled(
        tuple(row["text"] for row in kept), tuple(None if row.get("oos") else row["intent"] for row in kept)
    )

"""mixed-fields: that its answers are right, as far as a program can tell, and that its questions are its own."""

from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from moa.loader import load_agents, starter_folder
from moa.routing.fields import QUESTIONS

FOLDER = Path(__file__).parents[2] / "eval" / "suites" / "mixed_fields"
FIELDS = ("math", "code", "law", "medicine", "general")
LETTERS = "ABCDE"
ALWAYS = {"id", "fields", "difficulty", "scorer", "input", "target", "explanation"}
SOMETIMES = {
    "numeric": {"tolerance", "expression", "printed_by_the_program"},
    "choice": set[str](),
    "exact": {"expression", "printed_by_the_program"},
    "code": {"reference"},
}
NEARLY_THE_SAME = 0.65
"""Share of the words of two questions, of all words in either, from which they count as one question."""

Row = Mapping[str, Any]


def rows_of(file: str) -> list[Row]:
    return [json.loads(line) for line in (FOLDER / f"{file}.jsonl").read_text("utf-8").splitlines()]


BY_FILE = {name: rows_of(name) for name in (*FIELDS, "two_fields")}
ROWS = [row for rows in BY_FILE.values() for row in rows]


def those(scorer: str, field: str | None = None) -> list[Any]:
    """Return the rows of a scorer, that have a field where one is named, as parameters of a test."""
    return [
        pytest.param(row, id=row["id"]) for row in ROWS if row["scorer"] == scorer and (field is None or field in row)
    ]


def having(field: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in ROWS if field in row]


def options(row: Row) -> dict[str, str]:
    """Return the options of a choice by their letters."""
    return dict(re.findall(r"^([A-E])\) (.+)$", row["input"], re.MULTILINE))


def asked(row: Row) -> str:
    """Return a question without its options."""
    return str(row["input"]).split("\n\nA) ")[0]


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of common words in all words of two texts, 0 … 1."""
    return len(left & right) / len(left | right)


# The whole


def test_there_are_at_least_330_questions_and_45_of_every_field() -> None:
    assert len(ROWS) >= 330
    assert all(len(BY_FILE[field]) >= 45 for field in FIELDS)


@pytest.mark.parametrize("field", FIELDS)
def test_the_file_of_a_field_holds_that_field_alone(field: str) -> None:
    assert {tuple(row["fields"]) for row in BY_FILE[field]} == {(field,)}


def test_every_pair_of_fields_has_nine_questions() -> None:
    assert Counter(tuple(row["fields"]) for row in BY_FILE["two_fields"]) == dict.fromkeys(
        itertools.combinations(FIELDS, 2), 9
    )


def test_ids_are_unique_and_begin_with_the_fields() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert all(re.fullmatch("-".join(row["fields"]) + r"-\d\d", row["id"]) for row in ROWS)


def test_all_three_difficulties_are_well_filled() -> None:
    counts = Counter(row["difficulty"] for row in ROWS)

    assert set(counts) == {1, 2, 3}
    assert min(counts.values()) >= 60


def test_every_row_has_its_fields_and_no_others() -> None:
    for row in ROWS:
        assert set(row) >= ALWAYS, row["id"]
        assert set(row) - ALWAYS <= SOMETIMES[row["scorer"]], row["id"]
        assert row["input"].strip() == row["input"], row["id"]
        assert 10 <= len(row["explanation"]) <= 200, row["id"]


def test_the_readme_tells_the_true_numbers() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    scorers, difficulties = (Counter(row[key] for row in ROWS) for key in ("scorer", "difficulty"))
    told = " ".join(text.split())

    assert told.startswith(f"# mixed-fields {len(ROWS)} original questions")
    assert all(f"| `{name}.jsonl` | {len(rows)} |" in text for name, rows in BY_FILE.items())
    assert f"{scorers['numeric']} answers are numbers, {scorers['choice']} are a letter" in told
    assert f"{scorers['exact']} are a short text, and {scorers['code']} are Python functions" in told
    assert (
        f"{difficulties[1]} questions are of difficulty 1, {difficulties[2]} of 2, and {difficulties[3]} of 3" in told
    )


# Numbers


def computed(expression: str) -> Any:
    """Return the value of an expression of this set, which may use counting and arithmetic only."""
    known = {
        "math": math,
        "Fraction": Fraction,
        "product": itertools.product,
        "permutations": itertools.permutations,
        "combinations": itertools.combinations,
    }
    return eval(expression, known)


@pytest.mark.parametrize("row", those("numeric"))
def test_a_number_is_finite_and_its_tolerance_small(row: Row) -> None:
    target, tolerance = row["target"], row["tolerance"]

    assert isinstance(target, int | float)
    assert math.isfinite(target)
    assert tolerance == 0 if isinstance(target, int) and tolerance < 0.5 else 0 < tolerance < max(abs(target), 1) / 10


@pytest.mark.parametrize("row", those("numeric", "expression"))
def test_a_number_is_what_its_expression_computes(row: Row) -> None:
    assert abs(float(computed(row["expression"])) - row["target"]) <= max(row["tolerance"], 1e-9)


@pytest.mark.parametrize("row", those("exact", "expression"))
def test_a_text_is_what_its_expression_computes(row: Row) -> None:
    assert str(computed(row["expression"])) in row["target"]


@pytest.mark.parametrize("row", having("printed_by_the_program"))
def test_the_program_in_a_question_prints_the_target(row: Row) -> None:
    [program] = re.findall(r"```python\n(.*?)```", row["input"], re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    wanted = row["target"] if row["scorer"] == "exact" else [str(row["target"])]
    assert ran.stdout.strip() in wanted


# Choices


@pytest.mark.parametrize("row", those("choice"))
def test_a_choice_has_five_different_options_and_one_letter(row: Row) -> None:
    found = options(row)

    assert "".join(found) == LETTERS
    assert len(set(found.values())) == len(LETTERS)
    assert row["target"] in LETTERS


def test_no_letter_is_right_more_often_than_another_by_more_than_one() -> None:
    counts = Counter(row["target"] for row in ROWS if row["scorer"] == "choice")

    assert set(counts) == set(LETTERS)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("file", BY_FILE)
def test_the_letters_are_spread_within_every_file(file: str) -> None:
    counts = Counter(row["target"] for row in BY_FILE[file] if row["scorer"] == "choice")

    assert set(counts) == set(LETTERS)
    assert max(counts.values()) - min(counts.values()) <= 2


def test_who_always_takes_the_longest_option_does_no_better_than_chance() -> None:
    choices = [row for row in ROWS if row["scorer"] == "choice"]
    right = 0.0
    for row in choices:
        lengths = {letter: len(text) for letter, text in options(row).items()}
        longest = [letter for letter, length in lengths.items() if length == max(lengths.values())]
        right += (row["target"] in longest) / len(longest)

    assert 0.15 < right / len(choices) < 0.25


# Short texts


@pytest.mark.parametrize("row", those("exact"))
def test_accepted_texts_are_short_and_different(row: Row) -> None:
    accepted = row["target"]

    assert accepted
    assert all(isinstance(text, str) and text.strip() == text and 0 < len(text) <= 40 for text in accepted)
    assert len(set(accepted)) == len(accepted)


@pytest.mark.parametrize("row", those("exact"))
def test_the_answer_does_not_stand_in_the_question(row: Row) -> None:
    if "alphabetical" not in row["input"] and "which is today the capital" not in row["input"]:  # to be chosen there
        assert not re.search(rf"(?<!\w){re.escape(row['target'][0])}(?!\w)", row["input"])


# Code


@pytest.mark.parametrize("row", those("code"))
def test_the_reference_passes_its_tests_and_an_empty_solution_does_not(row: Row) -> None:
    [name] = re.findall(r"^Write a Python function `(\w+)\(|Write a Python function `(\w+)\(", row["input"])
    function = "".join(name)
    assert f"def {function}(" in row["reference"]
    assert row["target"].count("assert") >= 4

    passing = compile(row["reference"] + row["target"], row["id"], "exec")
    failing = compile(f"def {function}(*_, **__): return None\n" + row["target"], row["id"], "exec")

    exec(passing, {})
    with pytest.raises((AssertionError, TypeError)):
        exec(failing, {})


# Its own questions


def test_no_two_questions_are_nearly_the_same() -> None:
    known = [(row["id"], words(asked(row))) for row in ROWS]

    near = [
        (one, other)
        for (one, its), (other, theirs) in itertools.combinations(known, 2)
        if likeness(its, theirs) >= NEARLY_THE_SAME
    ]
    assert near == []


def test_no_question_is_one_that_a_shipped_gate_or_agent_has_seen() -> None:
    seen = [*itertools.chain.from_iterable(QUESTIONS.values())]
    seen += [text for agent in load_agents(starter_folder()) for text in agent.examples]
    known = [(text, words(text)) for text in seen if words(text)]

    near = [
        (row["id"], text)
        for row in ROWS
        for text, theirs in known
        if likeness(words(asked(row)), theirs) >= NEARLY_THE_SAME
    ]
    assert near == []

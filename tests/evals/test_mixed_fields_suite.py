"""mixed-fields as a suite: that its questions are asked and scored as they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.errors import SuiteError
from moa.evals.sample import Sample
from moa.evals.sandbox import find_sandbox
from moa.evals.suite import Suite
from moa.evals.suite_files import Wanted, load_suite

SUITES = Path(__file__).parents[2] / "eval" / "suites"
FILE = SUITES / "mixed_fields.py"


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite(FILE)


def of_kind(suite: Suite, kind: str) -> list[Sample]:
    return [sample for sample in suite.samples if sample.metadata["scorer"] == kind]


async def value(suite: Suite, sample: Sample, answer: str) -> float:
    return (await suite.scorer.score(sample, answer)).value


def test_it_holds_every_row_of_the_files(suite: Suite) -> None:
    rows = [
        json.loads(line)
        for file in (SUITES / "mixed_fields").glob("*.jsonl")
        for line in file.read_text("utf-8").splitlines()
    ]

    assert suite.name == "mixed-fields"
    assert {sample.id: sample.target for sample in suite.samples} == {row["id"]: row["target"] for row in rows}


def test_what_systems_are_asked_tells_how_to_answer_and_not_what(suite: Suite) -> None:
    for sample in suite.samples:
        assert sample.metadata["explanation"] not in sample.input.question
        wanted = "one Python code block" if sample.metadata["scorer"] == "code" else '"Answer: "'
        assert wanted in sample.input.question.splitlines()[-1]


def test_a_sample_tells_its_field_or_both(suite: Suite) -> None:
    fields = {sample.id: sample.metadata["field"] for sample in suite.samples}

    assert fields["law-01"] == "law"
    assert fields["math-law-01"] == "math+law"


@pytest.mark.parametrize("kind", ["numeric", "choice", "exact"])
async def test_the_right_answer_is_right_and_another_one_wrong(suite: Suite, kind: str) -> None:
    for sample in of_kind(suite, kind):
        accepted = sample.target if kind == "exact" else [sample.target]
        for right in accepted:
            assert await value(suite, sample, f"In step 7 it becomes clear.\n\nAnswer: {right}") == 1, sample.id
        letter = "A" if sample.target == "E" else "E"
        wrong = sample.target + 1 if kind == "numeric" else letter
        assert await value(suite, sample, f"Answer: {wrong}") == 0, sample.id


async def test_a_choice_may_be_answered_in_its_words(suite: Suite) -> None:
    for sample in of_kind(suite, "choice"):
        right = sample.metadata["choices"]["ABCDE".index(sample.target)]
        assert await value(suite, sample, f"Answer: {sample.target}) {right}") == 1, sample.id


async def test_a_number_may_be_off_by_its_rounding_only(suite: Suite) -> None:
    [sample] = [sample for sample in suite.samples if sample.id == "medicine-05"]  # 58.333 …, to one decimal

    assert await value(suite, sample, "Answer: 58.33") == 1
    assert await value(suite, sample, "Answer: 58.5") == 0


async def test_a_percentage_may_have_its_sign(suite: Suite) -> None:
    [sample] = [sample for sample in suite.samples if sample.id == "math-law-06"]

    assert await value(suite, sample, "Answer: 25 %") == 1
    assert await value(suite, sample, "Answer: 25") == 1


async def test_every_reference_passes_in_the_sandbox(suite: Suite) -> None:
    if not find_sandbox(unsafe=True).safe:
        pytest.skip("this machine has no sandbox")
    for sample in of_kind(suite, "code"):
        assert await value(suite, sample, f"```python\n{sample.metadata['reference']}```") == 1, sample.id


async def test_a_function_that_does_nothing_fails_in_the_sandbox(suite: Suite) -> None:
    if not find_sandbox(unsafe=True).safe:
        pytest.skip("this machine has no sandbox")
    [sample] = [sample for sample in suite.samples if sample.id == "code-law-01"]

    assert await value(suite, sample, "```python\ndef fine(speed, limit, school_zone=False):\n    return 0\n```") == 0


def test_a_draw_is_the_same_for_the_same_seed() -> None:
    drawn = [load_suite(FILE, Wanted(limit=40, seed=seed)) for seed in (1, 1, 2)]
    first, again, other = ([sample.id for sample in each.samples] for each in drawn)

    assert len(first) == 40
    assert first == again != other


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "math.jsonl").write_text('{"id": "math-01"}\n', "utf-8")

    with pytest.raises(SuiteError, match=r"math\.jsonl, line 1"):
        load_suite(FILE, Wanted(data=tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"math\.jsonl cannot be read"):
        load_suite(FILE, Wanted(data=tmp_path))

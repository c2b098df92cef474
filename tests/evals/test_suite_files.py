"""Suites come from tables, YAML and Python; whatever is wrong with them is said with file and row."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.errors import LoadError, SuiteError
from moa.evals.suite import Suite
from moa.evals.suite_files import Wanted, load_suite
from tests.evals.arithmetic import SameText, sums


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_a_table_of_questions_and_answers_is_a_suite(tmp_path: Path) -> None:
    file = written(
        tmp_path, "mine.csv", 'question,answer,field,id\n"Two, and two?",4,math,a\nCapital of Peru?,Lima,,b\n'
    )

    suite = load_suite(file)

    assert (suite.name, suite.scorer.name, suite.epochs) == ("mine", "auto", 1)
    assert [(each.id, each.input.question, each.target) for each in suite.samples] == [
        ("a", "Two, and two?", "4"),
        ("b", "Capital of Peru?", "Lima"),
    ]
    assert suite.samples[0].metadata == {"field": "math"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "prompt\ttarget\n1 + 1\t2\n"),
        ("t.jsonl", '{"prompt": "1 + 1", "target": "2"}\n\n'),
        ("t.json", '[{"prompt": "1 + 1", "target": "2"}]'),
    ],
)
def test_columns_may_have_other_names_and_the_table_another_form(tmp_path: Path, name: str, text: str) -> None:
    [sample] = load_suite(written(tmp_path, name, text)).samples

    assert (sample.id, sample.input.question, sample.target) == ("1", "1 + 1", "2")


def test_columns_scorer_and_epochs_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, "t.csv", "frage,antwort\n1 + 1,2\n")

    suite = load_suite(file, Wanted(question="frage", answer="antwort", scorer="numeric", epochs=3))

    assert (suite.scorer.name, suite.epochs, suite.samples[0].target) == ("numeric", 3, "2")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "question,answer\nx?,1\n,2\n", r"a\.csv, line 3: the field 'question' must hold a question"),
        ("a.csv", "question,answer\nx?,\n", r"a\.csv, line 2: the field 'answer' is empty"),
        ("a.csv", "frage,answer\nx?,1\n", r"a\.csv, line 2 has no column 'question'; it has 'frage', 'answer'"),
        ("a.csv", "question,answer,id\nx?,1,7\ny?,2,7\n", r"line 3 has the id '7', which .*line 2 has too"),
        ("a.csv", "question,answer\n", "holds no question"),
        ("a.csv", "", "holds no question"),
        ("a.csv", "question,answer\na, b?,1\n", r"line 2, has more cells"),
        ("a.csv", "question,answer\nonly\n", r"line 2, has fewer cells"),
        ("a.jsonl", '{"question": "x?"}\n{"question": \n', r"a\.jsonl, line 2, is not JSON"),
        ("a.jsonl", "[1]", r"element 1 must be an object"),
        ("a.yaml", "samples: [", r"a\.yaml, line 1, is no YAML"),
        ("a.yaml", "scorers: exact\n", "a field 'scorers' that nobody reads"),
        ("a.yaml", "scorer: exact\n", "needs either `samples`"),
        ("a.yaml", "scorer: nope\nsamples: [{question: x, answer: y}]\n", r"scorer 'nope'"),
        ("a.yaml", "epochs: often\nsamples: [{question: x, answer: y}]\n", "must be a whole number"),
        ("a.yaml", "metrics: [median]\nsamples: [{question: x, answer: y}]\n", "median"),
        ("a.yaml", "samples: [{input: [{role: user}], answer: y}]\n", "sample 1: Message 1 has no text"),
        ("a.txt", "x", r"must end in \.py"),
        ("a.py", "x = 1\n", "defines no suite"),
        ("a.py", "def suite():\n    raise ValueError('no data')\n", "ValueError: no data"),
    ],
)
def test_bad_input_is_said_with_file_and_row(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        load_suite(written(tmp_path, name, text))


def test_a_file_that_is_not_there_or_no_python_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="There is no file"):
        load_suite(tmp_path / "none.csv")
    with pytest.raises(LoadError, match=r"a\.py, line 1"):
        load_suite(written(tmp_path, "a.py", "def:\n"))


def test_yaml_holds_samples_or_names_a_table(tmp_path: Path) -> None:
    written(tmp_path, "t.csv", "q,a\n1 + 1,2\n")
    by_table = written(
        tmp_path, "by.yaml", "name: sums\nscorer: numeric\nepochs: 2\ndata: t.csv\nquestion: q\nanswer: a\n"
    )
    listed = written(
        tmp_path,
        "list.yaml",
        "samples:\n- id: s\n  input:\n  - {role: system, content: Be brief.}\n  - {role: user, content: Hello there}\n"
        "  answer: Hello\n  group: greetings\n",
    )

    assert (load_suite(by_table).name, load_suite(by_table).epochs) == ("sums", 2)
    [sample] = load_suite(listed).samples
    assert [message.role for message in sample.input.messages] == ["system", "user"]
    assert sample.metadata == {"group": "greetings"}


def test_a_python_suite_is_given_what_it_asks_for(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "own.py",
        "from moa.evals.suite import Suite\nfrom tests.evals.arithmetic import sums\n"
        "def suite(data, seed):\n    assert data == 'here' and seed == 5\n    return sums(9)\n",
    )

    suite = load_suite(file, Wanted(data="here", seed=5, limit=4))  # type: ignore[arg-type]

    assert len(suite.samples) == 4


def test_a_longer_draw_of_the_same_seed_holds_the_shorter_one() -> None:
    short, long = ({sample.id for sample in sums(50).limited(count, 3).samples} for count in (10, 20))

    assert short < long
    assert {sample.id for sample in sums(50).limited(10, 4).samples} != short
    assert len(sums(5).limited(10).samples) == 5


def test_a_suite_must_be_whole() -> None:
    samples = sums(2).samples
    for wrong, told in (
        ({"samples": ()}, "holds no sample"),
        ({"samples": (samples[0], samples[0])}, "share"),
        ({"samples": ("x",)}, "must hold Sample objects"),
        ({"scorer": "exact"}, "needs name and score"),
        ({"epochs": 0}, "1 or more"),
        ({"name": " "}, "no name"),
    ):
        whole = {"name": "s", "samples": samples, "scorer": SameText(), **wrong}
        with pytest.raises(SuiteError, match=told):
            Suite(**whole)  # type: ignore[arg-type]

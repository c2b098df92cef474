"""Suites from files: Python, YAML, or a table of questions and answers as CSV or JSON lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa.errors import MoaError, SuiteError
from moa.evals.sample import Sample
from moa.evals.score import Scorer
from moa.evals.suite import Suite
from moa.evals.tables import TABLES, questions_in, samples_of
from moa.messages import Conversation

_YAML = (".yaml", ".yml")
_SETTINGS = ("name", "scorer", "scorer_options", "metrics", "epochs", "samples", "data", "question", "answer")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asks of a suite beside its file; None and empty leave it to the file."""

    data: Path | None = None
    """Where the questions of a public suite lie."""
    limit: int | None = None
    """At most so many samples."""
    seed: int = 0
    """Of the draw, where there are more samples than that."""
    scorer: str | None = None
    """The name of a scorer, in place of the suite's own."""
    scorer_options: Mapping[str, Any] | None = None
    epochs: int | None = None
    metrics: tuple[str, ...] = ()
    question: str | None = None
    """The column that holds the question, in a table; `question` if there is one."""
    answer: str | None = None
    """The column that holds the answer; `answer` if there is one."""


def load_suite(path: str | Path, wanted: Wanted | None = None) -> Suite:
    """Return the suite that a file describes.

    - Python: a variable `suite`, or a function `suite(data, limit, seed)` that returns one.
    - YAML: `name`, `scorer`, `epochs`, and the samples, or `data: questions.csv` beside it.
    - CSV, TSV and JSON lines: the columns `question` and `answer`; `id`, `field`, `group` and others are kept.

    Raises:
        SuiteError: the file is missing, or something in it is not as it should be; the message names file and row.
        LoadError: a Python file cannot be run; the message names the line.
    """
    file, wanted = Path(path).expanduser(), wanted or Wanted()
    if not file.is_file():
        raise SuiteError(f"There is no file {path}. Name a suite: a .py, .yaml, .csv or .jsonl file.")
    kind = file.suffix.lower()
    if kind == ".py":
        made = _from_python(file, wanted)
    elif kind in _YAML:
        made = _from_yaml(file, wanted)
    elif kind in TABLES:
        rows = questions_in(file, wanted.question, wanted.answer)
        made = Suite(file.stem, rows, scorer_named(wanted.scorer or "auto", wanted.scorer_options or {}, str(file)))
    else:
        raise SuiteError(f"{path} is no suite: its name must end in .py, .yaml, .csv, .tsv, .jsonl or .json.")
    return _as_wanted(made, wanted)


def scorer_named(name: str, options: Mapping[str, Any], where: str) -> Scorer:
    """Return a scorer by its name.

    Raises:
        SuiteError: there is none of that name, or an option does not fit.
    """
    from moa.evals.scorers import named

    try:
        return named(name, **options)
    except (MoaError, TypeError, ValueError) as error:
        raise SuiteError(f"{where}, scorer {name!r}: {error}") from error


def _as_wanted(suite: Suite, wanted: Wanted) -> Suite:
    scorer = suite.scorer
    if wanted.scorer:
        scorer = scorer_named(wanted.scorer, wanted.scorer_options or {}, suite.name)
    changed = Suite(suite.name, suite.samples, scorer, wanted.metrics or suite.metrics, wanted.epochs or suite.epochs)
    return changed.limited(wanted.limit, wanted.seed)


def _from_python(file: Path, wanted: Wanted) -> Suite:
    from moa.workspace import run_files, shown

    [module] = run_files([file])
    found = getattr(module, "suite", None)
    if callable(found) and not isinstance(found, Suite):
        found = _called(found, wanted, shown(file))
    if not isinstance(found, Suite):
        raise SuiteError(
            f"{shown(file)} defines no suite: it needs a variable `suite`, or a function "
            "`suite(data, limit, seed)` that returns a Suite."
        )
    return found


def _called(function: Callable[..., object], wanted: Wanted, where: str) -> object:
    """Call the function of a suite with those of the three arguments that it takes."""
    given = {"data": wanted.data, "limit": wanted.limit, "seed": wanted.seed}
    taken = inspect.signature(function).parameters
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values()):
        given = {name: value for name, value in given.items() if name in taken}
    try:
        return function(**given)
    except MoaError:
        raise
    except Exception as error:
        raise SuiteError(f"{where}: suite() failed: {type(error).__name__}: {error}") from error


def _from_yaml(file: Path, wanted: Wanted) -> Suite:
    import yaml

    try:
        content = yaml.safe_load(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SuiteError(f"{file}{where}, is no YAML: {getattr(error, 'problem', None) or error}.") from error
    if not isinstance(content, dict):
        raise SuiteError(f"{file} must be an object with the fields {', '.join(_SETTINGS)}.")
    for key in content:
        if key not in _SETTINGS:
            raise SuiteError(f"{file} has a field {key!r} that nobody reads. There are {', '.join(_SETTINGS)}.")
    return Suite(
        str(content.get("name") or file.stem),
        _samples(content, file, wanted),
        scorer_named(str(content.get("scorer", "auto")), _object(content, "scorer_options", file), str(file)),
        _listed(content.get("metrics", "mean")),
        _whole(content.get("epochs", 1), file),
    )


def _samples(content: Mapping[str, Any], file: Path, wanted: Wanted) -> tuple[Sample, ...]:
    """Return the samples that a YAML file lists, or those of the table that it names."""
    columns = wanted.question or content.get("question"), wanted.answer or content.get("answer")
    data, listed = content.get("data"), content.get("samples")
    if (data is None) == (listed is None):
        raise SuiteError(f"{file} needs either `samples`, a list, or `data`, the path of a table beside it.")
    if data is not None:
        return questions_in(wanted.data or file.parent / str(data), *columns)
    if not isinstance(listed, list):
        raise SuiteError(f"{file}: `samples` must be a list.")
    rows = []
    for number, row in enumerate(listed, start=1):
        place = f"{file}, sample {number}"
        rows.append((place, _with_conversation(row, place)))
    return samples_of(rows, *columns)


def _with_conversation(row: Any, place: str) -> Any:
    """Return a row of YAML, whose `input` may be messages in place of a question."""
    if not isinstance(row, dict) or not isinstance(row.get("input"), list):
        return row
    try:
        conversation = Conversation.of(row["input"])
    except (MoaError, AttributeError) as error:
        raise SuiteError(f"{place}: {error}") from error
    return {**{name: value for name, value in row.items() if name != "input"}, "question": conversation}


def _object(content: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    value = content.get(name) or {}
    if not isinstance(value, dict):
        raise SuiteError(f"{file}: {name!r} must be an object of settings by name.")
    return value


def _listed(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _whole(value: object, file: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise SuiteError(f"{file}: `epochs` is {value!r}; it must be a whole number.")
    return value

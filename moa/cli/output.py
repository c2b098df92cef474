"""The form of an answer, as an option of the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from moa.contract import OutputContract

_OPTION = "--json-schema"
JsonSchema = Annotated[
    str | None,
    typer.Option(
        _OPTION,
        metavar="FILE|JSON",
        help="Have the answer be JSON that fits this schema: a file, or the schema itself.",
        show_default=False,
    ),
]


def contract_of(given: str | None) -> OutputContract:
    """Return the contract that `--json-schema` asks for; one that any answer keeps, if it is not given.

    Args:
        given: the schema as JSON, which begins with a brace, or the path of a file that holds it.

    Raises:
        UsageError: there is no such file, it holds no JSON, or the JSON is no schema.
    """
    from moa.contract import ANYTHING, OutputContract
    from moa.errors import AgentError, UsageError

    if given is None:
        return ANYTHING
    try:
        return OutputContract(schema=_schema(given))
    except AgentError as error:
        raise UsageError(f"{_OPTION}: {error}") from error


def _schema(given: str) -> dict[str, Any]:
    from moa.errors import UsageError
    from moa.json_reply import strict_json

    inline = given.lstrip().startswith("{")
    where = "the text" if inline else given
    try:
        value = strict_json(given if inline else Path(given).read_text("utf-8-sig"))
    except OSError as error:
        told = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise UsageError(f"{_OPTION}: {given} cannot be read: {told}. Give a file, or the schema as JSON.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{_OPTION}: {given} is not UTF-8 text (at byte {error.start}).") from error
    except ValueError as error:
        raise UsageError(f"{_OPTION}: {where} is no JSON: {str(error).rstrip('.')}.") from error
    if not isinstance(value, dict):
        shown = json.dumps(value)[:60]
        raise UsageError(f'{_OPTION}: a schema is a JSON object, such as {{"type": "object"}}, and {where} is {shown}.')
    return value

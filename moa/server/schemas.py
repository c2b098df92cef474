"""The form that a stranger wants an answer to have: told to the models as it is, checked as far as that is safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moa.contract import OutputContract

_UNCHECKED = frozenset({"pattern", "patternProperties", "format"})
"""Regular expressions: one of a line can keep Python busy for years, and with it everybody else on the server."""
_DATA = frozenset({"const", "enum", "default", "examples"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
"""What holds schemas by names of the schema's own, which may be called anything."""


@dataclass(frozen=True)
class ToldSchema(OutputContract):
    """A contract whose schema holds no regular expressions, though the models are told of them.

    Servers that hold their model to a schema heed them all the same.
    """

    told: Mapping[str, Any] | None = None
    """The schema as it was asked for."""

    def json_schema(self) -> dict[str, Any] | None:
        """Return the whole schema, for the models."""
        return None if self.told is None else dict(self.told)


def contract_for(schema: Mapping[str, Any] | None) -> OutputContract:
    """Return the contract for a schema that a client sent.

    Raises:
        AgentError: it is none.
    """
    if schema is None:
        return OutputContract.of(None)
    return ToldSchema(schema=_without_expressions(schema), told=schema)


def _without_expressions(schema: Any) -> Any:
    """Return a schema without regular expressions. Its depth is bounded by that of the request."""
    if isinstance(schema, list):
        return [_without_expressions(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _UNCHECKED:
            continue
        if name in _NAMED and isinstance(value, Mapping):
            kept[name] = {each: _without_expressions(inner) for each, inner in value.items()}
        else:
            kept[name] = value if name in _DATA else _without_expressions(value)
    if "patternProperties" in schema and kept.get("additionalProperties") is False:
        del kept["additionalProperties"]  # what the expressions would have let through
    return kept

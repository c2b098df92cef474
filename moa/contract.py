"""What a user asks an answer to be like: a schema, a code block, a length, a language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from moa.code_blocks import code_in, language_name
from moa.errors import AgentError, OutputError
from moa.json_reply import strict_json, without_fence

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic import ValidationError as ModelError

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_JUDGED_CHARACTERS = 40
"""A text with fewer letters is in any language."""
_SURE = 0.9
"""How sure the recognition of languages must be to hold a text against somebody, 0 … 1."""


@dataclass(frozen=True)
class OutputContract:
    """The form of an answer: told to every agent, and checked before the answer is given.

    Example:
        >>> OutputContract(max_words=3).problems("This is far too long.")
        ('It has 5 words, and at most 3 were asked for.',)

    Raises:
        AgentError: a setting is out of its range, or the schema is none.
    """

    schema: type[BaseModel] | Mapping[str, Any] | None = None
    """The answer is JSON that fits this pydantic model or JSON schema, and nothing else."""
    code: str | None = None
    """The answer holds a block of code in this language, such as `python`; empty for any language."""
    tests: tuple[str, ...] = ()
    """Python statements that the code of the answer must pass, for whoever runs them (see `Vote`)."""
    min_words: int | None = None
    max_words: int | None = None
    """Words are what stands between spaces, so this says little of Chinese, Japanese or Thai; see `max_characters`."""
    max_characters: int | None = None
    language: str | None = None
    """ISO 639-1 code of the language, such as `de`. Short texts, code and JSON are not judged, nor is anything if it is
    not among the 140 languages that can be told apart."""

    def __post_init__(self) -> None:
        for name in ("min_words", "max_words", "max_characters"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise AgentError(f"{name} of the output is {value!r}; it must be a whole number, 1 or more.")
        if self.min_words and self.max_words and self.min_words > self.max_words:
            raise AgentError(f"No answer has at least {self.min_words} and at most {self.max_words} words.")
        if self.language is not None and not re.fullmatch(r"[a-z]{2,3}", self.language):
            raise AgentError(f"{self.language!r} is no code of a language. Write two letters, such as de or en.")
        if self.schema is not None and not (isinstance(self.schema, Mapping) or _is_model(self.schema)):
            raise AgentError(f"The schema must be a pydantic model or a JSON schema, not {self.schema!r}.")
        if isinstance(self.schema, Mapping):
            _check_schema(self.schema)
        if isinstance(self.tests, str):
            raise AgentError("The tests of the output must be a list of Python statements, not one text.")
        object.__setattr__(self, "tests", tuple(self.tests))

    @classmethod
    def of(cls, output: Output) -> OutputContract:
        """Return the contract for what a user gave: a contract, a pydantic model, a JSON schema, or nothing.

        Raises:
            AgentError: it is none of them.
        """
        if output is None:
            return ANYTHING
        contract = output if isinstance(output, OutputContract) else cls(schema=output)
        return ANYTHING if contract == ANYTHING else contract

    def instructions(self) -> str:
        """Return what an agent is told of it; empty if nothing is asked for."""
        told = []
        if self.schema is not None:
            schema = json.dumps(self.json_schema(), ensure_ascii=False)
            told.append(
                f"Answer with JSON only, with nothing before or after it, that fits this JSON schema:\n{schema}"
            )
        if self.code is not None:
            language = f" {self.code}" if self.code else ""
            told.append(f"Put the{language} code into one fenced block.")
        if self.tests:
            told.append("The code must pass these tests:\n" + "\n".join(self.tests))
        if self.min_words:
            told.append(f"Answer in at least {self.min_words} words.")
        if self.max_words:
            told.append(f"Answer in at most {self.max_words} words.")
        if self.max_characters:
            told.append(f"Answer in at most {self.max_characters} characters.")
        if self.language:
            told.append(f"Answer in the language with the ISO code {self.language!r}.")
        return "\n".join(told)

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON schema that the answer must fit; None if it need not be JSON."""
        if self.schema is None:
            return None
        return dict(self.schema) if isinstance(self.schema, Mapping) else self.schema.model_json_schema()

    def problems(self, text: str) -> tuple[str, ...]:
        """Return in what way a text breaks it, a sentence each; nothing if it keeps it.

        Code is looked for, not run: `tests` are for aggregators that run it.
        """
        checks: tuple[Callable[[str], str | None], ...] = (self._json, self._code, self._length, self._language)
        return tuple(problem for check in checks if (problem := check(text)))

    def bare(self, text: str) -> str:
        """Return an answer as a program wants to read it: JSON without the block of code that it may stand in."""
        return text if self.schema is None else without_fence(text)

    def read(self, text: str) -> Any:
        """Return what an answer holds: the object of the pydantic model, the JSON value, or the code; else the text.

        JSON may stand in a fenced block, as models like to write it.

        Raises:
            OutputError: the text breaks the contract; the message says how.
        """
        if self.schema is not None:
            try:
                return _parsed(self.schema, text)
            except ValueError as error:
                raise OutputError(f"The answer does not fit its schema: {_in_a_line(error)}") from error
        if self.code is not None:
            code = code_in(text, self.code)
            if code is None:
                raise OutputError(f"The answer holds no {language_name(self.code)} code.")
            return code
        return text

    def _json(self, text: str) -> str | None:
        if self.schema is None:
            return None
        try:
            _parsed(self.schema, text)
        except ValueError as error:
            return f"It is not the JSON that was asked for: {_in_a_line(error)}"
        return None

    def _code(self, text: str) -> str | None:
        if self.code is None or code_in(text, self.code) is not None:
            return None
        return f"It holds no block of {self.code or 'any'} code."

    def _length(self, text: str) -> str | None:
        words = len(text.split())
        if self.max_words and words > self.max_words:
            return f"It has {words} words, and at most {self.max_words} were asked for."
        if self.min_words and words < self.min_words:
            return f"It has {words} words, and at least {self.min_words} were asked for."
        if self.max_characters and len(text) > self.max_characters:
            return f"It has {len(text)} characters, and at most {self.max_characters} were asked for."
        return None

    def _language(self, text: str) -> str | None:
        if self.language is None or self.schema is not None:
            return None
        prose = _NO_PROSE.sub(" ", text)
        if sum(map(str.isalpha, prose)) < _JUDGED_CHARACTERS:
            return None
        recognise, known = _recogniser()
        found, sure = recognise(prose)
        if found == self.language or sure < _SURE or self.language not in known:
            return None
        return f"It is in the language {found!r}, and {self.language!r} was asked for."


if TYPE_CHECKING:
    Output = OutputContract | type[BaseModel] | Mapping[str, Any] | None
    """What a user may ask for: a contract, a pydantic model, a JSON schema, or nothing."""
ANYTHING = OutputContract()
"""The contract of a user who asked for no form."""


def _parsed(schema: type[BaseModel] | Mapping[str, Any], text: str) -> Any:
    """Return JSON that fits a schema.

    Raises:
        ValueError: it is no JSON, or does not fit.
    """
    bare = without_fence(text)
    if not isinstance(schema, Mapping):
        from pydantic import ValidationError as ModelError

        try:
            return schema.model_validate_json(bare)
        except ModelError as error:
            raise ValueError(_first_complaint(error)) from error
    value = strict_json(bare)
    from jsonschema import ValidationError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    _steps_left.set([_MOST_STEPS])
    try:
        _bounded(_validator(schema))(schema, registry=Registry()).validate(value)  # this registry fetches nothing
    except ValidationError as error:
        where = "/".join(map(str, error.absolute_path))
        raise ValueError(f"{error.message}{f' (at {where})' if where else ''}") from error
    except Unresolvable as error:
        raise ValueError(f"The schema refers to {error.ref!r}, which it does not hold.") from error
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None
    return value


_MOST_STEPS = 20_000
"""References and alternatives that are followed to check one answer, in about half a second. A schema of a page can ask
for more of them than there are atoms, and may be a stranger's."""
_steps_left: ContextVar[list[int]] = ContextVar("steps left")


@cache
def _bounded(kind: Any) -> Any:
    """Return a validator that gives up where a schema makes it do too much.

    Raises:
        ValueError: by what it is used for: there were too many steps.
    """
    from jsonschema.validators import extend

    def counted(check: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any) -> Any:
            left = _steps_left.get()
            left[0] -= 1
            if left[0] < 0:
                raise ValueError("Its schema takes too long to check.")
            return check(*given)

        return step

    branching = ("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas")
    return extend(kind, {name: counted(kind.VALIDATORS[name]) for name in branching if name in kind.VALIDATORS})


def _check_schema(schema: Mapping[str, Any]) -> None:
    """See whether a schema is one.

    Raises:
        AgentError: it is none; the message says where.
    """
    from jsonschema import SchemaError

    try:
        _validator(schema).check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        raise AgentError(f"The JSON schema is none: {error.message}{f' (at {where})' if where else ''}.") from error


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _is_model(schema: object) -> bool:
    from pydantic import BaseModel

    return isinstance(schema, type) and issubclass(schema, BaseModel)


def _first_complaint(error: ModelError) -> str:
    """Return what pydantic objects to first, and where."""
    first, *_ = error.errors(include_url=False, include_context=False, include_input=False)
    where = "/".join(map(str, first["loc"]))
    return f"{first['msg']}{f' (at {where})' if where else ''}"


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") + "."


@cache
def _recogniser() -> tuple[Callable[[str], tuple[str, float]], frozenset[str]]:
    """Return what tells languages apart, and the languages that it knows."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def recognise(text: str) -> tuple[str, float]:
        language, sure = identifier.classify(text[:20_000])
        return str(language), float(sure)

    return recognise, frozenset(map(str, identifier.nb_classes))

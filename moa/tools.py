"""Python functions as tools of an agent: what a model is told of them, and how its calls are made."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any, cast, get_type_hints

from moa.backends.base import ToolSpec
from moa.errors import AgentError
from moa.messages import ToolCall

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ARGUMENTS = re.compile(r"^[ \t]*Args:[ \t]*\n(?P<lines>(?:[ \t]+\S.*(?:\n|\Z)|[ \t]*\n)+)", re.MULTILINE)
_ARGUMENT = re.compile(r"^[ \t]+(?P<name>\w+)(?:\s*\([^)]*\))?:\s*(?P<text>\S.*(?:\n[ \t]{8,}\S.*)*)", re.MULTILINE)
RESULT_CHARACTERS = 20_000
"""A result is cut beyond this: it has to fit into a model's window beside everything else."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One function that a model may have called."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of its arguments, an object."""
    function: Callable[..., Any]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Tool:
        """Make a tool of a function: its schema comes from type hints, its description from the docstring.

        Raises:
            AgentError: it is no function, has no usable name, or an argument has no type hint.
        """
        name = getattr(function, "__name__", "")
        if not callable(function) or not _NAME.fullmatch(name):
            raise AgentError(f"A tool must be a function with a name, not {function!r}.")
        try:
            hints = get_type_hints(function)
        except NameError as error:
            raise AgentError(f"The type hints of the tool {name} name something that is not there: {error}.") from error
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY}:
                raise AgentError(f"The tool {name} takes {parameter}; a model can only give arguments by name.")
            if parameter.name not in hints:
                raise AgentError(
                    f"The argument {parameter.name!r} of the tool {name} has no type hint, so no model can know what "
                    f"to give. Write def {name}({parameter.name}: …)."
                )
        return cls(name, _description(function), _schema(function), function)

    @property
    def spec(self) -> ToolSpec:
        """What a model is told."""
        return ToolSpec(self.name, self.description, self.parameters)

    async def call(self, arguments: str) -> str:
        """Call the function with arguments that a model wrote, and return the result as text.

        A function that is not asynchronous runs in a thread, so that it holds nobody up. What goes wrong is returned as
        text too, because the model can mend it: arguments that are no JSON or do not fit, and whatever the function
        raises.

        Args:
            arguments: a JSON object; nothing is an empty one.
        """
        from pydantic import ValidationError, validate_call

        try:
            given = json.loads(arguments.strip() or "{}")
        except (ValueError, RecursionError) as error:
            return f"Error: the arguments are no JSON ({error})."
        if not isinstance(given, dict):
            return "Error: the arguments must be a JSON object."
        checked = partial(validate_call(self.function), **given)
        try:
            result = checked() if inspect.iscoroutinefunction(self.function) else await _in_thread(checked)
            return _written(await result if inspect.isawaitable(result) else result)
        except ValidationError as error:
            return f"Error: {error.error_count()} of the arguments do not fit: {_first(error)}"
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the user's own function: the model is told)
            return f"Error: {type(error).__name__}: {error}"


def tools_of(functions: Sequence[Callable[..., Any]]) -> tuple[Tool, ...]:
    """Make tools of functions.

    Raises:
        AgentError: as `Tool.of`, or two have the same name.
    """
    tools = tuple(map(Tool.of, functions))
    names = [tool.name for tool in tools]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise AgentError(f"Two tools are called {twice!r}. Give each a name of its own.")
    return tools


def tool_named(name: str, tools: Sequence[Tool]) -> Tool | None:
    """Return the tool of a name; None if there is none."""
    return next((tool for tool in tools if tool.name == name), None)


async def made(call: ToolCall, tools: Sequence[Tool], within: float | None = None) -> str:
    """Make one call, and return its result, or what is wrong with it, as text.

    Args:
        call: as the model wrote it.
        tools: those that it may have called.
        within: seconds that it may take; None means any time. A function that runs in a thread cannot be stopped, but
            nobody waits for it any longer.
    """
    if tool := tool_named(call.name, tools):
        try:
            async with asyncio.timeout(within) as limit:
                return await tool.call(call.arguments)
        except TimeoutError:
            if not limit.expired():
                raise
            return f"Error: {call.name} took longer than {within:.3g} s and was given up."
    return f"Error: there is no tool {call.name!r}. There are {', '.join(tool.name for tool in tools) or 'none'}."


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Call a function in a thread of its own, which does not keep the program from ending if it hangs."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_result((result, error))

    def run() -> None:
        result, raised = None, None
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            raised = error
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, result, raised)

    Thread(target=copy_context().run, args=(run,), name="tool", daemon=True).start()
    result, raised = await done
    if raised is not None:
        raise raised
    return result


def _schema(function: Callable[..., Any]) -> dict[str, Any]:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        schema = TypeAdapter(cast("Any", function)).json_schema()
    except PydanticUserError as error:
        name = getattr(function, "__name__", "")
        raise AgentError(f"The tool {name} takes something that JSON cannot hold: {error.message}") from error
    described = _ARGUMENTS.search(inspect.getdoc(function) or "")
    told = (
        {found["name"]: " ".join(found["text"].split()) for found in _ARGUMENT.finditer(described["lines"])}
        if described
        else {}
    )
    for name, value in schema.get("properties", {}).items():
        value.pop("title", None)
        if name in told:
            value.setdefault("description", told[name])
    schema.setdefault("properties", {})
    schema["additionalProperties"] = False
    return schema


def _description(function: Callable[..., Any]) -> str:
    told = inspect.getdoc(function) or ""
    return re.split(r"\n\s*(?:Args|Returns|Raises|Example)s?:", told)[0].strip()


def _written(result: object) -> str:
    try:
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        text = str(result)
    if len(text) > RESULT_CHARACTERS:
        return f"{text[:RESULT_CHARACTERS]}\n[… {len(text) - RESULT_CHARACTERS} characters were cut]"
    return text


def _first(error: Any) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])

"""Python functions as tools: what a model is told of them, and how its calls are made."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Literal

import pytest

from moa.agent import Agent
from moa.errors import AgentError
from moa.messages import ToolCall
from moa.tools import RESULT_CHARACTERS, Tool, made, tools_of
from tests.fakes.backend import ScriptedModel


def weather(city: str, unit: Literal["C", "F"] = "C", days: int = 1) -> dict[str, object]:
    """Tell the weather of a city.

    It knows nothing of villages.

    Args:
        city: its name,
            in English
        unit: of temperatures
    """
    return {"city": city, "degrees": f"21 °{unit}", "days": days}


class TestWhatAModelIsTold:
    def test_comes_from_type_hints_and_docstring(self) -> None:
        spec = Tool.of(weather).spec
        assert (spec.name, spec.description) == (
            "weather",
            "Tell the weather of a city.\n\nIt knows nothing of villages.",
        )
        assert spec.parameters == {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "its name, in English"},
                "unit": {"type": "string", "enum": ["C", "F"], "default": "C", "description": "of temperatures"},
                "days": {"type": "integer", "default": 1},
            },
            "required": ["city"],
            "additionalProperties": False,
        }

    def test_goes_out_with_every_request_of_the_agent(self) -> None:
        from moa.messages import Conversation

        agent = Agent("w", model=ScriptedModel(), tools=[weather])
        assert agent.request(Conversation.of("?")).tools == (Tool.of(weather).spec,)

    def test_may_be_a_method(self) -> None:
        class Shelf:
            def count(self, title: str) -> int:
                return len(title)

        assert list(Tool.of(Shelf().count).parameters["properties"]) == ["title"]


def no_hint(city) -> str:  # type: ignore[no-untyped-def]
    return str(city)


def everything(*cities: str) -> str:
    return str(cities)


def unknown(thing: Nowhere) -> str:  # type: ignore[name-defined]  # noqa: F821
    return str(thing)


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ([no_hint], "argument 'city' of the tool no_hint has no type hint"),
        ([everything], r"takes \*cities"),
        ([unknown], "name something that is not there"),
        ([lambda: 1], "must be a function with a name"),
        (["weather"], "must be a function with a name"),
        ([weather, weather], "Two tools are called 'weather'"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_when_the_agent_is_defined(tools: list[Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        Agent("w", model=ScriptedModel(), tools=tools)


class TestACall:
    async def test_returns_text_as_it_is_and_anything_else_as_json(self) -> None:
        def hello() -> str:
            return "hello"

        assert await Tool.of(hello).call("") == "hello"
        assert await Tool.of(weather).call('{"city": "Paris"}') == '{"city": "Paris", "degrees": "21 °C", "days": 1}'

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ('{"city": ', "the arguments are no JSON"),
            ("[" * 100_000, "the arguments are no JSON"),
            ('["Paris"]', "must be a JSON object"),
            ("{}", "do not fit: city: Missing required argument"),
            ('{"city": "Paris", "days": "many"}', "do not fit: days: Input should be a valid integer"),
            ('{"city": "Paris", "sky": 1}', "do not fit: sky: Unexpected keyword argument"),
        ],
    )
    async def test_with_arguments_that_do_not_fit_tells_the_model(self, arguments: str, told: str) -> None:
        result = await Tool.of(weather).call(arguments)
        assert result.startswith("Error: ")
        assert told in result

    @pytest.mark.parametrize("error", [ValueError("no such city"), StopIteration(), SystemExit(3)])
    async def test_that_fails_tells_the_model(self, error: BaseException) -> None:
        def fail() -> None:
            raise error

        assert (await asyncio.wait_for(Tool.of(fail).call("{}"), 10)).startswith("Error: ")

    async def test_of_a_plain_function_holds_nobody_up(self) -> None:
        opened = threading.Event()

        def wait() -> str:
            return "opened" if opened.wait(10) else "never"

        calling = asyncio.create_task(Tool.of(wait).call("{}"))
        await asyncio.sleep(0)
        opened.set()
        assert await calling == "opened"

    async def test_that_hangs_is_given_up(self) -> None:
        async def hang() -> None:
            await asyncio.Event().wait()

        result = await made(ToolCall("1", "hang", "{}"), tools_of([hang]), within=0.01)
        assert result == "Error: hang took longer than 0.01 s and was given up."

    async def test_with_a_long_result_says_what_was_cut(self) -> None:
        def long() -> str:
            return "x" * (RESULT_CHARACTERS + 5)

        assert (await Tool.of(long).call("{}")).endswith("x\n[… 5 characters were cut]")

    async def test_of_no_tool_says_which_there_are(self) -> None:
        assert await made(ToolCall("1", "sun", "{}"), tools_of([weather])) == (
            "Error: there is no tool 'sun'. There are weather."
        )

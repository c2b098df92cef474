"""Tools over the wire: what a model is told, and its calls put together again."""

from __future__ import annotations

from typing import Any

import pytest

from moa.backends.base import Request, Sampling, ToolSpec
from moa.backends.hosted import Hosted
from moa.backends.tool_calls import CallPieces, written_calls
from moa.errors import UpstreamError
from moa.messages import Message, ToolCall
from tests.backends.calling import endpoint, failure, spoken
from tests.fakes.openai_server import FakeOpenAI, Refuse, Say

WEATHER = ToolSpec("weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = ("call_a", "weather", '{"city": "Paris, Île-de-France"}')
ASKED = Request((Message("user", "Is it sunny in Paris?"),), Sampling(), (WEATHER,))


@pytest.fixture(params=["endpoint", "hosted"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    return str(request.param)


def backend(kind: str, server: FakeOpenAI) -> Any:
    return endpoint(server) if kind == "endpoint" else Hosted("openai/m", api_base=server.base_url)


class TestAReply:
    async def test_of_calls_alone_is_no_empty_reply(self, kind: str, server: FakeOpenAI) -> None:
        server.replies("m", Say("", calls=[CALL, ("call_b", "weather", "{}")]))
        text, finish = await spoken(backend(kind, server), ASKED)
        assert text == ""
        assert finish.reason == "tool_calls"
        assert finish.tool_calls == (ToolCall(*CALL), ToolCall("call_b", "weather", "{}"))

    async def test_may_say_something_first(self, kind: str, server: FakeOpenAI) -> None:
        server.replies("m", Say("Let me look.", calls=[CALL]))
        text, finish = await spoken(backend(kind, server), ASKED)
        assert (text, finish.tool_calls) == ("Let me look.", (ToolCall(*CALL),))

    async def test_that_comes_whole_is_read_alike(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("", calls=[CALL], ignore_stream=True))
        _, finish = await spoken(endpoint(server), ASKED)
        assert finish.tool_calls == (ToolCall(*CALL),)


class TestARequest:
    async def test_tells_of_tools_calls_and_results(self, kind: str, server: FakeOpenAI) -> None:
        server.replies("m", "Sunny.")
        told = (Message("assistant", "", (ToolCall(*CALL),)), Message("tool", "21 °C", tool_call_id="call_a"))
        await spoken(backend(kind, server), Request((*ASKED.messages, *told), Sampling(), (WEATHER,)))
        [received] = server.requests
        assert received.body["tools"] == [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tell the weather.",
                    "parameters": dict(WEATHER.parameters),
                },
            }
        ]
        _, assistant, result = received.body["messages"]
        assert assistant["tool_calls"][0]["id"] == "call_a"
        assert assistant["tool_calls"][0]["function"] == {"name": "weather", "arguments": CALL[2]}
        assert (result["role"], result["tool_call_id"], result["content"]) == ("tool", "call_a", "21 °C")

    async def test_without_tools_does_not_mention_any(self, server: FakeOpenAI) -> None:
        server.replies("m", "Hello.")
        await spoken(endpoint(server))
        assert "tools" not in server.requests[0].body

    @pytest.mark.parametrize("status", [400, 404])  # of 422, litellm does not pass on the reason
    async def test_that_is_refused_for_its_tools_says_what_to_do(
        self, kind: str, server: FakeOpenAI, status: int
    ) -> None:
        server.replies("m", Refuse(status, {"error": {"message": "this model does not support tools"}}))
        error = await failure(backend(kind, server), ASKED)
        assert isinstance(error, UpstreamError)
        assert "does not take tools" in str(error)
        assert "give its agent none" in str(error)

    async def test_without_tools_is_not_refused_for_them(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(400, {"error": {"message": "tools are down"}}))
        assert "does not take tools" not in str(await failure(endpoint(server)))


class TestPieces:
    @pytest.mark.parametrize(
        ("pieces", "expected"),
        [
            (
                [
                    {"id": "a", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "function": {"name": "g", "arguments": "{}"}},
                ],
                [("a", "f", "{}"), ("b", "g", "{}")],
            ),
            (
                [
                    {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
                    {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
                ],
                [("a", "f", "{}"), ("b", "g", "{}")],
            ),
            (
                [
                    {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
                    {"index": 0, "function": {"name": "f", "arguments": "}"}},
                ],
                [("a", "f", "{}")],
            ),
            ([{"function": {"name": "f", "arguments": {"x": 1}}}], [("call_1", "f", '{"x": 1}')]),
            ([{"index": 0, "function": {"name": None}}, "nonsense", None], []),
        ],
        ids=["no-numbers", "all-number-0", "name-repeated", "arguments-as-an-object", "nonsense"],
    )
    def test_of_servers_with_habits_of_their_own(self, pieces: list[Any], expected: list[tuple[str, str, str]]) -> None:
        gathered = CallPieces()
        for piece in pieces:
            gathered.add([piece])
        assert gathered.calls == tuple(ToolCall(*call) for call in expected)


class TestCallsWrittenAsText:
    WRITTEN = '{"name": "weather", "arguments": {"city": "Paris"}}'

    @pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "<tools>\n{}\n</tools>", "  {}\n"])
    def test_are_recognised_where_they_are_the_whole_text(self, form: str) -> None:
        assert written_calls(form.replace("{}", self.WRITTEN), ["weather"]) == (
            ToolCall("call_1", "weather", '{"city": "Paris"}'),
        )

    def test_may_be_several(self) -> None:
        assert [call.id for call in written_calls(f"{self.WRITTEN}\n{self.WRITTEN}", ["weather"])] == [
            "call_1",
            "call_2",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            f"Call {WRITTEN}",
            f"{WRITTEN} please",
            '{"name": "other", "arguments": {}}',
            '{"name": ["weather"], "arguments": {}}',
            '{"name": "weather", "arguments": 1}',
            '{"name": "weather"}',
            "21",
            "",
            "[" * 100_000,
        ],
    )
    def test_are_nothing_else(self, text: str) -> None:
        assert written_calls(text, ["weather"]) == ()

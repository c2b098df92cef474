from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import httpx
import pytest

from moa.backends.base import Backend, Delta, Finish, Price, Request
from moa.backends.endpoint import Endpoint
from moa.backends.timeouts import Timeouts
from moa.errors import ModelReferenceError, UpstreamError
from moa.messages import Message, Usage
from tests.backends.calling import asking, endpoint, everything, failure, opened, spoken
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Say, event

KEY = "sk-a-key-that-must-never-show"


class TestReference:
    def test_names_a_url_and_a_model(self) -> None:
        named = Endpoint.named("http://localhost:8000/v1#qwen3#awq")
        assert (named.base_url, named.model) == ("http://localhost:8000/v1", "qwen3#awq")
        assert named.reference == "http://localhost:8000/v1#qwen3#awq"
        assert isinstance(named, Backend)

    @pytest.mark.parametrize("url", ["http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"])
    def test_forgives_what_people_paste(self, url: str) -> None:
        assert Endpoint(url, "m").reference == "http://localhost:8000/v1#m"

    @pytest.mark.parametrize(
        "missing", ["http://localhost:8000/v1", "http://localhost:8000/v1#", "http://localhost/v1# "]
    )
    def test_without_a_model_says_where_it_goes(self, missing: str) -> None:
        with pytest.raises(ModelReferenceError, match=r"names no model.*/v1#name"):
            Endpoint.named(missing)

    @pytest.mark.parametrize(
        "bad",
        [
            "http://#m",
            "http://host:port/v1#m",
            "http://host:99999/v1#m",
            "http://[::1/v1#m",
            "http://a..b/v1#m",
            "ftp://h/v1#m",
        ],
    )
    def test_with_a_bad_url_says_so(self, bad: str) -> None:
        with pytest.raises(ModelReferenceError, match="URL"):
            Endpoint.named(bad)

    @pytest.mark.parametrize(
        "with_key", [f"https://{KEY}@host/v1#m", f"https://me:{KEY}@host/v1#m", f"https://host/v1?key={KEY}#m"]
    )
    def test_holds_no_key_and_repeats_none(self, with_key: str) -> None:
        with pytest.raises(ModelReferenceError) as caught:
            Endpoint.named(with_key)
        assert KEY not in str(caught.value)


class TestAnswers:
    async def test_stream_as_they_arrive_and_end_with_a_finish(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("seventeen times twenty-three", usage=(12, 3)))
        *deltas, finish = await everything(endpoint(server, price=Price(1, 2)))
        assert deltas == [Delta("seventeen "), Delta("times "), Delta("twenty-three")]
        assert finish == Finish(Usage(12, 3), "stop", (12 * 1 + 3 * 2) / 1_000_000)

    async def test_show_the_first_token_before_the_second_is_made(self, server: FakeOpenAI) -> None:
        gate = asyncio.Semaphore(1)
        server.replies("m", Say("one two", gate=gate))
        async with aclosing(opened(endpoint(server))) as chunks:
            assert await anext(chunks) == Delta("one ")
            gate.release()
            assert await anext(chunks) == Delta("two")

    async def test_keep_reasoning_apart(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("391", reasoning="let me see"))
        chunks = await everything(endpoint(server))
        assert chunks[:3] == [Delta("let ", True), Delta("me ", True), Delta("see", True)]  # noqa: FBT003
        assert chunks[3] == Delta("391")

    async def test_cost_nothing_known_without_a_price(self, server: FakeOpenAI) -> None:
        server.replies("m", "391")
        _, finish = await spoken(endpoint(server))
        assert finish.cost_usd is None
        assert not endpoint(server).priced

    async def test_come_from_servers_that_do_not_stream(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("three hundred", reasoning="hm", ignore_stream=True))
        assert await everything(endpoint(server)) == [
            Delta("hm", reasoning=True),
            Delta("three hundred"),
            Finish(Usage(7, 2), "stop"),
        ]

    async def test_come_from_servers_that_do_not_know_stream_options(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(400, {"error": {"message": "Unknown parameter: stream_options"}}), "391")
        text, finish = await spoken(endpoint(server))
        assert (text, finish.usage) == ("391", Usage(None, None))
        assert "stream_options" not in server.requests[1].body

    async def test_come_compressed_from_servers_that_do_not_listen(self) -> None:
        def answer(_: httpx.Request) -> httpx.Response:
            body = gzip.compress(event("391") + b"data: [DONE]\n\n")
            return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(body))

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            assert (await spoken(Endpoint("http://models.example/v1", "m", client=client)))[0] == "391"

    async def test_need_no_done_marker_after_a_finish_reason(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("end", ["391"], finish_reason="length"))
        text, finish = await spoken(endpoint(server))
        assert (text, finish.reason) == ("391", "length")

    async def test_are_kept_when_the_line_breaks_after_a_finish_reason(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("reset", ["391"], finish_reason="stop"))
        assert (await spoken(endpoint(server)))[0] == "391"

    async def test_are_kept_when_the_reply_never_ends_after_a_finish_reason(
        self, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("moa.backends.chat._AFTER_FINISH_SECONDS", 0.05)
        server.replies("m", Break("hang", ["391"], finish_reason="stop"))
        patient = Timeouts(first_token=3600, between_tokens=3600)
        async with asyncio.timeout(60):
            assert (await spoken(endpoint(server, timeouts=patient)))[0] == "391"

    async def test_survive_any_cut_of_their_bytes(self, server: FakeOpenAI) -> None:
        whole = (
            event("Grüße, 世界 🙂") + b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\n\n'
        )
        server.replies("m", Raw([whole[at : at + 1] for at in range(len(whole))]))
        assert (await spoken(endpoint(server)))[0] == "Grüße, 世界 🙂"

    async def test_are_whole_when_a_character_comes_in_two_tokens(self, server: FakeOpenAI) -> None:
        halves = [
            b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
            b'data: {"choices":[{"delta":{"content":"\\ude42!"}}]}\n\n',
        ]
        server.replies("m", Raw([*halves, b"data: [DONE]\n\n"]))
        assert (await spoken(endpoint(server)))[0] == "🙂!"


class TestRequests:
    async def test_say_what_was_asked_and_nothing_else(self, server: FakeOpenAI) -> None:
        server.replies("m", "391")
        await everything(endpoint(server), Request((Message("system", "Be brief."), Message("user", "17 * 23?"))))
        [received] = server.requests
        assert received.path == "/v1/chat/completions"
        assert received.body == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "17 * 23?"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        assert "authorization" not in received.headers
        assert received.headers["accept-encoding"] == "identity"

    async def test_carry_the_sampling(self, server: FakeOpenAI) -> None:
        server.replies("m", "{}")
        schema = {"type": "object"}
        request = asking(temperature=0.0, top_p=0.9, max_tokens=5, stop=("\n",), seed=7, json_schema=schema)
        await everything(endpoint(server, extra={"top_k": 20}, headers={"X-Team": "red"}), request)
        [received] = server.requests
        sent = received.body
        assert (sent["temperature"], sent["top_p"], sent["max_tokens"], sent["stop"], sent["seed"]) == (
            0,
            0.9,
            5,
            ["\n"],
            7,
        )
        assert sent["response_format"]["json_schema"]["schema"] == schema
        assert sent["top_k"] == 20
        assert received.headers["x-team"] == "red"

    async def test_survive_half_characters_in_the_question(self, server: FakeOpenAI) -> None:
        server.replies("m", "what?")
        await everything(endpoint(server), asking("half of an emoji: \ud83d"))
        assert server.requests[0].body["messages"][0]["content"] == "half of an emoji: ?"


class Body(httpx.AsyncByteStream):
    """A response's body that remembers how much of it was read."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
            self.read += 1


async def read_of(body: Body, status: int = 200) -> int:
    """Let an endpoint have this body, and return how many of its pieces it took."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, stream=body))
    async with httpx.AsyncClient(transport=transport) as client:
        with suppress(UpstreamError):
            await everything(Endpoint("http://models.example/v1", "m", client=client))
    return body.read


class TestConnections:
    async def test_are_read_to_their_end_after_the_last_event_so_that_they_can_be_used_again(self) -> None:
        assert await read_of(Body(event("391"), b"data: [DONE]\n\n", b"\n")) == 3

    async def test_are_not_read_for_ever_for_the_sake_of_an_error_page(self) -> None:
        assert await read_of(Body(*[b"x" * 64 * 1024] * 100), status=500) < 3

    async def test_are_used_again(self, server: FakeOpenAI) -> None:
        server.replies("m", "one", Refuse(500), "two")
        await everything(endpoint(server))
        await failure(endpoint(server))
        await everything(endpoint(server))
        assert server.connections == 1

    async def test_are_not_kept_where_that_is_not_wanted(self, server: FakeOpenAI) -> None:
        server.replies("m", "one")
        await everything(endpoint(server, keep_alive=False))
        assert server.requests[0].headers["connection"] == "close"
        await server.until(lambda: server.open_connections == 0)

    async def test_carry_more_than_a_hundred_calls_at_once(self, server: FakeOpenAI) -> None:
        gate = asyncio.Semaphore(0)
        server.replies("m", Say("one", gate=gate))
        async with asyncio.TaskGroup() as group:
            for _ in range(128):
                group.create_task(everything(endpoint(server)))
            await server.until(lambda: server.open_connections == 128)
            for _ in range(128):
                gate.release()

    async def test_close_when_the_listener_leaves_early(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("one two three", gate=asyncio.Semaphore(1)))
        async with aclosing(opened(endpoint(server))) as chunks:
            await anext(chunks)
            assert server.open_connections == 1
        await server.until(lambda: server.open_connections == 0)

    @pytest.mark.parametrize("before_headers", [True, False])
    async def test_close_when_the_caller_is_cancelled(self, server: FakeOpenAI, before_headers: bool) -> None:  # noqa: FBT001
        server.replies("m", Break("hang", before_headers=before_headers))
        call = asyncio.create_task(everything(endpoint(server)))
        await server.until(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.until(lambda: server.open_connections == 0)

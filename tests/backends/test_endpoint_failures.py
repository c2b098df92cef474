from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing

import httpx
import pytest

from moa.backends.base import Delta
from moa.backends.endpoint import Endpoint
from moa.backends.timeouts import Timeouts
from moa.errors import (
    BackendError,
    CallTimeout,
    ConnectionFailed,
    ContextTooLong,
    ProtocolError,
    RateLimited,
    UpstreamError,
)
from tests.backends.calling import endpoint, failure, opened
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Say, event, saying

HASTY = Timeouts(connect=5, first_token=0.05, between_tokens=0.05)


class TestTimeouts:
    async def test_tell_that_no_connection_stands(self) -> None:
        def slow(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectTimeout("")

        async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as client:
            error = await failure(Endpoint("http://far.example/v1", "m", timeouts=Timeouts(connect=3), client=client))
        assert isinstance(error, CallTimeout)
        assert error.retryable
        assert "no connection within 3 s" in str(error)

    @pytest.mark.parametrize("hang", [Break("hang", before_headers=True), Break("hang"), Break("ping")])
    async def test_tell_that_no_token_came(self, server: FakeOpenAI, hang: Break) -> None:
        server.replies("m", hang)
        error = await failure(endpoint(server, timeouts=HASTY))
        assert isinstance(error, CallTimeout)
        assert not error.retryable
        assert "no token within 0.05 s" in str(error)
        await server.until(lambda: server.open_connections == 0)

    @pytest.mark.parametrize("how", ["hang", "ping"])
    async def test_tell_that_the_tokens_stopped(self, server: FakeOpenAI, how: str) -> None:
        server.replies("m", Break(how, ["one ", "two"]))  # type: ignore[arg-type]
        patient = Timeouts(first_token=60, between_tokens=0.05)
        error = await failure(endpoint(server, timeouts=patient))
        assert isinstance(error, CallTimeout)
        assert "no token for 0.05 s" in str(error)
        await server.until(lambda: server.open_connections == 0)

    async def test_leave_slow_but_steady_answers_alone(self, server: FakeOpenAI) -> None:
        gate = asyncio.Semaphore(0)
        server.replies("m", Say("one two three four", gate=gate))
        patient = endpoint(server, timeouts=Timeouts(first_token=60, between_tokens=60))
        async with aclosing(opened(patient)) as chunks:
            for word in ("one ", "two ", "three ", "four"):
                gate.release()
                assert await anext(chunks) == Delta(word)

    async def test_do_not_wait_for_an_error_page_that_hangs(
        self, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("moa.backends.chat._ERROR_BODY_SECONDS", 0.05)
        server.replies("m", Refuse(503, "unfinished", headers={"content-length": "1000"}))
        error = await failure(endpoint(server))
        assert isinstance(error, UpstreamError)
        assert error.status == 503


class TestFailures:
    async def test_of_nobody_listening(self, server: FakeOpenAI) -> None:
        await server.stop()
        error = await failure(endpoint(server))
        assert isinstance(error, ConnectionFailed)
        assert error.retryable
        assert "nobody listens there" in str(error)
        assert str(error).startswith(server.base_url)

    async def test_of_a_name_that_nobody_has(self) -> None:
        error = await failure(Endpoint("http://no-such-host.invalid/v1", "m"))
        assert isinstance(error, ConnectionFailed)
        assert "no server of that name" in str(error)

    async def test_of_https_where_the_server_speaks_http(self) -> None:
        async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            error = await failure(Endpoint(f"https://127.0.0.1:{port}/v1", "m"))
        assert isinstance(error, ConnectionFailed)
        assert not error.retryable
        assert "no secure connection" in str(error)

    async def test_of_a_connection_that_drops_before_the_answer(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("reset", before_headers=True))
        error = await failure(endpoint(server))
        assert isinstance(error, ConnectionFailed)
        assert "before it answered" in str(error)

    async def test_of_a_connection_that_drops_before_the_first_token(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("reset"))
        error = await failure(endpoint(server))
        assert isinstance(error, ConnectionFailed)
        assert error.retryable

    async def test_of_a_connection_that_drops_mid_stream(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("reset", ["one "]))
        error = await failure(endpoint(server))
        assert isinstance(error, ConnectionFailed)
        assert "in the middle of its answer" in str(error)

    @pytest.mark.parametrize("after", [[], ["one "]])
    async def test_of_an_answer_that_just_ends(self, server: FakeOpenAI, after: list[str]) -> None:
        server.replies("m", Break("end", after))
        error = await failure(endpoint(server))
        assert isinstance(error, ProtocolError)
        assert "in the middle of its answer" in str(error)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ([], "without a word"),
            ([b"  \n "], "without a word"),
            ([b"<!doctype html><html><head><title>Welcome to nginx!</title></head></html>"], "Welcome to nginx!.*/v1"),
            ([b'{"choices": [{"mess'], "broken JSON"),
            ([b'{"choices": []}'], "without a message"),
            ([b'{"model": "m"}'], "without a message"),
            ([b"[1, 2]"], "no chat reply"),
            ([b"Not found"], "no chat reply: Not found"),
            ([b"data: {broken\n\n"], "broken JSON: {broken"),
            ([event("one "), b"data: {broken\n\n"], "broken JSON"),
            ([event("one "), b'data: {"choices":[{"del'], "in the middle of its answer"),
            ([b"data: 7\n\n"], "no chat reply: 7"),
            ([b"data: \xff\xfe\n\n"], "broken JSON"),
            ([b'data: {"choices":[{"delta":{"content":{"a":1}}}]}\n\n'], "not text"),
        ],
    )  # fmt: skip
    async def test_of_replies_that_are_not_the_protocol(
        self, server: FakeOpenAI, body: list[bytes], message: str
    ) -> None:
        server.replies("m", Raw(body))
        error = await failure(endpoint(server))
        assert isinstance(error, ProtocolError)
        assert not error.retryable
        assert server.base_url in str(error)
        assert re.search(message, str(error)), str(error)

    async def test_come_after_the_tokens_that_arrived_with_them(self, server: FakeOpenAI) -> None:
        server.replies("m", Raw([event("one ") + event("two") + b"data: {broken\n\n"]))
        async with aclosing(opened(endpoint(server))) as chunks:
            assert [await anext(chunks), await anext(chunks)] == [Delta("one "), Delta("two")]
            with pytest.raises(ProtocolError):
                await anext(chunks)

    async def test_of_a_server_that_is_not_http(self) -> None:
        async with saying(b"220 mail.example.org ESMTP\r\n\r\n") as port:
            error = await failure(Endpoint(f"http://127.0.0.1:{port}/v1", "m"))
        assert isinstance(error, ProtocolError)
        assert "not HTTP" in str(error)


class TestRefusals:
    async def test_of_a_rate_limit_say_when_to_come_back(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(429, retry_after="7"))
        error = await failure(endpoint(server))
        assert isinstance(error, RateLimited)
        assert error.retryable
        assert error.retry_after_seconds == 7

    @pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
    async def test_that_may_pass_are_retryable(self, server: FakeOpenAI, status: int) -> None:
        server.replies("m", Refuse(status))
        error = await failure(endpoint(server))
        assert isinstance(error, UpstreamError)
        assert (error.status, error.retryable) == (status, True)
        assert "scripted failure" in str(error)

    @pytest.mark.parametrize("status", [301, 400, 402, 404, 422])
    async def test_that_will_not_pass_are_not(self, server: FakeOpenAI, status: int) -> None:
        server.replies("m", Refuse(status, headers={"location": "https://elsewhere.example/v1"}))
        error = await failure(endpoint(server))
        assert isinstance(error, UpstreamError)
        assert (error.status, error.retryable) == (status, False)

    async def test_of_an_unknown_model_say_what_to_check(self, server: FakeOpenAI) -> None:
        error = await failure(endpoint(server, "nope"))
        assert isinstance(error, UpstreamError)
        assert re.search(r"nope.*404.*does not exist.*Check the model's name and the URL", str(error))

    async def test_by_a_web_page_are_told_by_its_title(self, server: FakeOpenAI) -> None:
        page = "<html><head><title>502 Bad\n Gateway</title></head><body>" + "x" * 5000 + "</body></html>"
        server.replies("m", Refuse(502, page))
        error = await failure(endpoint(server))
        assert isinstance(error, UpstreamError)
        assert "an HTML page, “502 Bad Gateway”" in str(error)
        assert len(str(error)) < 300

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (400, {"error": {"message": "Too much.", "code": "context_length_exceeded"}}),
            (400, {"error": {"message": "Too much.", "type": "exceed_context_size_error", "code": 400}}),
            (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400}),
            (500, {"error": "the request exceeds the available context size"}),
        ],
    )
    async def test_of_a_question_that_is_too_long_say_so(
        self, server: FakeOpenAI, status: int, body: dict[str, object]
    ) -> None:
        server.replies("m", Refuse(status, body))
        error = await failure(endpoint(server))
        assert isinstance(error, ContextTooLong)
        assert "larger context window" in str(error)

    @pytest.mark.parametrize(
        ("reported", "kind"),
        [
            ({"message": "CUDA out of memory", "code": 500}, UpstreamError),
            ({"message": "busy", "code": 429}, RateLimited),
            ({"message": "too big", "type": "exceed_context_size_error"}, ContextTooLong),
            ("plain words", UpstreamError),
        ],
    )
    @pytest.mark.parametrize("before", [b"", event("one ")])
    async def test_told_inside_the_stream_count_too(
        self, server: FakeOpenAI, reported: object, kind: type[BackendError], before: bytes
    ) -> None:
        server.replies("m", Raw([before, b"data: " + json.dumps({"error": reported}).encode() + b"\n\n"]))
        assert type(await failure(endpoint(server))) is kind

    async def test_told_in_a_document_with_status_200_count_too(self, server: FakeOpenAI) -> None:
        server.replies("m", Raw([b'{"error": {"message": "upstream is down", "code": 503}}']))
        error = await failure(endpoint(server))
        assert isinstance(error, UpstreamError)
        assert error.status == 503

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from moa.backends.base import Backend, Delta, Finish, Price, Readiness, Request
from moa.backends.endpoint import Endpoint
from moa.backends.keys import Secret
from moa.backends.timeouts import Timeouts
from moa.errors import (
    BackendError,
    CallTimeout,
    ConnectionFailed,
    ContextTooLong,
    MissingKeyError,
    ModelReferenceError,
    ProtocolError,
    RateLimited,
    UpstreamError,
)
from moa.messages import Message, Usage
from tests.backends.calling import asking, everything, opened, spoken
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Say, Scripted

KEY = "sk-a-key-that-must-never-show"
HASTY = Timeouts(connect=5, first_token=0.05, between_tokens=0.05)


def endpoint(server: FakeOpenAI, model: str = "m", **options: object) -> Endpoint:
    return Endpoint(server.base_url, model, **options)  # type: ignore[arg-type]


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


@asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[int]:
    """A server that says the same to everybody and hangs up; yields its port."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def failure(backend: Backend, request: Request | None = None) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await everything(backend, request)
    return caught.value


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

    async def test_need_no_done_marker_after_a_finish_reason(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("end", ["391"], finish_reason="length"))
        text, finish = await spoken(endpoint(server))
        assert (text, finish.reason) == ("391", "length")

    async def test_are_kept_when_the_line_breaks_after_a_finish_reason(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("reset", ["391"], finish_reason="stop"))
        assert (await spoken(endpoint(server)))[0] == "391"

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


class TestConnections:
    async def test_are_used_again(self, server: FakeOpenAI) -> None:
        server.replies("m", "one", Refuse(500), "two")
        await everything(endpoint(server))
        await failure(endpoint(server))
        await everything(endpoint(server))
        assert server.connections == 1

    async def test_are_not_kept_where_that_is_not_wanted(self, server: FakeOpenAI) -> None:
        server.replies("m", "one")
        await everything(endpoint(server, keep_alive=False))
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


class TestKeys:
    @pytest.fixture
    async def guarded(self) -> AsyncIterator[FakeOpenAI]:
        async with FakeOpenAI(key=KEY) as server:
            server.replies("m", "391")
            yield server

    async def test_come_from_the_variable_that_is_named(
        self, guarded: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MY_KEY", KEY)
        mine = endpoint(guarded, api_key_env="MY_KEY")
        assert mine.readiness() == Readiness(ready=True, text="key in MY_KEY; not contacted")
        assert (await spoken(mine))[0] == "391"

    async def test_come_from_the_file_that_the_environment_names(
        self, guarded: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text(KEY + "\n")
        monkeypatch.setenv("MY_KEY_FILE", str(tmp_path / "key"))
        assert (await spoken(endpoint(guarded, api_key_env="MY_KEY")))[0] == "391"

    async def test_can_be_given_by_the_program_that_started_the_server(self, guarded: FakeOpenAI) -> None:
        assert (await spoken(endpoint(guarded, key=Secret(KEY))))[0] == "391"

    async def test_are_missed_before_anything_is_sent(
        self, guarded: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("MY_KEY", raising=False)
        mine = endpoint(guarded, api_key_env="MY_KEY")
        error = await failure(mine)
        assert isinstance(error, MissingKeyError)
        assert "MY_KEY, which is not set: export MY_KEY=" in str(error)
        assert guarded.connections == 0
        assert not mine.readiness().ready
        assert "export MY_KEY=" in mine.readiness().remedy

    async def test_that_nobody_named_are_asked_for(self, guarded: FakeOpenAI) -> None:
        error = await failure(endpoint(guarded))
        assert isinstance(error, MissingKeyError)
        assert "api_key_env=" in str(error)

    async def test_that_are_refused_are_told_by_their_variable(
        self, guarded: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MY_KEY", "sk-wrong-key")
        error = await failure(endpoint(guarded, api_key_env="MY_KEY"))
        assert isinstance(error, UpstreamError)
        assert "refused the key in MY_KEY" in str(error)
        assert "sk-wrong-key" not in str(error)

    @pytest.mark.parametrize(
        "script",
        [
            Refuse(400, {"error": {"message": f"x Bearer {KEY} y"}}),
            Refuse(500, f"<title>{KEY}</title>"),
            Refuse(500, "a" * 190 + KEY + "b" * 90),
            Refuse(302, headers={"location": f"https://elsewhere.example/?key={KEY}"}),
            Raw([f'data: {{"error": "{KEY}"}}\n\n'.encode()]),
            Raw([f"data: {{{KEY}\n\n".encode()]),
            Raw([f"no protocol {KEY}".encode()]),
            Break("reset", before_headers=True),
            Break("hang"),
        ],
    )
    @pytest.mark.parametrize("given_as", ["key", "header"])
    async def test_show_in_no_error_and_in_no_cause_of_one(
        self, server: FakeOpenAI, script: Scripted, given_as: str
    ) -> None:
        server.replies("m", script)
        options: dict[str, Any] = {"key": Secret(KEY)} if given_as == "key" else {"headers": {"x-api-key": KEY}}
        mine = endpoint(server, timeouts=HASTY, **options)
        assert KEY not in repr(mine)
        error: BaseException | None = await failure(mine)
        assert error is not None
        while error is not None:
            assert KEY[:12] not in f"{error} {error!r} {error.args}"
            error = error.__cause__ or error.__context__

    async def test_show_in_no_error_about_a_server_that_is_not_http(self) -> None:
        async with saying(b"220 mail.example.org ESMTP\r\n\r\n") as port:
            error: BaseException | None = await failure(Endpoint(f"http://127.0.0.1:{port}/v1", "m", key=Secret(KEY)))
        while error is not None:
            assert KEY not in f"{error} {error!r}"
            error = error.__cause__ or error.__context__

    async def test_show_in_no_log(self, server: FakeOpenAI, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        server.replies("m", "391", Refuse(500), Break("reset"))
        for _ in range(2):
            with suppress(BackendError):
                await everything(endpoint(server, key=Secret(KEY)))
        assert caplog.records
        assert KEY not in caplog.text

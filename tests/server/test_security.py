"""Keys, limits, what one client can learn of another, and requests that mean no good."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from moa.backends.base import Delta, Finish, Price
from moa.errors import UpstreamError, UsageError
from moa.messages import Usage
from moa.server.forms import ChatForm, EmbeddingsForm, FeedbackForm, ResponsesForm, RouteForm
from moa.server.house import Settings
from moa.server.keys import Allowance, KeyBook
from moa.server.logs import redacted
from moa.server.patience import PatientProtocol
from moa.server.reading import Bounds, checked, json_in
from moa.server.refusal import Refusal
from moa.server.schemas import contract_for
from moa.server.serving import LOOPBACK_NAMES, Address, insist_on_keys
from tests.fakes.backend import ScriptedModel, Step
from tests.server.running import Running, agent, mixture, read_on, running

SUM = "add the numbers 2 and 3"
BODY = {"model": "mix", "messages": [{"role": "user", "content": SUM}]}
CHAT = "/v1/chat/completions"


def book_with(folder: Path, **keys: Allowance) -> tuple[KeyBook, dict[str, str]]:
    book = KeyBook(folder / "keys.json")
    return book, {name: book.add(name, allowance, watches=name == "boss")[1] for name, allowance in keys.items()}


async def post(here: Running, content: bytes, path: str = CHAT, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        told = {"content-type": "application/json", **headers}
        return await client.post(here.url + path, content=content, headers=told)


class TestKeysAtRest:
    def test_only_a_hash_is_kept_and_only_the_owner_can_read_it(self, tmp_path: Path) -> None:
        book = KeyBook(tmp_path / "folder" / "keys.json")
        key, secret = book.add("laptop")
        assert secret not in book.path.read_text("utf-8")
        assert secret.split("-", 2)[2] not in book.path.read_text("utf-8")
        assert book.path.stat().st_mode & 0o077 == 0
        assert book.holder(secret) == key

    def test_a_wrong_or_revoked_key_opens_nothing(self, tmp_path: Path) -> None:
        book = KeyBook(tmp_path / "keys.json")
        _, secret = book.add("laptop")
        for wrong in ("", "moa-", secret[:-1], secret + "x", secret.upper(), "\udc80", "moa-00000000-" + "x" * 43):
            assert book.holder(wrong) is None
        book.revoke("laptop")
        assert book.holder(secret) is None

    def test_another_process_sees_what_changed(self, tmp_path: Path) -> None:
        mine, other = KeyBook(tmp_path / "keys.json"), KeyBook(tmp_path / "keys.json")
        _, secret = other.add("laptop")
        assert mine.refresh()
        assert mine.holder(secret) is not None
        assert not mine.refresh()

    def test_names_are_taken_once_and_come_free_again(self, tmp_path: Path) -> None:
        book = KeyBook(tmp_path / "keys.json")
        book.add("laptop")
        with pytest.raises(UsageError, match="already"):
            book.add("laptop")
        book.revoke("laptop")
        book.add("laptop")
        with pytest.raises(UsageError, match="no valid key"):
            book.revoke("phone")

    def test_a_file_that_is_broken_is_said_to_be(self, tmp_path: Path) -> None:
        from moa.server.keys import KeyFileError

        (tmp_path / "keys.json").write_text('{"keys": 3}')
        with pytest.raises(KeyFileError, match="not a file of keys"):
            KeyBook(tmp_path / "keys.json").listed()


class TestWhoMayAsk:
    async def test_without_a_key_or_with_a_wrong_one_nobody_is_let_in(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance())
        async with running(book=book) as here:
            with pytest.raises(openai.AuthenticationError):
                await here.client("moa-00000000-wrong").chat.completions.create(**BODY)  # type: ignore[call-overload]
            bare = await post(here, b"{}")
            async with httpx.AsyncClient() as client:
                models = await client.get(f"{here.url}/v1/models")
                health = await client.get(f"{here.url}/healthz")
            answer = await here.client(keys["mine"]).chat.completions.create(**BODY)  # type: ignore[call-overload]
        assert (bare.status_code, models.status_code, health.status_code) == (401, 401, 200)
        assert bare.headers["www-authenticate"] == "Bearer"
        assert answer.choices[0].message.content == "I am math."

    async def test_a_key_that_is_revoked_in_the_middle_of_a_stream_ends_it(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(), other=Allowance())
        model = ScriptedModel([Delta("word "), asyncio.Event()])
        async with running(mixture(agent("math", model)), book=book) as here:
            stream = await here.client(keys["mine"]).chat.completions.create(stream=True, **BODY)  # type: ignore[call-overload]
            kept = await here.client(keys["other"]).chat.completions.create(stream=True, **BODY)  # type: ignore[call-overload]
            seen: list[str] = []
            KeyBook(book.path).revoke("mine")
            with pytest.raises(openai.APIError, match="revoked"):
                await read_on(stream, seen)
            with pytest.raises(openai.AuthenticationError):
                await here.client(keys["mine"]).models.list()
            assert model.open_calls == 1  # the other's goes on
            await kept.close()
        assert "".join(seen) == "word "

    async def test_agents_that_a_key_may_not_ask_are_not_there_for_it(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(agents=("code",)))
        async with running(book=book) as here:
            client = here.client(keys["mine"])
            names = [model.id async for model in client.models.list()]
            answer = await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(**{**BODY, "model": "math"})  # type: ignore[call-overload]
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(**BODY, extra_body={"moa": {"pinned": ["math"]}})  # type: ignore[call-overload]
        assert "code" in names
        assert "math" not in names
        assert answer.choices[0].message.content == "I am code."

    def test_a_public_address_needs_keys(self) -> None:
        for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
            with pytest.raises(UsageError, match="moa keys add"):
                insist_on_keys(Address(host), keyed=False)
            insist_on_keys(Address(host), keyed=True)
        for host in ("127.0.0.1", "::1", "localhost"):
            insist_on_keys(Address(host), keyed=False)

    async def test_a_page_in_a_browser_cannot_use_a_server_without_keys(self) -> None:
        async with running(settings=Settings(hosts=LOOPBACK_NAMES)) as here:
            rebound = await post(here, json.dumps(BODY).encode(), host="evil.example")
            simple = await post(here, json.dumps(BODY).encode(), **{"content-type": "text/plain"})
            fine = await post(here, json.dumps(BODY).encode(), host="localhost:1234")
            async with httpx.AsyncClient() as client:
                asked = await client.options(here.url + CHAT, headers={"origin": "https://evil.example"})
        assert (rebound.status_code, simple.status_code, fine.status_code) == (403, 415, 200)
        assert "access-control-allow-origin" not in {**asked.headers, **fine.headers}

    async def test_pages_that_are_named_can(self) -> None:
        async with running(settings=Settings(cors_origins=("https://chat.example",))) as here:
            fine = await post(here, json.dumps(BODY).encode(), origin="https://chat.example")
            other = await post(here, json.dumps(BODY).encode(), origin="https://evil.example")
        assert fine.headers["access-control-allow-origin"] == "https://chat.example"
        assert "access-control-allow-origin" not in other.headers


class TestLimitsOfAKey:
    async def test_requests_a_minute(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(requests_per_minute=2))
        async with running(book=book) as here:
            client = here.client(keys["mine"])
            await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            with pytest.raises(openai.RateLimitError) as raised:
                await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
        assert raised.value.code == "rate_limit_exceeded"
        assert 1 <= int(raised.value.response.headers["retry-after"]) <= 30

    async def test_requests_at_once(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(concurrency=1))
        model = ScriptedModel([Delta("word "), asyncio.Event()])
        async with running(mixture(agent("math", model)), book=book) as here:
            client = here.client(keys["mine"])
            stream = await client.chat.completions.create(stream=True, **BODY)  # type: ignore[call-overload]
            with pytest.raises(openai.RateLimitError) as raised:
                await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            await stream.close()
        assert raised.value.code == "concurrency_limit"

    @pytest.mark.parametrize("allowance", [Allowance(usd_per_day=0.0001), Allowance(tokens_per_day=100)])
    async def test_what_it_may_spend_in_a_day(self, tmp_path: Path, allowance: Allowance) -> None:
        book, keys = book_with(tmp_path, mine=allowance, other=Allowance())
        script: list[Step] = [Delta("Yes."), Finish(Usage(200, 200), "stop", 1.0)]
        math = agent("math", ScriptedModel(script), price=Price(1.0, 1.0), max_tokens=20)
        async with running(mixture(math), book=book) as here:
            client = here.client(keys["mine"])
            await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            with pytest.raises(openai.RateLimitError) as raised:
                await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
            await here.client(keys["other"]).chat.completions.create(**BODY)  # type: ignore[call-overload]
        assert raised.value.code == "insufficient_quota"
        assert raised.value.response.headers["x-should-retry"] == "false"


class TestOneClientAndAnother:
    async def test_neither_sees_the_other_s_runs(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(), other=Allowance(), boss=Allowance())
        async with running(book=book) as here, httpx.AsyncClient() as client:
            raw = await here.client(keys["mine"]).chat.completions.with_raw_response.create(**BODY)  # type: ignore[call-overload]
            path = f"{here.url}/v1/moa/runs/{raw.headers['x-moa-request-id']}"
            seen = {
                name: await client.get(path, headers={"authorization": f"Bearer {key}"}) for name, key in keys.items()
            }
            judged = await client.post(
                f"{here.url}/v1/moa/feedback",
                json={"run": raw.headers["x-moa-request-id"], "verdict": "bad"},
                headers={"authorization": f"Bearer {keys['other']}"},
            )
            figures = {
                name: (await client.get(f"{here.url}/metrics", headers={"authorization": f"Bearer {key}"})).status_code
                for name, key in keys.items()
            }
        assert {name: answer.status_code for name, answer in seen.items()} == {"mine": 200, "other": 404, "boss": 200}
        assert judged.status_code in {403, 404}
        assert figures == {"mine": 403, "other": 403, "boss": 200}
        assert SUM not in seen["other"].text

    async def test_the_feed_shows_each_only_its_own(self, tmp_path: Path) -> None:
        from tests.server.test_feed import items_in

        book, keys = book_with(tmp_path, mine=Allowance(), other=Allowance())
        async with running(book=book) as here, httpx.AsyncClient(timeout=20) as client:
            headers = {"authorization": f"Bearer {keys['mine']}"}
            async with client.stream("GET", f"{here.url}/v1/moa/events", headers=headers) as response:
                items = items_in(response)
                first = await anext(items)
                other = await here.client(keys["other"]).chat.completions.with_raw_response.create(**BODY)  # type: ignore[call-overload]
                mine = await here.client(keys["mine"]).chat.completions.with_raw_response.create(**BODY)  # type: ignore[call-overload]
                runs = set()
                async for item in items:
                    runs |= {item.data["run"]} if item.id else set()
                    if item.type == "run_finished":
                        break
        assert "backends" not in first.data
        assert runs == {mine.headers["x-moa-request-id"]}
        assert other.headers["x-moa-request-id"] not in runs

    @pytest.mark.parametrize("stream", [False, True])
    async def test_what_an_upstream_said_is_told_to_the_operator_alone(self, tmp_path: Path, *, stream: bool) -> None:
        book, keys = book_with(tmp_path, mine=Allowance(), boss=Allowance())
        said = "http://10.0.0.7/v1#model: quota of customer Jones"
        script: list[Step] = [UpstreamError(said, status=400)]
        async with running(mixture(agent("math", ScriptedModel(script))), book=book) as here:
            told = {}
            for name, key in keys.items():
                with pytest.raises(openai.APIError) as raised:
                    await here.client(key).chat.completions.create(stream=stream, **BODY)  # type: ignore[call-overload]
                told[name] = str(raised.value)
        assert "10.0.0.7" not in told["mine"]
        assert "Jones" not in told["mine"]
        assert "10.0.0.7" in told["boss"]

    async def test_the_moa_object_says_nothing_of_addresses(self, tmp_path: Path) -> None:
        book, keys = book_with(tmp_path, mine=Allowance())
        model = ScriptedModel("Yes.", "http://10.0.0.7/v1#secret-model")
        async with running(mixture(agent("math", model), agent("code")), book=book) as here:
            client = here.client(keys["mine"])
            include = {"moa": {"include": True}}
            answer = await client.chat.completions.create(**BODY, extra_body=include)  # type: ignore[call-overload]
            events = {"moa": {"events": True, "include": True}}
            stream = await client.chat.completions.create(stream=True, **BODY, extra_body=events)  # type: ignore[call-overload]
            chunks = [chunk.to_json() async for chunk in stream]
        assert "10.0.0.7" not in answer.to_json()
        assert "10.0.0.7" not in "".join(chunks)


class TestLogs:
    def test_what_looks_like_a_key_is_not_written(self) -> None:
        for secret in (
            "moa-0a1b2c3d-abcdefghijklmnopqrstuvwxyz",
            "sk-proj-abcdefghijklmnop1234",
            "Bearer abcdef123456",
            "api_key=abcdef123456",
            "https://user:password@host/",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        ):
            assert secret.rpartition(" ")[2].rpartition("=")[2][4:16] not in redacted(f"It said {secret} and more")

    async def test_neither_question_nor_answer_nor_key_is_in_them(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        book, keys = book_with(tmp_path, mine=Allowance())
        logger = logging.getLogger("moa.server")
        logger.propagate = True
        with caplog.at_level(logging.INFO, "moa.server"):
            async with running(book=book) as here:
                await here.client(keys["mine"]).chat.completions.create(**BODY)  # type: ignore[call-overload]
                await post(here, b"not json at all", authorization=f"Bearer {keys['mine']}")
                await post(here, b"{}", authorization="Bearer moa-00000000-wrongwrongwrong")
        written = "\n".join(f"{record.getMessage()} {getattr(record, 'moa', '')}" for record in caplog.records)
        assert "math" in written
        for private in (SUM, "I am math", keys["mine"], "not json at all", "wrongwrongwrong"):
            assert private not in written


GOOD = json.dumps(BODY).encode()
BAD: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"hello", 400, "invalid_json"),
    "nothing": (b"", 400, "invalid_json"),
    "a list": (b"[]", 400, "invalid_value"),
    "not UTF-8": (b'{"model": "\xff"}', 400, "invalid_utf8"),
    "a number that is none": (b'{"model": NaN}', 400, "invalid_json"),
    "an endless number": (b'{"seed": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
    "nested too deeply": (b"[" * 100_000, 400, "json_too_deep"),
    "nested rather deeply": (b'{"a":' * 100 + b"1" + b"}" * 100, 400, "json_too_deep"),
    "no messages": (b'{"model": "mix"}', 400, "missing_required_parameter"),
    "empty messages": (b'{"model": "mix", "messages": []}', 400, "invalid_value"),
    "a wrong type": (b'{"model": 3, "messages": []}', 400, "invalid_value"),
    "a text for a number": (GOOD[:-1] + b', "n": "3"}', 400, "invalid_value"),
    "a number for a truth": (GOOD[:-1] + b', "stream": 1}', 400, "invalid_value"),
    "an unknown field": (GOOD[:-1] + b', "colour": 1}', 400, "unknown_parameter"),
    "an unknown option": (GOOD[:-1] + b', "moa": {"colour": 1}}', 400, "unknown_parameter"),
    "a negative limit": (GOOD[:-1] + b', "max_tokens": -1}', 400, "invalid_value"),
    "a negative budget": (GOOD[:-1] + b', "moa": {"budget": {"usd": -1}}}', 400, "invalid_value"),
    "too hot": (GOOD[:-1] + b', "temperature": 3}', 400, "invalid_value"),
    "too many answers": (GOOD[:-1] + b', "n": 9}', 400, "invalid_value"),
    "an empty stop": (GOOD[:-1] + b', "stop": ""}', 400, "refused"),
    "logprobs": (GOOD[:-1] + b', "logprobs": true}', 400, "unsupported"),
    "an unknown role": (b'{"model": "mix", "messages": [{"role": "king", "content": "x"}]}', 400, "invalid_value"),
    "a blank question": (b'{"model": "mix", "messages": [{"role": "user", "content": " "}]}', 400, "invalid_value"),
    "no question": (b'{"model": "mix", "messages": [{"role": "assistant", "content": "x"}]}', 400, "invalid_value"),
    "a picture": (
        b'{"model": "mix", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}',
        400,
        "unsupported",
    ),
    "an unknown mixture": (GOOD[:-1] + b', "moa": {"mixture": "other"}}', 400, "invalid_value"),
    "an unknown agent": (GOOD[:-1] + b', "moa": {"pinned": ["king"]}}', 400, "invalid_value"),
    "an unknown aggregator": (GOOD[:-1] + b', "moa": {"aggregator": "http://127.0.0.1/"}}', 400, "invalid_value"),
    "no schema": (GOOD[:-1] + b', "response_format": {"type": "json_schema"}}', 400, "missing_required_parameter"),
    "a schema that is none": (
        GOOD[:-1]
        + b', "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": 3}}}}',
        400,
        "invalid_value",
    ),
    "an unknown model": (GOOD.replace(b'"mix"', b'"gpt-4o"'), 404, "model_not_found"),
}


class TestBadRequests:
    @pytest.mark.parametrize("name", BAD)
    async def test_each_is_refused_in_good_form(self, name: str) -> None:
        body, status, code = BAD[name]
        async with running() as here:
            answer = await post(here, body)
            fine = await post(here, GOOD)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code if code != "refused" else "invalid_value")
        assert set(error) == {"message", "type", "param", "code"}
        assert fine.status_code == 200

    async def test_a_body_that_is_too_long_is_not_read(self) -> None:
        async with running(settings=Settings(bounds=Bounds(bytes=1000))) as here:
            announced = await post(here, b" " * 100_000_000)
            async with httpx.AsyncClient() as client:

                async def pieces() -> Any:
                    for _ in range(20):
                        yield b" " * 100

                told = {"content-type": "application/json"}
                chunked = await client.post(here.url + CHAT, content=pieces(), headers=told)
        assert (announced.status_code, chunked.status_code) == (413, 413)

    async def test_a_body_that_comes_too_slowly_is_given_up(self) -> None:
        async with running(settings=Settings(bounds=Bounds(seconds=0.05))) as here:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
            kind = "host: localhost\r\ncontent-type: application/json"
            writer.write(f"POST {CHAT} HTTP/1.1\r\n{kind}\r\ncontent-length: 50\r\n\r\n{{".encode())
            answer = await reader.read()
            writer.close()
        assert answer.startswith(b"HTTP/1.1 408")

    async def test_a_head_that_comes_too_slowly_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(PatientProtocol, "head_seconds", 0.05)
        async with running() as here:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
            writer.write(b"POST /v1/chat/comp")
            assert await reader.read() == b""
            writer.close()
            fine = await post(here, GOOD)
        assert fine.status_code == 200

    async def test_names_cannot_smuggle_anything_into_headers(self) -> None:
        made = mixture(agent("math"), name="mi\u2028x ü")
        async with running(made) as here:
            answer = await post(here, GOOD.replace(b'"mix"', json.dumps("mi\u2028x ü").encode()))
            evil = await post(here, GOOD.replace(b'"mix"', b'"a\\r\\nset-cookie: x"'))
        assert answer.headers["x-moa-mixture"] == "mi?x ?"
        assert "set-cookie" not in evil.headers
        assert evil.status_code == 404

    async def test_methods_and_paths_that_are_not_there(self) -> None:
        async with running() as here, httpx.AsyncClient() as client:
            missing = await client.get(f"{here.url}/v1/nothing")
            wrong = await client.get(here.url + CHAT)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
        assert wrong.headers["allow"] == "POST"

    async def test_bytes_that_are_no_http_do_no_harm(self) -> None:
        async with running() as here:
            port = int(here.url.rpartition(":")[2])
            for junk in (b"\x16\x03\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000, b"GET " + b"a" * 200_000):
                with socket.create_connection(("127.0.0.1", port)) as line:
                    line.sendall(junk)
            fine = await post(here, GOOD)
        assert fine.status_code == 200


def bomb(levels: int) -> dict[str, Any]:
    """A schema of a few lines that asks for 2 to the power of its levels checks."""
    defs: dict[str, Any] = {f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)}
    return {"$defs": {**defs, f"d{levels}": {}}, "$ref": "#/$defs/d0"}


class TestSchemasOfStrangers:
    async def test_none_keeps_the_server_busy(self) -> None:
        async with running(mixture(agent("math", '{"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}'))) as here:
            for schema in (
                bomb(60),
                {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
                {"type": "object", "patternProperties": {"^(a|a)+$": {}}, "additionalProperties": False},
            ):
                form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
                answer = await post(here, json.dumps({**BODY, "response_format": form}).encode())
                assert answer.status_code == 200

    def test_the_models_are_told_of_what_is_not_checked(self) -> None:
        schema = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "^a$"}}}
        contract = contract_for(schema)
        assert contract.json_schema() == schema
        assert contract.schema == {"type": "object", "properties": {"pattern": {"type": "string"}}}
        assert "^a$" in contract.instructions()
        assert contract.problems('{"pattern": "b"}') == ()
        assert contract.problems('{"pattern": 3}') != ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def refusal_by(work: Callable[[], object]) -> Refusal | None:
    """What the work is refused with; None if it is done. Anything else that it raises is a failure of the test."""
    try:
        work()
    except Refusal as error:
        return error
    return None


class TestAnyBody:
    @given(st.binary(max_size=200))
    def test_bytes_are_json_or_refused(self, body: bytes) -> None:
        refusal = refusal_by(lambda: json_in(body, Bounds()))
        assert refusal is None or refusal.status == 400

    @given(JSON, st.sampled_from([ChatForm, EmbeddingsForm, FeedbackForm, ResponsesForm, RouteForm]))
    def test_any_json_is_a_request_or_refused(self, value: Any, form: type[BaseModel]) -> None:
        refusal = refusal_by(lambda: checked(value, form))
        assert refusal is None or (refusal.status == 400 and len(str(refusal)) < 600)

    @given(st.dictionaries(st.sampled_from(["n", "stop", "tools", "seed", "moa", "stream", "response_format"]), JSON))
    def test_nor_does_any_value_of_a_known_field_do_harm(self, fields: dict[str, Any]) -> None:
        refusal = refusal_by(lambda: checked({**BODY, **fields}, ChatForm))
        assert refusal is None or refusal.status == 400

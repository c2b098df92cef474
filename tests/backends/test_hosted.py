from __future__ import annotations

import asyncio
import json
import re
import sys
import traceback
from asyncio.subprocess import PIPE
from contextlib import aclosing
from pathlib import Path

import pytest

from moa.backends.base import Backend, Delta, Finish, Price, Request
from moa.backends.hosted import Hosted
from moa.backends.providers import KEY_VARIABLES
from moa.backends.references import backend_for
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
from tests.backends.calling import asking, everything, failure, opened, spoken
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Say, Scripted

KEY = "sk-a-key-that-must-never-show"


@pytest.fixture(autouse=True)
def _only_this_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in KEY_VARIABLES.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def hosted(server: FakeOpenAI, model: str = "m", **options: object) -> Hosted:
    return Hosted(f"openai/{model}", api_base=server.base_url, **options)  # type: ignore[arg-type]


class TestReference:
    def test_is_provider_and_name(self) -> None:
        named = backend_for("openrouter/meta/llama-3")
        assert isinstance(named, Hosted)
        assert isinstance(named, Backend)
        assert (named.provider, named.reference) == ("openrouter", "openrouter/meta/llama-3")

    @pytest.mark.parametrize("bad", ["gpt-4o", "openai/", "/gpt-4o", "openai/ "])
    def test_needs_both(self, bad: str) -> None:
        with pytest.raises(ModelReferenceError, match="openai/gpt-4o-mini"):
            Hosted(bad)

    @pytest.mark.parametrize(
        ("reference", "hint"), [("nobody/knows", "Providers are openai, "), ("opnai/gpt-4o", r"Did you mean openai\?")]
    )
    async def test_of_an_unknown_provider_says_what_to_write(self, reference: str, hint: str) -> None:
        with pytest.raises(ModelReferenceError, match=rf"no provider is called .*{hint}.*http://host:port/v1#name"):
            await everything(Hosted(reference))


class TestAnswers:
    async def test_stream_as_they_arrive_and_end_with_a_finish(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("three hundred", reasoning="hm", usage=(12, 3)))
        chunks = [chunk for chunk in await everything(hosted(server)) if isinstance(chunk, Delta | Finish)]
        assert chunks == [
            Delta("hm", reasoning=True),
            Delta("three "),
            Delta("hundred"),
            Finish(Usage(12, 3), "stop", None),
        ]

    async def test_carry_the_key_and_the_request(self, server: FakeOpenAI) -> None:
        server.replies("m", "391")
        request = Request(
            (Message("system", "Be brief."), Message("user", "17 * 23?")),
            asking(temperature=0.5, max_tokens=9).sampling,
        )
        await everything(hosted(server), request)
        [received] = server.requests
        assert received.headers["authorization"] == f"Bearer {KEY}"
        assert received.body["model"] == "m"
        assert received.body["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "17 * 23?"},
        ]
        assert (received.body["temperature"], received.body["max_tokens"]) == (0.5, 9)
        assert received.body["stream_options"] == {"include_usage": True}

    async def test_usage_that_nobody_reported_is_unknown(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("end", ["391"], finish_reason="stop"))
        _, finish = await spoken(hosted(server))
        assert finish == Finish(Usage(None, None), "stop", None)

    async def test_make_exactly_one_request(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(500), "391")
        await failure(hosted(server))
        assert len(server.requests) == 1


class TestCost:
    async def test_comes_from_the_price_list(self, server: FakeOpenAI) -> None:
        server.replies("gpt-4o-mini", Say("391", usage=(1_000_000, 1_000_000)))
        _, finish = await spoken(hosted(server, "gpt-4o-mini"))
        assert finish.cost_usd == pytest.approx(0.15 + 0.60)
        assert hosted(server, "gpt-4o-mini").priced

    async def test_is_unknown_and_not_zero_for_a_model_that_is_not_listed(self, server: FakeOpenAI) -> None:
        server.replies("m", "391")
        assert (await spoken(hosted(server)))[1].cost_usd is None
        assert not hosted(server).priced

    async def test_follows_a_price_that_was_given(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("391", usage=(1_000_000, 500_000)))
        mine = hosted(server, price=Price(2, 4))
        assert (await spoken(mine))[1].cost_usd == 4
        assert mine.priced

    def test_of_models_on_ones_own_machine_is_nothing(self) -> None:
        assert Hosted("ollama_chat/anything-at-all").priced
        assert not Hosted("ollama_chat/anything:120b-cloud").priced

    @pytest.mark.parametrize(
        "reference",
        ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "mistral/mistral-large-latest", "deepseek/deepseek-chat"],
    )
    def test_is_known_for_what_litellm_lists(self, reference: str) -> None:
        assert Hosted(reference).priced

    def test_of_one_provider_is_not_that_of_another(self) -> None:
        assert not Hosted("groq/gpt-4o").priced


class TestFailures:
    @pytest.mark.parametrize(
        ("script", "kind", "message"),
        [
            (Refuse(429, retry_after="7"), RateLimited, "429"),
            (Refuse(500), UpstreamError, "failed .*scripted failure"),
            (Refuse(502, "<html><title>Bad gateway</title></html>"), UpstreamError, "an HTML page, “Bad gateway”"),
            (Refuse(503), UpstreamError, "503"),
            (Refuse(400), UpstreamError, "400: scripted failure"),
            (Refuse(401), UpstreamError, "refused the key in OPENAI_API_KEY"),
            (Refuse(403), UpstreamError, "refused the key in OPENAI_API_KEY"),
            (Refuse(404), UpstreamError, "Check the model's name"),
            (Refuse(422), BackendError, "refused"),
            (Refuse(400, {"error": {"message": "No.", "code": "context_length_exceeded"}}), ContextTooLong, "larger"),
            (Refuse(400, {"error": {"message": "maximum context length is 9 tokens"}}), ContextTooLong, "larger"),
            (Break("reset", before_headers=True), ConnectionFailed, "before it answered"),
            (Break("reset", ["one "]), ConnectionFailed, "in the middle of its answer"),
            (Break("end"), ProtocolError, "without a word"),
            (Break("end", ["one "]), ProtocolError, "in the middle of its answer"),
            (Raw([]), ProtocolError, "without a word"),
            (Raw([b"<html>hello</html>"], "text/html"), ProtocolError, "without a word"),
            (Raw([b"data: {broken\n\n"]), ProtocolError, "broken JSON"),
            (Raw([b'data: {"error": {"message": "out of memory", "code": 500}}\n\n']), UpstreamError, "out of memory"),
        ],
    )  # fmt: skip
    async def test_are_told_in_our_words(
        self, server: FakeOpenAI, script: Scripted, kind: type[BackendError], message: str
    ) -> None:
        server.replies("m", script)
        error = await failure(hosted(server))
        assert type(error) is kind
        assert re.search(message, str(error)), str(error)
        assert "openai/m" in str(error)
        assert "litellm." not in str(error)

    async def test_are_told_the_same_to_a_caller_that_is_handling_the_end_of_something_else(
        self, server: FakeOpenAI
    ) -> None:
        server.replies("m", Raw([b'data: {"error": {"message": "out of memory", "code": 500}}\n\n']))
        try:
            raise StopAsyncIteration  # noqa: TRY301
        except StopAsyncIteration:  # it becomes the context of whatever is raised meanwhile
            error = await failure(hosted(server))
        assert type(error) is UpstreamError

    async def test_of_a_rate_limit_say_when_to_come_back(self, server: FakeOpenAI) -> None:
        server.replies("m", Refuse(429, retry_after="7"))
        error = await failure(hosted(server))
        assert isinstance(error, RateLimited)
        assert error.retry_after_seconds == 7

    async def test_of_nobody_listening(self, server: FakeOpenAI) -> None:
        await server.stop()
        error = await failure(hosted(server))
        assert isinstance(error, ConnectionFailed)
        assert "nobody listens" in str(error)

    @pytest.mark.parametrize("before_headers", [True, False])
    async def test_of_a_first_token_that_does_not_come(self, server: FakeOpenAI, before_headers: bool) -> None:  # noqa: FBT001
        server.replies("warm", "up")
        await everything(hosted(server, "warm"))
        server.replies("m", Break("hang", before_headers=before_headers))
        error = await failure(hosted(server, timeouts=Timeouts(first_token=0.1)))
        assert isinstance(error, CallTimeout)
        assert not error.retryable
        assert "no token within 0.1 s" in str(error)

    async def test_of_tokens_that_stop(self, server: FakeOpenAI) -> None:
        server.replies("m", Break("hang", ["one "]))
        error = await failure(hosted(server, timeouts=Timeouts(between_tokens=0.05)))
        assert isinstance(error, CallTimeout)
        assert "no token for 0.05 s" in str(error)
        await server.until(lambda: server.open_connections == 0)

    async def test_leaving_early_closes_the_connection(self, server: FakeOpenAI) -> None:
        server.replies("m", Say("one two", gate=asyncio.Semaphore(1)))
        async with aclosing(opened(hosted(server))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Delta):
                    break
        await server.until(lambda: server.open_connections == 0)

    @pytest.mark.parametrize("before_headers", [True, False])
    async def test_being_cancelled_closes_the_connection(self, server: FakeOpenAI, before_headers: bool) -> None:  # noqa: FBT001
        server.replies("m", Break("hang", before_headers=before_headers))
        call = asyncio.create_task(everything(hosted(server)))
        await server.until(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.until(lambda: server.open_connections == 0)


class TestKeys:
    @pytest.mark.parametrize("value", [None, "", "  "])
    async def test_are_missed_before_anything_is_sent_or_imported(
        self, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, value: str | None
    ) -> None:
        monkeypatch.delenv("OPENAI_API_KEY") if value is None else monkeypatch.setenv("OPENAI_API_KEY", value)
        mine = hosted(server)
        error = await failure(mine)
        assert isinstance(error, MissingKeyError)
        assert "openai/m needs a key in OPENAI_API_KEY, which is not set: export OPENAI_API_KEY=" in str(error)
        assert server.connections == 0
        assert (mine.readiness().ready, mine.readiness().text) == (False, "no key in OPENAI_API_KEY")
        assert "export OPENAI_API_KEY=" in mine.readiness().remedy

    async def test_come_from_the_file_that_the_environment_names(
        self, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text("sk-from-a-file\n")
        monkeypatch.delenv("OPENAI_API_KEY")
        monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))
        server.replies("m", "391")
        await everything(hosted(server))
        assert server.requests[0].headers["authorization"] == "Bearer sk-from-a-file"

    async def test_may_be_in_another_variable(self, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_KEY", "sk-mine")
        server.replies("m", "391")
        mine = hosted(server, api_key_env="MY_KEY")
        await everything(mine)
        assert server.requests[0].headers["authorization"] == "Bearer sk-mine"
        assert mine.readiness().text == "key in MY_KEY; not contacted"

    @pytest.mark.parametrize(("provider", "variables"), KEY_VARIABLES.items())
    def test_of_the_known_providers_are_found_in_each_of_their_variables(
        self, provider: str, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        assert Hosted(f"{provider}/m").readiness().text == f"no key in {variables[0]}"
        for variable in variables:
            with monkeypatch.context() as patch:
                patch.setenv(variable, KEY)
                assert Hosted(f"{provider}/m").readiness().text == f"key in {variable}; not contacted"

    async def test_of_other_providers_are_missed_by_litellm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NOVITA_API_KEY", raising=False)
        assert Hosted("novita/m").readiness().ready
        error = await failure(Hosted("novita/m", api_base="http://127.0.0.1:9/v1"))
        assert isinstance(error, MissingKeyError)
        assert "NOVITA_API_KEY" in str(error)

    def test_are_not_needed_on_ones_own_machine(self) -> None:
        assert Hosted("ollama_chat/m").readiness().text == "needs no key; not contacted"

    @pytest.mark.parametrize(
        "script",
        [
            Refuse(401, {"error": {"message": f"Incorrect API key: {KEY}"}}),
            Refuse(400, {"error": {"message": f"Incorrect API key: {KEY}"}}),
            Refuse(500, f"<title>{KEY}</title>"),
            Raw([f"data: {{{KEY}\n\n".encode()]),
            Raw([f'data: {{"error": {{"message": "{KEY}"}}}}\n\n'.encode()]),
        ],
    )
    async def test_show_in_no_error(self, server: FakeOpenAI, script: Scripted) -> None:
        server.replies("m", script)
        mine = hosted(server)
        error = await failure(mine)
        assert KEY not in f"{error} {error!r} {error.args} {mine!r}"
        assert KEY not in "".join(traceback.format_exception(error))

    async def test_show_in_no_log_and_in_no_output(
        self, server: FakeOpenAI, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level("DEBUG")
        server.replies("m", "391", Refuse(500), Break("reset"))
        await everything(hosted(server))
        await failure(hosted(server))
        await failure(hosted(server))
        assert KEY not in caplog.text
        assert capfd.readouterr() == ("", "")


PROGRAM = """
import asyncio, socket, sys, json
connected = []
original = socket.socket.connect
def connect(self, address):
    connected.append(address[0]); return original(self, address)
socket.socket.connect = connect
resolve = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    connected.append(str(host)); return resolve(host, *rest, **more)
socket.getaddrinfo = getaddrinfo

from moa.backends.hosted import Hosted
from tests.backends.calling import asking, endpoint, everything, failure, opened, spoken

backend = Hosted("openai/gpt-4o-mini", api_base=sys.argv[1])
facts = {"priced": backend.priced, "ready": backend.readiness().ready, "early": "litellm" in sys.modules}

async def main():
    chunks = [type(chunk).__name__ for chunk in await everything(backend)]
    unfinished = opened(backend)
    await anext(unfinished)
    return chunks

facts["first"] = asyncio.run(main())
facts["second"] = asyncio.run(main())
facts["connected"] = sorted(set(connected) - {"127.0.0.1"})
print(json.dumps(facts))
"""


@pytest.fixture
async def program(server: FakeOpenAI) -> tuple[dict[str, object], str]:
    server.replies("gpt-4o-mini", "391")
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, server.base_url]
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    said, complained = await running.communicate()
    assert running.returncode == 0, complained.decode()
    await server.until(lambda: server.open_connections == 0)
    return json.loads(said.decode().splitlines()[-1]), complained.decode()


async def test_a_fresh_program_loads_litellm_late_quietly_and_without_the_network(
    program: tuple[dict[str, object], str],
) -> None:
    facts, complained = program
    assert facts == {
        "priced": True,
        "ready": True,
        "early": False,
        "first": ["Notice", "Delta", "Finish"],
        "second": ["Delta", "Finish"],
        "connected": [],
    }
    assert [line for line in complained.splitlines() if not line.startswith("Executing <Task")] == []

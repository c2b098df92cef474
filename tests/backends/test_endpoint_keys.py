from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from moa.backends.base import Readiness
from moa.backends.endpoint import Endpoint
from moa.backends.keys import Secret
from moa.backends.timeouts import Timeouts
from moa.errors import BackendError, MissingKeyError, UpstreamError
from tests.backends.calling import endpoint, everything, failure, spoken
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Scripted, saying

KEY = "sk-a-key-that-must-never-show"
HASTY = Timeouts(connect=5, first_token=0.05, between_tokens=0.05)


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

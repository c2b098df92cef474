from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path

import pytest

from moa.backends.endpoint import Endpoint
from moa.backends.http import _certificates, _pools, client_for, close_clients
from moa.errors import ConnectionFailed, UpstreamError
from tests.backends.calling import spoken
from tests.fakes.openai_server import FakeOpenAI, Refuse, Say

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_an_origin_has_one_client() -> None:
    first = await client_for("http://127.0.0.1:8000/v1")
    assert await client_for("http://127.0.0.1:8000/v2#x") is first
    assert await client_for("http://127.0.0.1:8001/v1") is not first


def test_a_loop_has_its_own_clients() -> None:
    async def client() -> object:
        return await client_for("http://127.0.0.1:8000/v1")

    assert asyncio.run(client()) is not asyncio.run(client())


def test_a_loop_that_was_closed_by_hand_is_forgotten() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client_for("http://127.0.0.1:8000/v1"))
    loop.close()
    assert loop in _pools
    asyncio.run(_opening())
    assert loop not in _pools


async def _opening() -> None:
    await client_for("http://127.0.0.1:8000/v1")


async def test_closing_closes_what_was_kept_alive_and_the_next_call_opens_anew(server: FakeOpenAI) -> None:
    server.replies("m", "391")
    await spoken(Endpoint(server.base_url, "m"))
    assert server.open_connections == 1
    await close_clients()
    await server.until(lambda: server.open_connections == 0)
    assert (await spoken(Endpoint(server.base_url, "m")))[0] == "391"


async def test_closing_with_nothing_open_is_fine() -> None:
    await close_clients()
    await close_clients()


async def test_a_cookie_set_for_one_call_does_not_travel_with_the_next(server: FakeOpenAI) -> None:
    server.replies("m", Refuse(400, headers={"set-cookie": "whose=mine"}), "391")
    with suppress(UpstreamError):
        await spoken(Endpoint(server.base_url, "m"))
    await spoken(Endpoint(server.base_url, "m"))
    assert [received.headers.get("cookie") for received in server.requests] == [None, None]


async def test_a_request_carries_its_length_and_the_name_of_the_server(server: FakeOpenAI) -> None:
    server.replies("m", "391")
    await spoken(Endpoint(server.base_url, "m"))
    headers = server.requests[0].headers
    assert headers["host"] == server.base_url.removeprefix("http://").removesuffix("/v1")
    assert int(headers["content-length"]) > 0
    assert "transfer-encoding" not in headers


async def test_a_client_can_be_asked_for_whole_responses_too(server: FakeOpenAI) -> None:
    server.replies("m", "391")
    client, url = await client_for(server.base_url), f"{server.base_url}/chat/completions"
    whole = await client.post(url, json={"model": "m"}, headers={"x-more": "1"})
    assert whole.json()["choices"][0]["message"]["content"] == "391"
    assert server.requests[0].headers["x-more"] == "1"


FORGETFUL = """
import asyncio, sys
from moa.backends.endpoint import Endpoint
from tests.backends.calling import opened, spoken

async def main():
    unfinished = opened(Endpoint(sys.argv[1], "slow"))
    await anext(unfinished)
    print(await spoken(Endpoint(sys.argv[1], "quick")))

for _ in range(2):
    asyncio.run(main())

from moa.backends.http import _pools
print("pools left:", len(_pools))
"""


async def test_a_program_that_closes_nothing_ends_without_a_warning(server: FakeOpenAI) -> None:
    server.replies("slow", *(Say("one two", gate=asyncio.Semaphore(1)) for _ in range(2)))
    server.replies("quick", "391")
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", FORGETFUL, server.base_url]
    program = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    said, complained = await program.communicate()
    assert program.returncode == 0, complained.decode()
    assert said.decode().splitlines()[-1] == "pools left: 0"
    assert "nclosed" not in complained.decode()
    assert "Error" not in complained.decode()
    await server.until(lambda: server.open_connections == 0)
    assert server.connections == 4


async def test_a_proxy_is_taken_from_the_environment(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    server.replies("m", "through the proxy")
    assert (await spoken(Endpoint("http://models.example:8000/v1", "m")))[0] == "through the proxy"
    assert server.requests[0].headers["host"] == "models.example:8000"


async def test_this_machine_needs_no_proxy(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.replies("m", "straight")
    assert (await spoken(Endpoint(server.base_url, "m")))[0] == "straight"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine that nobody has signed, with its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate")
    path = tmp_path / "certificate.pem"
    options = [
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    command = [openssl, "req", *options, "-keyout", str(path.with_name("key.pem")), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


async def test_a_certificate_of_ones_own_is_trusted_once_the_environment_names_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate, certificate.with_name("key.pem"))
    async with FakeOpenAI(tls=identity) as server:
        server.replies("m", "391")
        _certificates.cache_clear()
        with pytest.raises(ConnectionFailed, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
            await spoken(Endpoint(server.base_url, "m"))
        await close_clients()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        _certificates.cache_clear()
        assert (await spoken(Endpoint(server.base_url, "m")))[0] == "391"
        await close_clients()
    _certificates.cache_clear()

"""Clients other than the official one: litellm, and moa itself."""

from __future__ import annotations

import json
import subprocess
import sys

from moa.agent import Agent
from moa.backends.endpoint import Endpoint
from moa.backends.http import close_clients
from moa.mixture import Mixture
from tests.server.running import agent, mixture, running, running_beside

SUM = "add the numbers 2 and 3"
LITELLM = """
import json, sys, litellm

messages = [{"role": "user", "content": "add the numbers 2 and 3"}]
server = {"api_base": sys.argv[1] + "/v1", "api_key": "none", "num_retries": 0}
answer = litellm.completion("openai/mix", messages, **server)
pieces = litellm.completion("openai/mix", messages, stream=True, **server)
told = {"answer": answer.choices[0].message.content, "tokens": answer.usage.completion_tokens}
told["streamed"] = "".join(piece.choices[0].delta.content or "" for piece in pieces)
told["vectors"] = len(litellm.embedding("openai/words", input=["a"], **server).data)
try:
    litellm.completion("openai/nothing", messages, **server)
except litellm.NotFoundError:
    told["refused"] = True
print(json.dumps(told))
"""
"""Runs in a process of its own: litellm leaves connections open, which the tests here would not let pass."""


def test_litellm_takes_it_for_a_server_of_openai() -> None:
    with running_beside() as here:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", LITELLM, here.url], capture_output=True, text=True, check=True
        )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"answer": "I am math.", "tokens": 3, "streamed": "I am math.", "vectors": 1, "refused": True}


async def test_a_mixture_can_be_an_agent_of_another() -> None:
    async with running(mixture(agent("math", "It is 5."))) as here:
        outer = Mixture([Agent("inner", model=Endpoint(f"{here.url}/v1", "mix"))])
        answer = await outer.ask(SUM)
        await close_clients()
    assert answer.text == "It is 5."
    assert answer.tokens.total == 10

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from moa.agent import Agent
from moa.errors import AgentError, ModelReferenceError
from moa.messages import Conversation, Message
from tests.fakes.backend import ScriptedModel


def test_the_request_holds_the_instructions_then_the_conversation() -> None:
    agent = Agent("math", model=ScriptedModel(), instructions="Show your work.", temperature=0.1, max_tokens=50, seed=7)
    request = agent.request(Conversation.of("2 + 2?"))
    assert request.messages == (Message("system", "Show your work."), Message("user", "2 + 2?"))
    assert (request.sampling.temperature, request.sampling.max_tokens, request.sampling.seed) == (0.1, 50, 7)


def test_another_model_can_run_the_same_specialist() -> None:
    math = Agent("math", model=ScriptedModel(reference="a"), about="numbers", examples=["1 + 1?"])
    other = math.using(ScriptedModel(reference="b"))
    assert (other.name, other.about, other.examples) == ("math", "numbers", ("1 + 1?",))
    assert other.backend.reference == "b"


def test_blank_examples_do_not_count() -> None:
    assert Agent("a", model=ScriptedModel(), examples=["", " ", "x"]).examples == ("x",)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "cannot be an agent's name"),
        ({"name": "a b"}, "cannot be an agent's name"),
        ({"examples": "one string"}, "must be a list of strings"),
        ({"temperature": 3}, "must be 0 … 2"),
        ({"max_tokens": 0}, "must be more than 0"),
        ({"timeout": -1}, "must be more than 0"),
        ({"model": 7}, "must be a reference or a Backend"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_defined(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        Agent(**{"name": "a", "model": ScriptedModel(), **fields})


@pytest.mark.parametrize("reference", ["", "gpt-4o", "ftp://host/x#y", "openai/", "local :x"])
def test_a_reference_of_no_known_form_lists_the_forms(reference: str) -> None:
    with pytest.raises(ModelReferenceError, match="Use one of these forms"):
        Agent("a", model=reference)


def test_importing_moa_loads_no_model_library() -> None:
    heavy = ["litellm", "torch", "transformers", "sentence_transformers", "textual", "onnxruntime", "xllamacpp"]
    check = f"import moa, moa.cli.app, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    import moa

    assert moa.__all__ == sorted(moa.__all__)
    for name in moa.__all__:
        assert getattr(moa, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_that"):
        moa.nothing_like_that  # noqa: B018

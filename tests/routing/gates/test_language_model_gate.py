from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from moa.backends.base import Delta, Finish, Request
from moa.errors import GateError, ProtocolError
from moa.messages import Conversation, Usage
from moa.routing import Router
from moa.routing.gate import PartlyScored
from moa.routing.gates import BlendGate, LanguageModelGate, PrototypeGate
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, agent, examples

ENCODER = WordEncoder()
GIVEN = examples(ENCODER.encode, agent("garden", "Prune a tree?", about="plants"), *AGENTS[1:])


def gate(model: ScriptedModel, **settings: Any) -> LanguageModelGate:
    return LanguageModelGate(GIVEN, backend=model, **settings)


def ask(made: LanguageModelGate, *questions: str) -> list[list[float]]:
    scores: list[list[float]] = made.scores(ENCODER.encode(questions), questions).tolist()
    return scores


def test_the_agent_that_the_model_names_scores_one() -> None:
    assert ask(gate(ScriptedModel('{"agent": "music"}')), "What is a fugue?") == [[0, 1, 0]]


def test_the_answer_is_held_to_the_names_and_the_model_knows_the_fields() -> None:
    model = ScriptedModel('{"agent": "music"}')
    ask(gate(model), "What is a fugue?")

    [request] = model.requests
    assert request.sampling.temperature == 0
    assert request.sampling.json_schema is not None
    assert request.sampling.json_schema["properties"]["agent"]["enum"] == ["garden", "music", "code"]
    shown = json.loads(request.messages[-1].content)
    assert shown["question"] == "What is a fugue?"
    assert shown["specialists"][0] == {"name": "garden", "field": "plants", "typical questions": ["Prune a tree?"]}


def test_probabilities_are_taken_as_they_are_unless_they_sum_to_more_than_one() -> None:
    answers = {"a": {"garden": 0.2, "music": 0.1, "code": 0}, "b": {"garden": 1, "music": 1, "code": 0}}

    def by_question(request: Request) -> str:
        return json.dumps(answers[json.loads(request.messages[-1].content)["question"]])

    found = ask(gate(ScriptedModel(by_question), several=True), "a", "b")

    assert found == [pytest.approx([0.2, 0.1, 0]), [0.5, 0.5, 0]]


def test_thinking_aloud_and_a_fence_around_the_answer_do_not_matter() -> None:
    script: list[Step] = [
        Delta('{"agent": "code"}', reasoning=True),
        Delta('```json\n{"agent": "garden"}\n```'),
        Finish(Usage(1, 1)),
    ]

    assert ask(gate(ScriptedModel(script)), "x") == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("answer", "several"),
    [
        ("Music, I think.", False),
        ('{"agent": "cook"}', False),
        ('{"agent": ["music"]}', False),
        ("[1]", False),
        ("", False),
        ("{" * 5000, False),
        ('{"agent": "music"}', True),
        ('{"garden": 0.5, "music": 2, "code": 0}', True),
        ('{"garden": 0.5, "music": true, "code": 0}', True),
        ('{"garden": 0.5, "music": NaN, "code": 0}', True),
    ],
)
def test_a_bad_answer_is_an_error_that_quotes_it(answer: str, several: bool) -> None:  # noqa: FBT001
    with pytest.raises(GateError, match=r"scripted:model did not name .* garden, music, code: it said"):
        ask(gate(ScriptedModel(answer), several=several), "x")


def test_a_model_that_fails_is_an_error_that_keeps_the_cause() -> None:
    failure = ProtocolError("the line is noisy")

    with pytest.raises(GateError, match="scripted:model failed: the line is noisy") as raised:
        ask(gate(ScriptedModel([failure])), "x")

    assert isinstance(raised.value, PartlyScored)
    assert raised.value.failures[0].__cause__ is failure


def test_a_model_that_says_nothing_is_given_up_and_its_call_closed() -> None:
    model = ScriptedModel(lambda _: [asyncio.Event()])

    with pytest.raises(GateError, match=r"did not answer within 0.05 seconds"):
        ask(gate(model, timeout=0.05), "x")

    assert model.open_calls == 0


def test_the_same_question_is_asked_once_and_a_blank_one_never() -> None:
    model = ScriptedModel('{"agent": "music"}')
    made = gate(model)

    assert ask(made, "x", "x", " ") == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert ask(made, "x") == [[0, 1, 0]]
    assert len(model.requests) == 1


async def test_it_can_be_asked_where_an_event_loop_runs() -> None:
    assert ask(gate(ScriptedModel('{"agent": "code"}')), "x") == [[0, 0, 1]]


def half_deaf(request: Request) -> str:
    return "What?" if "deaf" in request.messages[-1].content else '{"agent": "music"}'


def test_the_router_falls_back_in_words_for_the_questions_that_failed_and_for_no_other() -> None:
    router = Router(ENCODER, gate=lambda given: LanguageModelGate(given, backend=ScriptedModel(half_deaf)))

    good, bad, pinned = router.route_all(["hello", "deaf", "@garden deaf"], AGENTS, fallback="code")

    assert good.panel == ("music",)
    assert not good.fallback
    assert bad.panel == ("code",)
    assert bad.fallback
    assert bad["code"].reason.startswith("Chosen as the fallback: the question could not be scored. The routing model")
    assert "it said 'What?'" in bad["code"].reason
    assert bad["music"].reason == "Not chosen: the question could not be scored."
    assert pinned.panel == ("garden",)
    assert pinned["garden"].reason.startswith("Chosen: the question is for @garden")


def test_one_failing_part_fails_its_questions_in_a_blend_and_no_other() -> None:
    blend = BlendGate.of(
        examples(ENCODER.encode),
        gates={
            "near": PrototypeGate,
            "model": lambda given: LanguageModelGate(given, backend=ScriptedModel(half_deaf)),
        },
    )
    questions = ["deaf", "fugue"]

    with pytest.raises(PartlyScored) as raised:
        blend.scores(ENCODER.encode(questions), questions)

    assert list(raised.value.failures) == [0]
    assert raised.value.scores[1] == pytest.approx(blend.scores(ENCODER.encode(["fugue"]), ["fugue"])[0])
    assert Router(ENCODER, gate=lambda _: blend).route(Conversation.of("deaf"), AGENTS, fallback="code").fallback


def test_a_blend_does_not_call_the_model_to_learn_its_scale() -> None:
    model = ScriptedModel('{"agent": "code"}')

    BlendGate.of(GIVEN, gates={"near": PrototypeGate, "model": lambda given: LanguageModelGate(given, backend=model)})

    assert model.requests == []


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(GateError, match="timeout is 0"):
        gate(ScriptedModel(), timeout=0)


def test_a_long_question_is_shown_by_its_beginning_and_its_end() -> None:
    request = gate(ScriptedModel()).request("a" * 100_000 + "b" * 100_000)

    shown = json.loads(request.messages[-1].content)["question"]
    assert len(shown) < 4000
    assert shown.startswith("aaa")
    assert shown.endswith("bbb")
    assert np.isfinite(request.sampling.max_tokens or 0)

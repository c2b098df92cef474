from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from moa.events import event_from_json, event_to_json
from moa.mixture import Mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter
from tests.test_mixture import agent, collect


async def test_every_event_of_a_run_survives_json() -> None:
    mixture = Mixture(
        [agent("math", "Four."), agent("code", "4"), agent("law", [OSError("no line")])],
        router=FixedRouter(math=0.6, code=0.3, law=0.1),
        aggregator=None,
    )
    events = await collect(mixture.stream("2 + 2?"))
    assert {event.type for event in events} >= {"run_started", "routed", "draft_delta", "degraded", "run_finished"}
    for event in events:
        assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


def test_what_is_no_event_is_refused() -> None:
    payloads: tuple[object, ...] = ({"type": "no_such_event"}, {"type": "draft_delta", "at": "soon"}, [], None)
    for payload in payloads:
        with pytest.raises(ValidationError):
            event_from_json(payload)


def test_scripted_models_close_their_calls() -> None:
    assert ScriptedModel().open_calls == 0

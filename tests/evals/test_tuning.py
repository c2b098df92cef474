"""A policy is found from recorded drafts alone, and keeps on fresh samples what it promised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from moa.agent import Agent
from moa.aggregation import load_policy
from moa.aggregation.escalate import Escalate
from moa.answers import Routing, ScoredAgent
from moa.backends.base import Request
from moa.evals.folder import read_run
from moa.evals.journal import Journal
from moa.evals.replies import Replies
from moa.evals.sample import Sample
from moa.evals.shared import Sharing
from moa.evals.suite import Suite
from moa.evals.tuning import Candidate, candidates_of, matrix_of, tune
from moa.messages import Conversation
from moa.mixture import Mixture
from moa.routing.policy import Policy
from tests.evals.arithmetic import SameText
from tests.evals.test_runner import run
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter


class ByWord(FixedRouter):
    """Takes questions with "law" for the lawyer's, all others for the mathematician's; always asks the first."""

    def route(self, conversation: Conversation, agents: Sequence[Agent], **given: object) -> Routing:
        del given
        law = "law" in conversation.question
        scored = tuple(
            ScoredAgent(agent.name, 0.0, probability, weight, chosen=bool(weight))
            for agent in agents
            for probability in [0.9 if (agent.name == "law") == law else 0.1]
            for weight in [float(agent.name == "math")]
        )
        policy = Policy(threshold=0.05).to_json()
        return Routing(("math",), scored, fallback=False, threshold=0.05, encoder="none", seconds=0.0, policy=policy)


def questions(count: int) -> Suite:
    samples = [
        Sample(f"{kind}{number}", Conversation.of(f"{kind} question {number}"), kind)
        for number in range(count)
        for kind in ("law", "math")
    ]
    return Suite("fields", samples, SameText())


def knows(field: str) -> ScriptedModel:
    def answer(request: Request) -> str:
        return field if field in request.messages[-1].content else "I do not know."

    return ScriptedModel(answer, f"fake/{field}")


async def test_each_field_goes_to_whoever_has_it_right_and_a_fresh_fold_confirms_that(tmp_path: Path) -> None:
    models = {"law": knows("math"), "math": knows("law")}  # the router takes them for what they are called
    agents = [Agent(name, model=model) for name, model in models.items()]
    mixture = Mixture(agents, router=ByWord(math=1.0))
    await run(tmp_path, questions(45), *agents)
    asked = sum(len(model.requests) for model in models.values())

    stored, replies = read_run(tmp_path), Replies(Journal(tmp_path / "replies.jsonl"))
    matrix = await matrix_of(stored, mixture, candidates_of(mixture), Sharing(replies, offline=True))
    tuned = tune(matrix)
    replies.close()

    assert sum(len(model.requests) for model in models.values()) == asked  # nobody was asked again
    assert (tuned.chosen["law"], tuned.chosen["math"]) == ("always math", "always law")
    assert tuned.promised.accuracy.value == 1.0
    assert tuned.kept is not None
    assert tuned.kept.accuracy.value == 1.0
    assert tuned.kept.difference.difference.value > 0.3
    assert any("synthesize" in name for name in tuned.left_out)  # it would have needed another call

    file = tmp_path / "policy.json"
    file.write_text(json.dumps(tuned.policy), "utf-8")
    policy = load_policy(file)
    assert policy.of("law") == Escalate("math", confident=0.0)
    assert policy.evidence["law"]["accuracy"] == 1.0


async def test_among_equals_the_cheaper_one_is_chosen(tmp_path: Path) -> None:
    agents = [Agent(name, model=knows("math")) for name in ("math", "law")]
    mixture = Mixture(agents, router=ByWord(math=1.0))
    await run(tmp_path, questions(30), *agents)
    candidates = [
        Candidate("always math", {"aggregator": "escalate", "settings": {"first": "math", "confident": 0}, "k": 1}),
        Candidate("vote of 2", {"aggregator": "vote", "k": 2}),
    ]

    replies = Replies(Journal(tmp_path / "replies.jsonl"))
    matrix = await matrix_of(read_run(tmp_path), mixture, candidates, Sharing(replies, offline=True))
    replies.close()

    assert set(tune(matrix).chosen.values()) == {"always math"}

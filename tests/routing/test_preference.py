"""What a vote on two answers says of single agents."""

from __future__ import annotations

import pytest

from moa.routing.preference import verdicts_of
from moa.store import Pair, Side

AGENTS = ("law", "math", "code")


def side(*agents: str) -> Side:
    return Side("-".join(agents), agents, tuple(f"model-of-{agent}" for agent in agents))


@pytest.mark.parametrize(
    ("left", "right", "choice", "counted"),
    [
        (side("law"), side("math"), "left", [("math", "law")]),
        (side("law"), side("math"), "right", [("law", "math")]),
        (side("law"), side("math"), "tie", []),
        (side("law"), side("math"), "bad", [("law", None), ("math", None)]),
        (side("law"), side("law"), "left", []),
        (side("law"), side("law"), "bad", [("law", None)]),
        (side("law", "code"), side("math"), "right", []),
        (side("law", "code"), side("math"), "bad", [("math", None)]),
        (side("law"), side("openai/gpt"), "right", []),
        (side("law"), side("openai/gpt"), "bad", [("law", None)]),
    ],
)
def test_only_that_counts_which_is_sure(
    left: Side, right: Side, choice: str, counted: list[tuple[str, str | None]]
) -> None:
    pair = Pair(0, 5.0, "starter", left, right, choice)  # type: ignore[arg-type]
    verdicts = verdicts_of(pair, "May I quit?", AGENTS)
    assert [(verdict.agent, verdict.better) for verdict in verdicts] == counted
    for verdict in verdicts:
        assert (verdict.good, verdict.given_unix, verdict.mixture) == (False, 5.0, "starter")
        assert verdict.question == "May I quit?"
        assert verdict.run == verdict.agent  # the run of its own answer


def test_of_an_agent_with_two_bad_answers_the_first_is_meant() -> None:
    pair = Pair(0, 5.0, "starter", side("law"), Side("second", ("law",), ("m",)), "bad")
    assert [verdict.run for verdict in verdicts_of(pair, "May I quit?", AGENTS)] == ["law"]

"""Systems are named in words; what names nothing, or two things, is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.errors import UsageError
from moa.evals.references import References, aggregator_of
from moa.evals.shared import Sharing

MIXTURE = """
from moa import Agent, Mixture, Router, Vote
sage = Agent("sage", model="replay:answers.jsonl#sage", about="everything", examples=["What is it?"])
fool = Agent("fool", model="replay:answers.jsonl#fool", about="nothing", examples=["What is it not?"])
both = Mixture([sage, fool], name="both", router=Router(k=2), aggregator=Vote())
"""


@pytest.fixture
def references(tmp_path: Path) -> References:
    file = tmp_path / "mine.py"
    file.write_text(MIXTURE, "utf-8")
    return References(str(file), Sharing())


def names(references: References, *named: str) -> dict[str, str]:
    return {each.system.name: each.kind for each in references.systems(named)}


def test_without_a_name_the_mixture_and_its_baselines_are_run(references: References) -> None:
    assert names(references) == {
        "both": "mixture",
        "sage": "agent",
        "fool": "agent",
        "dense": "dense",
        "self-mix": "self-mix",
    }


def test_everything_can_be_named(references: References, tmp_path: Path) -> None:
    policy = tmp_path / "careful.json"
    policy.write_text(json.dumps({"format": 1, "kinds": {"*": {"aggregator": "vote"}}}), "utf-8")

    assert names(references, "agent:fool", "slow=self-mix:5", "aggregator:vote", "dense:vote") == {
        "fool": "agent",
        "slow": "self-mix",
        "vote": "aggregator",
        "dense vote": "dense",
    }
    assert names(references, f"policy:{policy}", "model:openai/gpt-4o-mini", "replay:old.jsonl#small") == {
        "careful": "aggregator",
        "openai/gpt-4o-mini": "agent",
        "small": "agent",
    }
    assert names(references, f"{tmp_path / 'mine.py'}:sage", f"all={tmp_path / 'mine.py'}") == {
        "sage": "agent",
        "all": "mixture",
    }


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("agent:judge", "has no agent 'judge'. It has sage, fool"),
        ("mixtures", "names no system"),
        ("aggregator:votes", "Did you mean 'vote'"),
        ("self-mix:1", "2 or more"),
        ("all=agents", "several systems"),
        ("model:", "names no model"),
    ],
)
def test_what_names_nothing_is_said(references: References, named: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        references.systems([named])


def test_two_systems_cannot_have_one_name(references: References) -> None:
    with pytest.raises(UsageError, match="Two systems are called 'sage'"):
        references.systems(["agent:sage", "sage=agent:fool"])
    assert len(references.systems(["agent:sage", "agent:sage"])) == 1


def test_the_signature_changes_with_the_instructions_and_not_with_the_process(tmp_path: Path) -> None:
    def signature(text: str) -> str:
        file = tmp_path / "mine.py"
        file.write_text(text, "utf-8")
        [named] = References(str(file), Sharing()).systems(["mixture"])
        return str(named.about()["signature"])

    own = MIXTURE.replace("Vote())", "pick)").replace(
        "both =", "async def pick(question, drafts):\n    return ''\nboth ="
    )
    assert signature(MIXTURE) == signature(MIXTURE)
    assert signature(own) == signature(own)
    assert signature(MIXTURE) != signature(MIXTURE.replace('about="everything"', 'about="x", instructions="Be brief."'))


def test_an_aggregator_may_be_written_with_its_settings() -> None:
    select = aggregator_of('{"aggregator": "select", "settings": {"by": "agreement"}}')

    assert (select.name, select.by) == ("select", "agreement")  # type: ignore[attr-defined]

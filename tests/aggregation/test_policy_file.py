"""The policy file: which aggregator pays for which kind of question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moa.aggregation import Escalate, Guard, Refine, Select, SelfMix, Solo, Synthesize, Vote, load_policy
from moa.aggregation.policy_file import policy_from
from moa.errors import LoadError


def written(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "policy.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def kinds(**specs: Any) -> dict[str, Any]:
    return {"format": 1, "kinds": specs}


def test_every_aggregator_has_its_name_and_its_settings(tmp_path: Path) -> None:
    content = {
        "format": 1,
        "kinds": {
            "math": {"aggregator": "self_mix", "settings": {"n": 7, "then": {"aggregator": "vote"}}},
            "code": {"aggregator": "guard", "settings": {"inner": {"aggregator": "synthesize"}, "longest": 2}},
            "law": {"aggregator": "select", "settings": {"by": "agreement"}},
            "art": {"aggregator": "refine", "settings": {"panels": [["art", "law"]], "debate": True}},
            "chat": {"aggregator": "solo"},
            "*": {"aggregator": "escalate", "settings": {"first": "chat", "confident": {"law": 0.9, "*": 0.8}}},
        },
        "evidence": {"math": {"samples": 120, "accuracy": 0.71}},
    }
    policy = load_policy(written(tmp_path, content))
    assert policy.of("math") == SelfMix(n=7, then=Vote())
    assert policy.of("code") == Guard(Synthesize(), longest=2)
    assert policy.of("law") == Select("agreement")
    assert policy.of("art") == Refine(panels=[["art", "law"]], debate=True)
    assert policy.of("chat") == Solo()
    assert policy.of("anything else") == Escalate("chat", confident={"law": 0.9, "*": 0.8})
    assert policy.evidence["math"]["samples"] == 120


def test_without_a_rule_for_all_others_there_is_none() -> None:
    assert policy_from(kinds(math={"aggregator": "vote"})).of("law") is None


def test_a_kind_may_say_how_many_agents_draft() -> None:
    policy = policy_from(
        kinds(math={"aggregator": "vote", "k": 3}, code={"aggregator": "solo"}, **{"*": {"aggregator": "solo", "k": 2}})
    )
    assert [policy.size(kind) for kind in ("math", "code", "law")] == [3, None, 2]
    assert policy.of("math") == Vote()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[]", 'needs "kinds", an object of aggregators'),
        ({"kinds": {}}, "has the format None, and this moa reads 1"),
        ({"format": 2, "kinds": {}}, "has the format 2, and this moa reads 1"),
        ({"format": 1, "kinds": {}, "evidnce": {}}, r"there is no 'evidnce'\. Did you mean 'evidence'\?"),
        ({"format": 1, "kinds": {}, "evidence": []}, "evidence: it must be an object"),
        (kinds(math="vote"), r"kinds\.math: it must name an aggregator"),
        (kinds(math={"aggregator": "vot"}), r"kinds\.math: there is no aggregator 'vot'\. Did you mean 'vote'\?"),
        (kinds(math={"aggregator": "xyz"}), "There are solo, synthesize, select"),
        (kinds(math={"aggregator": "vote", "setings": {}}), r"kinds\.math: there is no 'setings'"),
        (kinds(math={"aggregator": "vote", "settings": []}), r"kinds\.math\.settings: it must be an object"),
        (kinds(math={"aggregator": "self_mix", "settings": {"m": 3}}), r"kinds\.math\.settings: there is no 'm'"),
        *(
            (
                kinds(math={"aggregator": "vote", "k": wrong}),
                rf"kinds\.math\.k: it is {wrong!r}, and it must be how many",
            )
            for wrong in (0, -1, 2.5, "3", None, True)
        ),
        (
            kinds(math={"aggregator": "guard", "settings": {"inner": {"aggregator": "vote", "k": 3}}}),
            r"kinds\.math\.settings\.inner: there is no 'k'",
        ),
        (kinds(math={"aggregator": "guard"}), r"kinds\.math\.settings: guard needs 'inner'"),
        (
            kinds(math={"aggregator": "self_mix", "settings": {"n": "5"}}),
            r"settings\.n: it is '5', and by default it is 5",
        ),
        (kinds(math={"aggregator": "self_mix", "settings": {"n": 2.5}}), r"settings\.n: it is 2.5"),
        (kinds(math={"aggregator": "self_mix", "settings": {"n": None}}), r"settings\.n: it is None"),
        (kinds(math={"aggregator": "refine", "settings": {"debate": 1}}), r"settings\.debate: it is 1"),
        (kinds(math={"aggregator": "self_mix", "settings": {"n": 1}}), r"kinds\.math: SelfMix has n=1"),
        (kinds(math={"aggregator": "guard", "settings": {"inner": "vote"}}), r"kinds\.math: .* not 'vote'"),
        (
            kinds(math={"aggregator": "guard", "settings": {"inner": {"aggregator": "no"}}}),
            r"kinds\.math\.settings\.inner: there is no aggregator 'no'",
        ),
    ],
)
def test_a_mistake_names_the_file_the_field_and_what_is_wrong(tmp_path: Path, content: object, told: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(LoadError, match=told) as error:
        load_policy(file)
    assert str(file) in str(error.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(LoadError, match="cannot be read"):
            load_policy(path)

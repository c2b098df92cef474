from __future__ import annotations

import numpy as np
import pytest

from moa.errors import GateError
from moa.messages import Conversation
from moa.routing import Router
from moa.routing.gates import Rule, RulesGate
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, RULES, examples

ENCODER = WordEncoder()


def gate(*rules: Rule) -> RulesGate:
    return RulesGate(examples(ENCODER.encode), rules=rules or RULES)


@pytest.mark.parametrize(
    ("question", "hits"),
    [
        ("@music, how do I prune?", [("music", "mentions @music")]),
        ("write to me@music.org", []),
        ("Here is the Stack trace:", [("code", "a stack trace")]),
        ("Look:\n```\nx\n```", [("code", "comes with code")]),
        ("@Garden, my stacktrace", [("garden", "mentions @garden"), ("code", "a stack trace")]),
        ("hello", []),
    ],
)
def test_which_rule_hit_is_told(question: str, hits: list[tuple[str, str]]) -> None:
    assert gate().hits(question) == hits


def test_a_hit_scores_one_and_all_else_nothing() -> None:
    questions = ["@music and @code", "hello"]

    found = gate().scores(ENCODER.encode(questions), questions)

    assert found.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert gate().probabilities(found).tolist() == [[0, 0.5, 0.5], [0, 0, 0]]


def test_rules_that_hit_together_share_the_score() -> None:
    question = "stack trace\n```\nx\n```"

    parts = gate().parts(ENCODER.encode([question]), [question])

    assert {name: part.tolist() for name, part in parts.items()} == {
        "a stack trace": [[0, 0, 0.5]],
        "comes with code": [[0, 0, 0.5]],
    }


def test_the_routing_tells_which_rule_it_was_and_no_rule_is_the_fallback() -> None:
    router = Router(ENCODER, gate=lambda given: RulesGate(given, rules=RULES))

    by_rule, by_none = router.route_all(["see the stack trace", "hello"], AGENTS, fallback="garden")

    assert by_rule.panel == ("code",)
    assert by_rule["code"].parts == {"a stack trace": 1.0}
    assert by_none.panel == ("garden",)
    assert by_none.fallback


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("code", "~~~\nx\n~~~"),
        ("traceback", "see:\nTraceback (most recent call last):\n  File"),
        ("formula", "$$a\nb$$"),
        ("table", "| a | b |\n| --- | :-: |\n| 1 | 2 |"),
        ("image", "![a cat](cat.png)"),
        ("diff", "@@ -1,2 +1,2 @@"),
    ],
)
def test_attachments_are_seen(kind: str, text: str) -> None:
    rules = gate(Rule.for_attachment("music", kind))

    assert rules.hits(text) == [("music", f"comes with {kind}")]
    assert rules.hits("Is it a cat, or $5 | 6?") == []


def test_a_rule_must_be_an_expression_for_somebody_who_is_there() -> None:
    with pytest.raises(GateError, match="no regular expression"):
        Rule("code", "(")
    with pytest.raises(GateError, match="is for agent 'cook', who is none of garden, music, code"):
        gate(Rule("cook", "soup"))
    with pytest.raises(GateError, match="no attachment 'smell'"):
        Rule.for_attachment("code", "smell")


def test_the_question_alone_decides_and_not_its_vector() -> None:
    found = gate().scores(np.zeros((1, 7), np.float32), ["stack trace"])

    assert found.tolist() == [[0, 0, 1]]
    assert Router(ENCODER, gate=RulesGate).route(Conversation.of("x"), AGENTS, fallback="code").fallback

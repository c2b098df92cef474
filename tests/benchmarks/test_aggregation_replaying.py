"""Kept drafts, asked again through a real mixture."""

from __future__ import annotations

from benchmarks.aggregation.drafts import LARGE, PROGRAM, SMALL, Wanted, Written
from benchmarks.aggregation.replaying import CHEAP, SIZES, outcome_of
from benchmarks.aggregation.sets import Question
from moa.aggregation import Escalate, SelfMix, Solo, Vote

QUESTION = Question("sum", "gsm8k_test", "How much is it?", "12")
ROUTED = {"math": 0.8, "code": 0.1}


def drafts(*said: tuple[str, int, str, float]) -> dict[str, Written]:
    """Return drafts of ten tokens: model, sample, text, confidence."""
    wanted = [(Wanted(QUESTION, model, number).key, text, sure) for model, number, text, sure in said]
    return {key: Written(key, text, 10, 5, sure, 2.0) for key, text, sure in wanted}


BOTH = drafts((SMALL, 0, "It is 11.", 0.9), (LARGE, 0, "It is 12.", 0.6))


async def test_a_model_alone_says_what_it_wrote_and_costs_its_tokens_times_its_size() -> None:
    outcome = await outcome_of(QUESTION, BOTH, ROUTED, Solo(), alone=LARGE)

    assert (outcome.text, outcome.tokens, outcome.seconds) == ("It is 12.", 10, 2.0)
    assert outcome.work == 10 * SIZES[LARGE]


async def test_a_vote_asks_both_and_the_fields_agent_counts_more() -> None:
    outcome = await outcome_of(QUESTION, BOTH, ROUTED, Vote())

    assert outcome.text == "It is 12."
    assert outcome.work == 10 * SIZES[LARGE] + 10 * SIZES[SMALL]


async def test_an_escalation_stays_with_a_sure_draft_and_goes_on_from_an_unsure_one() -> None:
    stays = await outcome_of(QUESTION, BOTH, ROUTED, Escalate(CHEAP, confident=0.8), alone=LARGE)
    goes_on = await outcome_of(QUESTION, BOTH, ROUTED, Escalate(CHEAP, confident=0.95), alone=LARGE)
    skips = await outcome_of(QUESTION, BOTH, ROUTED, Escalate(CHEAP, confident={"math": 1.0}), alone=LARGE)

    assert (stays.text, stays.tokens) == ("It is 11.", 10)
    assert (goes_on.text, goes_on.tokens) == ("It is 12.", 20)
    assert (skips.text, skips.tokens) == ("It is 12.", 10)


async def test_samples_are_the_greedy_draft_and_then_the_drawn_ones() -> None:
    some = drafts((LARGE, 0, "It is 12.", 0.6), (LARGE, 1, "It is 13.", 0.6), (LARGE, 2, "That makes 13.", 0.6))

    outcome = await outcome_of(QUESTION, some, ROUTED, SelfMix(n=3), alone=LARGE)

    assert outcome.text == "It is 13."
    assert outcome.tokens == 30


async def test_a_program_answers_with_what_it_comes_to_and_one_that_fails_leaves_the_question_to_the_next() -> None:
    for program, said, tokens in (("return 3 * 4", "The answer is 12.", 10), ("return 1 / 0", "It is 13.", 20)):
        code = f"```python\ndef solution():\n    {program}\n```"
        key = Wanted(QUESTION, LARGE, style=PROGRAM).key
        some = {**drafts((LARGE, 0, "It is 13.", 0.6)), key: Written(key, code, 10, 5, 0.9, 2.0)}

        outcome = await outcome_of(QUESTION, some, ROUTED, Escalate("program", confident=0.0), alone=LARGE)

        assert (outcome.text, outcome.tokens) == (said, tokens)

"""Your own aggregator: a function of question and drafts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import pytest

from moa.aggregation import Custom, Solo, as_aggregator
from moa.answers import Draft
from moa.errors import AgentError
from moa.events import AnswerDelta
from moa.mixture import Mixture
from tests.aggregation.asking import agent, ask, mixture

DRAFTS = {"math": "first", "code": "second"}


async def joined(question: str, drafts: Sequence[Draft]) -> str:
    return f"{question} {' '.join(draft.text for draft in drafts)}"


async def streamed(_: str, drafts: Sequence[Draft]) -> AsyncIterator[str]:
    for draft in drafts:
        yield draft.text


def plain(_: str, drafts: Sequence[Draft]) -> str:
    return drafts[-1].text


class Longest:
    async def __call__(self, _: str, drafts: Sequence[Draft]) -> str:
        return max((draft.text for draft in drafts), key=len)


class Pieces:
    """Something that can be gone through asynchronously, and is no generator."""

    def __init__(self) -> None:
        self.left = ["a", "b"]

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> str:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


@pytest.mark.parametrize(
    ("function", "name", "text"),
    [
        (joined, "joined", "Why? first second"),
        (streamed, "streamed", "firstsecond"),
        (plain, "plain", "second"),
        (lambda question, _: question.upper(), "custom", "WHY?"),
        (Longest(), "Longest", "second"),
        (lambda *_: Pieces(), "custom", "ab"),
        (partial(joined), "partial", "Why? first second"),
    ],
)
async def test_what_a_function_returns_or_yields_is_the_answer(function: Any, name: str, text: str) -> None:
    heard = await ask(mixture(DRAFTS, function), "Why?")
    assert heard.answer.text == text
    assert (heard.answer.aggregator.asked, heard.answer.aggregator.ran) == (name, name)
    assert heard.answer.degraded == ()


async def test_what_it_yields_streams_piece_by_piece() -> None:
    assert [delta.text for delta in (await ask(mixture(DRAFTS, streamed))).of(AnswerDelta)] == ["first", "second"]


async def raises(_: str, __: Sequence[Draft]) -> str:
    raise KeyError("price")


async def wrong_type(_: str, __: Sequence[Draft]) -> int:
    return 391


async def breaks_off(_: str, __: Sequence[Draft]) -> AsyncIterator[object]:
    yield "Half an "
    yield None


async def silent(_: str, __: Sequence[Draft]) -> str:
    return "  "


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (raises, "price"),
        (wrong_type, "wrong_type returned int where text was due"),
        (breaks_off, "breaks_off returned NoneType where text was due"),
        (silent, "silent returned no visible text"),
    ],
)
async def test_its_failure_is_told_of_and_the_best_draft_is_the_answer(
    function: Callable[..., Any], cause: str
) -> None:
    heard = await ask(mixture(DRAFTS, function))
    assert heard.answer.text == "first"
    assert heard.answer.aggregator.ran == "solo"
    [(what, why)] = heard.degraded
    assert what == "aggregator"
    assert cause in why


async def test_a_generator_is_closed_when_the_reader_leaves() -> None:
    closed = []

    async def endless(_: str, __: Sequence[Draft]) -> AsyncIterator[str]:
        try:
            while True:
                await asyncio.sleep(0)
                yield "again "
        finally:
            closed.append(True)

    stream = mixture(DRAFTS, endless).stream("?")
    async for event in stream:
        if isinstance(event, AnswerDelta):
            break
    await stream.aclose()
    assert closed == [True]


def test_an_aggregator_stays_what_it_is() -> None:
    solo = Solo()
    assert as_aggregator(solo) is solo
    assert as_aggregator(joined) == Custom(joined)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Solo, r"Did you mean Solo\(…\)\?"),
        ("vote", "must be an aggregator such as Synthesize"),
        (7, "or an async function of question and drafts, not 7"),
        ("", "must be an aggregator"),
    ],
)
def test_anything_else_is_a_mistake_that_says_what_is_wanted(given: Any, told: str) -> None:
    with pytest.raises(AgentError, match=told):
        Mixture([agent("math", "x")], aggregator=given)


def test_a_function_of_other_arguments_is_found_out_at_once() -> None:
    async def only_drafts(drafts: Sequence[Draft]) -> str:
        return drafts[0].text

    with pytest.raises(AgentError, match="only_drafts must take two arguments, the question and the drafts"):
        Mixture([agent("math", "x")], aggregator=only_drafts)  # type: ignore[arg-type]

"""Backends are told beforehand what a turn will ask of their kind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from moa import Agent, Mixture
from moa.aggregation import Synthesize
from moa.backends.base import Backend, Price
from moa.backends.foresight import foreseen
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

Told = tuple[list[str], list[str]]


@dataclass
class ForesightedModel(ScriptedModel):
    """Remembers what it was told, and what had been asked of it by the end of that."""

    told: list[Told] = field(default_factory=list)
    asked_within: int = 0

    @asynccontextmanager
    async def foresee(self, now: Sequence[Backend], then: Sequence[Backend]) -> AsyncGenerator[None, None]:
        self.told.append(([each.reference for each in now], [each.reference for each in then]))
        yield
        self.asked_within = len(self.requests)


def model(name: str) -> ForesightedModel:
    return ForesightedModel(f"{name} says so.", name)


async def test_one_of_each_kind_is_told_of_all_of_its_kind() -> None:
    one, other, last = model("one"), model("other"), model("last")
    async with foreseen([one, ScriptedModel(), other, one], [last, ScriptedModel()]):
        pass
    assert last.told == [(["one", "other", "one"], ["last"])]
    assert not one.told


async def test_a_turn_tells_its_drafts_and_then_what_the_aggregator_asks() -> None:
    math, law, writer = model("math"), model("law"), model("writer")
    agents = [
        Agent("math", model=math),
        Agent("law", model=law, price=Price(1, 1)),
        Agent("tax", model=ScriptedModel()),
    ]
    mixture = Mixture(agents, router=FixedRouter(law=0.6, math=0.4), aggregator=Synthesize(writer))

    await mixture.ask("?")

    assert writer.told == [(["law", "math"], ["writer"])]
    assert writer.asked_within == 1


async def test_a_single_draft_is_followed_by_nothing() -> None:
    math = model("math")
    await Mixture([Agent("math", model=math)], router=FixedRouter(math=1.0)).ask("?")
    assert math.told == [(["math"], [])]


@pytest.mark.parametrize("price", [None, Price(1, 1)])
async def test_where_nobody_wants_to_know_nothing_is_worked_out(
    monkeypatch: pytest.MonkeyPatch, price: Price | None
) -> None:
    monkeypatch.delattr("moa.forecast.drafts_and_rest")
    agents = [Agent("math", model=ScriptedModel(), price=price)]
    assert (await Mixture(agents, router=FixedRouter(math=1.0)).ask("?")).text

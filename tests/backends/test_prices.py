"""What a model costs, and a price of one's own."""

from __future__ import annotations

import pytest

from moa import Agent
from moa.backends.base import Delta, Finish, Price
from moa.backends.endpoint import Endpoint
from moa.backends.hosted import Hosted
from moa.backends.local import LocalModel
from moa.backends.priced import Priced
from moa.backends.prices import FREE, price_of
from moa.backends.references import backend_for
from moa.messages import Usage
from tests.backends.calling import asking, everything
from tests.fakes.backend import ScriptedModel

URL = "http://127.0.0.1:8000/v1"


def test_a_hosted_models_price_is_that_of_the_list() -> None:
    price = price_of(Hosted("openai/gpt-4o"))
    assert price is not None
    assert 0 < price.input < price.output < 100  # USD per million tokens


def test_a_price_that_was_given_counts_before_the_list() -> None:
    assert price_of(Hosted("openai/gpt-4o", price=Price(1, 2))) == Price(1, 2)
    assert price_of(Agent("math", model="openai/gpt-4o", price=Price(3, 4)).backend) == Price(3, 4)


@pytest.mark.parametrize(
    "model",
    ["openai/a-model-that-nobody-lists", f"{URL}#x", "ollama/llama3-cloud"],
    ids=["hosted", "endpoint", "relay"],
)
def test_a_price_that_nobody_knows_is_unknown_and_not_zero(model: str) -> None:
    assert price_of(backend_for(model)) is None


@pytest.mark.parametrize("model", ["ollama/llama3", "local:smollm2-135m-instruct", "replay:answers.jsonl#x"])
def test_models_of_this_machine_and_recorded_answers_cost_nothing(model: str) -> None:
    assert price_of(backend_for(model)) == FREE


def test_a_server_of_ones_own_may_be_said_to_cost_nothing() -> None:
    assert price_of(Endpoint(URL, "x", price=Price(0, 0))) == FREE


class TestPriced:
    async def test_every_call_tells_its_cost(self) -> None:
        inner = ScriptedModel([Delta("4"), Finish(Usage(1000, 500), "stop", None)], priced=False)
        [_, finish] = await everything(Priced(inner, Price(2.0, 4.0)), asking("2 + 2?"))
        assert isinstance(finish, Finish)
        assert finish.cost_usd == pytest.approx(0.004)

    async def test_tokens_that_nobody_reported_cost_nobody_knows_what(self) -> None:
        inner = ScriptedModel([Delta("4"), Finish(Usage(None, None), "stop", None)])
        [_, finish] = await everything(Priced(inner, Price(2.0, 4.0)), asking("2 + 2?"))
        assert isinstance(finish, Finish)
        assert finish.cost_usd is None

    def test_it_is_its_inner_one_in_everything_else(self) -> None:
        inner = LocalModel("smollm2-135m-instruct", context=4096)
        priced = Priced(inner, Price(2.0, 4.0))
        assert (priced.reference, priced.context, priced.priced) == (inner.reference, 4096, True)
        assert priced.readiness() == inner.readiness()

    def test_another_model_has_a_price_of_its_own(self) -> None:
        agent = Agent("math", model="openai/gpt-4o", price=Price(3, 4))
        assert agent.using("local:smollm2-135m-instruct").price is None

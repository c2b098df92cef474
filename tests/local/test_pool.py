"""Which engines are in memory, and who gets them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import EngineError, ModelTooLarge
from moa.local.engine import EngineSettings
from moa.local.pool import Pool
from tests.fakes.engine import Asked, FakeEngine, Workshop

GB = 10**9


def test_a_model_is_loaded_when_it_is_needed_and_not_before() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    assert shop.resident == set()

    asked = shop.ask(math)

    assert not asked.granted
    assert asked.words == "Loading math into memory, 1.0 GB of 4.0 GB."
    shop.go_on()
    assert asked.granted
    assert asked.lease.child.name == "math"
    assert asked.steps[-1] is None


def test_a_loaded_model_is_lent_at_once_and_stays_when_it_is_given_back() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    first = shop.ask(math)
    shop.go_on()
    first.done()

    again = shop.ask(math)

    assert again.granted
    assert again.steps == [None]
    assert math.starts == 1


def test_more_requests_than_slots_wait_in_their_order() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB, slots=2)
    first, second, third, fourth = (shop.ask(math) for _ in range(4))
    shop.go_on()

    assert [asked.granted for asked in (first, second, third, fourth)] == [True, True, False, False]
    assert third.words == "math writes 2 answers at a time; this one waits for its turn."
    second.done()
    assert third.granted
    assert not fourth.granted


def test_an_idle_model_makes_room_for_another() -> None:
    shop, math, code = Workshop(3 * GB), FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB)
    used = shop.ask(math)
    shop.go_on()
    used.done()

    asked = shop.ask(code)

    assert asked.words == "Evicting math (2.0 GB) to make room for code (2.0 GB) in 3.0 GB."
    assert shop.taken == 2 * GB
    shop.go_on()
    assert asked.granted
    assert shop.resident == {"code"}
    assert asked.states == ["loading", "loading"]


def test_a_model_at_work_is_never_evicted_and_the_wait_is_told_with_numbers() -> None:
    shop, math, code = Workshop(3 * GB), FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB)
    working = shop.ask(math)
    shop.go_on()

    asked = shop.ask(code)
    shop.go_on()

    assert not asked.granted
    assert shop.resident == {"math"}
    assert asked.words == (
        "code (2.0 GB) waits for memory: models may take 3.0 GB, and what is in use stays: math (2.0 GB)."
    )
    working.done()
    shop.go_on()
    assert asked.granted


def test_what_can_never_fit_is_refused_at_once_with_the_numbers() -> None:
    shop, huge = Workshop(3 * GB), FakeEngine("huge", 4 * GB)

    with pytest.raises(ModelTooLarge, match=r"4\.0 GB .* 3\.0 GB.* smaller context or fewer slots"):
        shop.ask(huge)

    assert shop.resident == set()
    assert not shop.work


def test_whoever_stops_waiting_holds_up_nobody() -> None:
    shop = Workshop(3 * GB)
    math, code, law = (FakeEngine(name, 2 * GB) for name in ("math", "code", "law"))
    working = shop.ask(math)
    shop.go_on()
    leaver, asked = shop.ask(code), shop.ask(law)

    leaver.done()
    working.done()
    shop.go_on()

    assert asked.granted
    assert not code.starts


def test_a_load_that_nobody_waits_for_any_more_is_not_begun() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    shop.ask(math).done()
    shop.go_on()
    assert not math.starts
    assert shop.taken == 0


def test_a_model_that_cannot_be_loaded_is_an_error_for_those_who_wait_and_the_next_one_tries_again() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB, slots=2)
    math.fails = EngineError("broken")
    first, second = shop.ask(math), shop.ask(math)
    shop.go_on()

    for asked in (first, second):
        with pytest.raises(EngineError, match="broken"):
            _ = asked.lease.child
    assert shop.taken == 0
    math.fails = None
    third = shop.ask(math)
    shop.go_on()
    assert third.granted


def test_a_model_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    math.fails = EngineError("broken")
    for _ in range(2):
        shop.ask(math)
        shop.go_on()

    with pytest.raises(EngineError, match="died 2 times in a row"):
        shop.ask(math)

    assert math.starts == 2


def test_a_model_that_died_is_loaded_anew() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    first = shop.ask(math)
    shop.go_on()
    math.dead = True

    second = shop.ask(math)
    shop.go_on()
    first.done()

    assert second.granted
    assert math.restarts.deaths == 1
    shop.pool.answered(second.lease)
    assert math.restarts.deaths == 0


def test_what_a_model_really_takes_counts_and_idle_ones_go_until_all_fit() -> None:
    shop, math, code = Workshop(4 * GB), FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB)
    idle = shop.ask(math)
    shop.go_on()
    idle.done()
    asked = shop.ask(code)
    shop.go_on()
    assert shop.resident == {"math", "code"}

    code.holds = 3 * GB
    asked.done()
    shop.go_on()

    assert shop.taken <= 4 * GB
    assert shop.resident == {"code"}
    shop.ask(math)
    shop.go_on()
    assert shop.resident == {"math"}
    assert shop.ask(code).words.startswith("code (3.0 GB) waits")


def test_an_estimate_that_was_too_high_is_corrected_once_it_has_answered() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", 2 * GB)
    math.holds = round(1.9 * GB)
    asked = shop.ask(math)
    shop.go_on()
    assert shop.taken == 2 * GB

    shop.pool.answered(asked.lease, read=511)
    asked.done()
    assert shop.taken == 2 * GB  # a longer prompt may take more

    asked = shop.ask(math)
    shop.pool.answered(asked.lease, read=512)
    asked.done()
    assert shop.taken == 1.9 * GB


def test_how_quickly_it_writes_is_remembered() -> None:
    shop, math = Workshop(4 * GB), FakeEngine("math", GB)
    asked = shop.ask(math)
    shop.go_on()
    shop.pool.answered(asked.lease, wrote=21, seconds=2.0)
    shop.pool.answered(asked.lease, wrote=41, seconds=2.0)
    [member] = shop.pool.members()
    assert member.tokens_per_second == 15.0


def test_agents_that_share_a_file_share_one_copy_that_does_what_all_of_them_want() -> None:
    shop, base = Workshop(4 * GB), FakeEngine("base", GB)
    law = Path("/law.gguf")
    first = shop.ask(base, base.wish(context=50))
    shop.go_on()
    second = shop.ask(base, base.wish(context=200, slots=2, adapters=(law,)))

    assert second.words == "base starts anew, with a longer context, more slots or adapters, when it is idle."
    first.done()
    shop.go_on()
    assert second.granted
    assert base.running == EngineSettings(base.settings.model, 200, 2, adapters=(law,))
    assert shop.ask(base, base.wish(context=50)).granted
    assert base.starts == 2


def test_a_request_that_waits_for_memory_is_overtaken_by_a_few_but_not_for_ever() -> None:
    shop, math, code = Workshop(3 * GB), FakeEngine("math", 2 * GB, slots=2), FakeEngine("code", 2 * GB)
    working = shop.ask(math)
    shop.go_on()
    asked = shop.ask(code)

    overtakers = 0
    while (other := shop.ask(math)).granted:
        overtakers += 1
        working.done()  # there is always somebody at work with it
        working = other
        assert overtakers < 100

    assert 1 <= overtakers <= 8
    assert other.words == "math takes no more work for now: it makes room for a model that has waited long."
    working.done()
    shop.go_on()
    assert asked.granted
    assert not other.granted
    asked.done()
    shop.go_on()
    assert other.granted


def test_nobody_has_to_make_room_any_more_when_the_one_that_waited_has_left() -> None:
    shop, math, code = Workshop(3 * GB), FakeEngine("math", 2 * GB, slots=2), FakeEngine("code", 2 * GB)
    working = shop.ask(math)
    shop.go_on()
    asked = shop.ask(code)
    while (other := shop.ask(math)).granted:
        working.done()
        working = other

    asked.done()

    assert other.granted


def test_the_drafts_of_a_panel_go_in_the_order_that_loads_the_least() -> None:
    shop = Workshop(3 * GB)
    math, code, law = (FakeEngine(name, 2 * GB) for name in ("math", "code", "law"))
    used = shop.ask(law)
    shop.go_on()
    used.done()

    with shop.pool.foresee([math, code, law], then=[math]):
        asked = {engine.name: shop.ask(engine) for engine in (math, code, law)}
        order = drafted(shop, asked)
        aggregator = shop.ask(math)

    assert order == ["law", "code", "math"]
    assert aggregator.granted
    assert [engine.starts for engine in (math, code, law)] == [1, 1, 1]


def test_without_foresight_the_same_panel_loads_one_more() -> None:
    shop = Workshop(3 * GB)
    math, code, law = (FakeEngine(name, 2 * GB) for name in ("math", "code", "law"))
    used = shop.ask(law)
    shop.go_on()
    used.done()

    asked = {engine.name: shop.ask(engine) for engine in (math, code, law)}
    order = drafted(shop, asked)
    shop.ask(math)
    shop.go_on()

    assert order == ["math", "code", "law"]
    assert sum(engine.starts for engine in (math, code, law)) == 5


def drafted(shop: Workshop, asked: dict[str, Asked]) -> list[str]:
    """Let drafts be written one after the other, and return in which order that happened."""
    order, left = [], dict(asked)
    while left:
        shop.go_on()
        name = next(name for name, each in left.items() if each.granted)
        order.append(name)
        left.pop(name).done()
    shop.go_on()
    return order


def test_the_model_of_the_aggregator_is_loaded_while_the_last_draft_is_written() -> None:
    shop = Workshop(4 * GB)
    math, code, writer = (FakeEngine(name, 2 * GB) for name in ("math", "code", "writer"))
    with shop.pool.foresee([math, code], then=[writer]):
        first, second = shop.ask(math), shop.ask(code)
        shop.go_on()
        assert first.granted
        assert second.granted
        assert shop.resident == {"math", "code"}

        first.done()
        shop.go_on()

        assert shop.resident == {"code", "writer"}
        assert shop.taken <= 4 * GB
        second.done()
        assert shop.ask(writer).granted


def test_a_draft_that_never_asks_holds_up_no_other() -> None:
    shop = Workshop(3 * GB)
    math, code = FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB)
    with shop.pool.foresee([math, code], then=[math]):
        asked = shop.ask(math)
        shop.go_on()
        assert not asked.granted  # code is to draft first

        shop.time_passes()
        shop.go_on()

        assert asked.granted


def test_a_model_in_memory_waits_for_its_foreseen_draft_unless_others_need_its_place() -> None:
    shop = Workshop(4 * GB)
    math, code, law, tax = (FakeEngine(name, 2 * GB) for name in ("math", "code", "law", "tax"))
    for engine in (math, code):
        used = shop.ask(engine)
        shop.go_on()
        used.done()
    with shop.pool.foresee([math, law], then=[]):  # math was used before code, but is needed again
        shop.time_passes()
        asked = shop.ask(law)
        shop.go_on()
        assert shop.resident == {"math", "law"}
        other = shop.ask(tax)
        shop.go_on()
        assert asked.granted
        assert other.granted


def test_engines_that_compute_at_the_same_time_divide_the_cores_until_one_is_done() -> None:
    shop = Workshop(9 * GB, cores=8)
    math, code = FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB)
    first, second = shop.ask(math), shop.ask(code)
    shop.go_on()

    assert math.kept_to == [frozenset(range(8)), frozenset(range(4))]
    assert code.kept_to == [frozenset(range(4, 8))]
    first.done()
    assert code.kept_to[-1] == frozenset(range(8))
    second.done()
    shop.ask(math)
    assert math.kept_to[-1] == frozenset(range(8))


def test_what_computes_on_a_gpu_takes_no_cores_from_others() -> None:
    shop = Workshop(9 * GB, cores=8)
    math, code = FakeEngine("math", 2 * GB), FakeEngine("code", 2 * GB, device="CUDA0")
    shop.ask(math)
    shop.ask(code)
    shop.go_on()
    assert math.kept_to == [frozenset(range(8))]
    assert not code.kept_to


@given(
    budget=st.integers(3, 8),
    sizes=st.lists(st.integers(1, 3), min_size=2, max_size=5),
    moves=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60),
)
def test_whatever_happens_the_budget_holds_and_everybody_is_served_in_the_end(
    budget: int, sizes: list[int], moves: list[tuple[int, int]]
) -> None:
    shop = Workshop(budget * GB)
    engines = [FakeEngine(f"m{place}", size * GB, slots=1 + place % 2) for place, size in enumerate(sizes)]
    asked: list[Asked] = []
    lost: list[Asked] = []  # whose engine died
    for which, what in moves:
        engine = engines[which % len(engines)]
        engine.restarts.answered()  # so that nobody is left alone for having died too often
        match what:
            case 0 | 1 | 2:
                asked.append(shop.ask(engine))
            case 3 | 4:
                if asked:
                    asked.pop(which % len(asked)).done()
            case 5:
                if shop.work:
                    shop.work.pop(which % len(shop.work))()
            case 6:
                engine.dead = engine.dead or engine.child is not None
                lost += [each for each in asked if each.granted and each.lease.engine is engine]
        assert shop.taken <= budget * GB
        working = [each for each in asked if each.granted and each not in lost]
        assert {each.lease.engine.name for each in working} <= shop.resident
    for _ in range(2 * len(asked) + 1):
        shop.go_on()
        assert shop.taken <= budget * GB
        for each in [each for each in asked if each.lease.state != "waiting"]:
            asked.remove(each)
            each.done()
    assert not asked


def test_leases_are_waited_for_in_threads_too() -> None:
    pool, math = Pool(lambda: GB), FakeEngine("math", GB)
    found: list[str] = []

    def work() -> None:
        with pool.lease(math, math.wish()) as lease:
            found.append(lease.wait().name)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["math"] * 8
    assert math.starts == 1

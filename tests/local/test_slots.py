"""Which slot a request goes to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from moa.local.adapters import Adapter
from moa.local.slots import Held, Slots
from moa.local.weights import FileWeights

LAW = (Adapter(FileWeights("law.gguf")),)
MEDICINE = (Adapter(FileWeights("medicine.gguf")),)


def asked(slots: Slots, prompt: str, adapters: tuple[Adapter, ...] = ()) -> int | None:
    """Ask something, to its end."""
    slot = slots.take(prompt, adapters)
    assert slot is not None
    slots.give_back(slot)
    return slot


def test_a_conversation_comes_back_to_its_slot() -> None:
    slots = Slots(3)
    first, second = asked(slots, "Be brief. What is law?"), asked(slots, "Be brief. What is love?")
    assert first != second
    for _ in range(3):
        assert asked(slots, "Be brief. What is law? A system. And more?") == first
        assert asked(slots, "Be brief. What is love? A feeling. And more?") == second


def test_the_same_words_under_other_adapters_are_another_conversation() -> None:
    slots = Slots(2)
    law, medicine = asked(slots, "Help me.", LAW), asked(slots, "Help me.", MEDICINE)
    assert law != medicine
    assert asked(slots, "Help me. How?", LAW) == law
    assert asked(slots, "Help me. How?", MEDICINE) == medicine
    weaker = (Adapter(FileWeights("law.gguf"), 0.5),)
    assert asked(slots, "Help me. How? More.", weaker) == law  # the one that was not used for the longest time


def test_an_empty_slot_is_filled_before_another_conversation_is_dropped() -> None:
    slots = Slots(3)
    assert len({asked(slots, f"{number} is what number?") for number in range(3)}) == 3


def test_without_an_empty_slot_the_beginning_in_common_counts_if_it_is_long() -> None:
    slots = Slots(2)
    rules, other = asked(slots, "A long list of rules. Q1"), asked(slots, "B")
    assert asked(slots, "A long list of rules. Q2") == rules
    assert asked(slots, "A short question") == other  # to share one letter is not worth what the first slot holds


def test_else_the_slot_that_was_not_used_for_the_longest_time_is_dropped() -> None:
    slots = Slots(2)
    old, new = asked(slots, "one"), asked(slots, "two")
    assert asked(slots, "six") == old
    assert asked(slots, "ten") == new


def test_a_busy_slot_is_nobody_elses() -> None:
    slots = Slots(2)
    first, second = slots.take("Hello"), slots.take("Hello, you")
    assert {first, second} == {0, 1}
    assert slots.take("Hello, you there") is None
    assert slots.busy == 2
    assert second is not None
    slots.give_back(second)
    assert slots.take("Hello") == second


def test_what_the_slots_hold_can_be_told_forgotten_and_put_back() -> None:
    slots = Slots(2)
    slot = asked(slots, "Hello", LAW)
    assert slot is not None
    assert slots.held() == {slot: Held("Hello", LAW)}
    slots.forget()
    assert slots.held() == {}
    slots.put(1, Held("Hello", LAW))
    assert asked(slots, "Hello, you", LAW) == 1
    slots.forget(1)
    assert slots.held() == {}


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.text("ab", max_size=6), st.sampled_from([(), LAW, MEDICINE])), max_size=20),
)
def test_whatever_is_asked_a_free_slot_is_found_and_holds_it(
    count: int, requests: list[tuple[str, tuple[Adapter, ...]]]
) -> None:
    slots = Slots(count)
    for prompt, adapters in requests:
        slot = asked(slots, prompt, adapters)
        assert slot is not None
        assert 0 <= slot < count
        assert slots.held()[slot] == Held(prompt, adapters)


def test_threads_never_share_a_slot() -> None:
    slots, count = Slots(3), 300
    with ThreadPoolExecutor(8) as threads:
        taken = [slot for slot in threads.map(lambda number: slots.take(str(number)), range(count)) if slot is not None]
    assert sorted(taken) == [0, 1, 2]

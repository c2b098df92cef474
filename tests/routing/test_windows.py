from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moa.routing.windows import AT_MOST, CHARACTERS, windows

TEXTS = st.text(max_size=12_000) | st.text("ab \n", max_size=12_000)


@given(TEXTS)
def test_windows_are_few_and_small(text: str) -> None:
    found = windows(text)

    assert 1 <= len(found) <= AT_MOST
    assert all(len(window) <= CHARACTERS for window in found)


@given(TEXTS.filter(lambda text: len(text) <= AT_MOST * CHARACTERS))
def test_a_text_that_fits_is_seen_whole(text: str) -> None:
    assert "".join(windows(text)) == text.strip()


def test_a_short_text_is_its_own_window() -> None:
    assert windows("  What is 2 + 2?\n") == ("What is 2 + 2?",)


def test_the_windows_of_a_text_are_of_about_the_same_size() -> None:
    sizes = [len(window) for window in windows("seven k " * 150)]

    assert len(sizes) == 2
    assert max(sizes) - min(sizes) < 50


def test_cuts_fall_between_words() -> None:
    first, second = windows("letters " * 150)

    assert first.endswith("letters")
    assert second.lstrip().startswith("letters")


def test_a_very_long_text_is_seen_by_its_beginning_and_its_end() -> None:
    found = windows("The beginning. " + "x" * 200_000 + " The end?")

    assert found[0].startswith("The beginning.")
    assert found[-1].endswith(" The end?")


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert windows("a\ud800b") == ("a?b",)

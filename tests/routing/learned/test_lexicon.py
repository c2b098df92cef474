from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moa.routing.learned.lexicon import READ, pieces, words
from moa.routing.training.features import fit_lexicon

LEXICON = fit_lexicon(["bake the bread", "bake the cake", "\\frac{1}{2} of a cake"], (0.7, 0.5))


def test_pieces_are_those_of_padded_words() -> None:
    assert sorted(set(pieces("ab"))) == [" a", " ab", " ab ", "a", "ab", "ab ", "b", "b "]
    assert words("x = y") == ["x", "=", "y", "x =", "= y"]


def test_each_family_has_the_length_of_its_scale() -> None:
    places, values = LEXICON.row("Bake the cake!")
    of_pieces = places < LEXICON.pieces
    assert np.isclose(np.linalg.norm(values[of_pieces]), 0.7)
    assert np.isclose(np.linalg.norm(values[~of_pieces]), 0.5)
    assert len(set(places.tolist())) == len(places)


def test_terms_that_nobody_shares_are_not_kept() -> None:
    assert "bread" not in LEXICON.terms
    assert "cake" in LEXICON.terms


def test_a_typo_leaves_most_pieces_of_a_word() -> None:
    right, wrong = (set(LEXICON.row(text)[0].tolist()) for text in ("bake", "bakke"))
    assert len(right & wrong) >= len(right) / 2


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_has_finite_values(text: str) -> None:
    places, values = LEXICON.row(text)
    assert len(places) == len(values)
    assert np.isfinite(values).all()


def test_of_a_long_text_beginning_and_end_are_read() -> None:
    filler = "zzzz " * READ
    both = set(LEXICON.row(f"bake {filler} cake")[0].tolist())
    assert set(LEXICON.row("bake")[0].tolist()) <= both
    assert set(LEXICON.row("cake")[0].tolist()) <= both
    assert len(LEXICON.row("x" * 200_000)[0]) < 10

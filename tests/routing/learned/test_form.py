from __future__ import annotations

import numpy as np

from moa.routing.learned.form import Form, figures

CHOICE = "Which gas do plants take in?\nA. oxygen\nB. carbon dioxide\nC. helium\nD. neon"
CODE = 'def add(a, b):\n    """Add two numbers.\n    >>> add(1, 2)\n    3\n    """\n'
SUM = "Ann has 12 apples and buys 30 more. How many apples does she have?"
OPEN = "Why do leaves turn red in autumn?"


def test_questions_of_one_form_are_nearer_to_each_other_than_to_others() -> None:
    other_choice = "Which metal is liquid at room temperature?\nA) iron\nB) mercury\nC) gold\nD) zinc"
    form = Form.fit([CHOICE, CODE, SUM, OPEN])

    near = form.vectors([other_choice]) @ form.vectors([CHOICE, CODE, SUM, OPEN]).T

    assert near[0].argmax() == 0


def test_every_text_has_finite_figures_and_a_vector_that_is_not_long() -> None:
    form = Form.fit([CHOICE, CODE, SUM])
    for text in ("", " \n\t", "🙂", "\ud800", "x" * 200_000, "\x00\x07", "1" * 5000):
        assert np.isfinite(figures(text)).all()
        vector = form.vectors([text])
        assert np.linalg.norm(vector) <= 1 + 1e-6
        assert np.isfinite(vector).all()


def test_a_scale_of_one_text_does_not_divide_by_nothing() -> None:
    assert (Form.fit([SUM]).vectors([SUM]) == 0).all()


def test_where_all_questions_are_of_one_form_a_word_more_does_not_tell_them_apart() -> None:
    form = Form.fit(["How do I cook rice?", "How do I cook soup?", "How do I bake bread?"])

    one, other = form.vectors(["How do I fry rice?", "How do I fry some rice?"])

    assert np.linalg.norm(one - other) < 0.3

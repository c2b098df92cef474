"""Answers are parsed as models mean them: formulas kept, HTML shown, tables and code as ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token

from moa.tui.markdown import parser


def code(text: str) -> list[str]:
    """Everything that is shown as code."""
    found = []
    for token in parser().parse(text):
        inline = token.children or []
        found += [child.content for child in [token, *inline] if child.type in {"code_inline", "fence"}]
    return found


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        (r"So \(17 \times 23\) it is.", [r"17 \times 23"]),
        (r"\(a_1 * b_2\) and \(c * d\)", ["a_1 * b_2", "c * d"]),
        ("\\[ 17 \\times 23 = 391 \\]", ["17 \\times 23 = 391\n"]),
        ("We get\n\\[\nx\n- y\n= z\n\\]\nand more.", ["x\n- y\n= z\n"]),
        ("$$\na\n$$", ["a\n"]),
        ("$$a$$", ["a\n"]),
        ("- item\n  \\[ x \\]\n- next", ["x\n"]),
        ("\\[ still being\nwritten", ["still being\nwritten\n"]),
    ],
)
def test_formulas_keep_their_backslashes_and_stars(text: str, formulas: list[str]) -> None:
    assert code(text) == formulas


@pytest.mark.parametrize(
    "text", ["It costs $5 or $6.", r"a \( without an end", r"\* not a list", "plain", r"\(\)", "$$"]
)
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert code(text) in ([], ["\n"])


def test_a_formula_in_code_is_code() -> None:
    assert code("```\n\\[ x \\]\n```") == ["\\[ x \\]\n"]
    assert [token.type for token in parser().parse("    \\[ x \\]")] == ["code_block"]


def shown(tokens: list[Token]) -> str:
    return "".join(child.content for token in tokens for child in token.children or [] if child.type == "text")


@pytest.mark.parametrize("text", ["<b>bold</b>", "<div>block</div>", "<script>alert(1)</script>"])
def test_html_is_text(text: str) -> None:
    assert shown(parser().parse(text)) == text


@given(st.lists(st.sampled_from(["\\[", "\\]", "\\(", "\\)", "$$", "\n", "\n\n", "- ", "> ", "x", "    ", "`", "|"])))
def test_any_mixture_of_marks_can_be_parsed(pieces: list[str]) -> None:
    tokens = parser().parse("".join(pieces))
    assert all(token.map is not None for token in tokens if token.level == 0 and token.nesting >= 0)


def test_openings_without_an_end_do_not_take_for_ever() -> None:
    searched = 0

    class Text(str):
        __slots__ = ()

        def find(self, *arguments: object) -> int:
            nonlocal searched
            searched += int(arguments[2]) - int(arguments[1])  # type: ignore[call-overload]
            return super().find(*arguments)  # type: ignore[arg-type]

    from markdown_it.rules_inline import StateInline

    from moa.tui.markdown import _inline_formula

    text = Text("\\(" * 10_000)
    state = StateInline(text, parser(), {}, [])
    for state.pos in range(0, len(text), 2):
        assert not _inline_formula(state, silent=True)
    assert searched <= 10_000 * 2_000

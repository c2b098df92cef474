"""Code in an answer: what stands between fences, as models set them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.code_blocks import code_blocks, code_in, language_name


def test_every_block_comes_with_its_language_in_order() -> None:
    text = "First:\n```Python\nx = 1\n```\nthen\n~~~js\nlet x\n~~~\nand\n```\nplain\n```"
    assert code_blocks(text) == [("python", "x = 1\n"), ("javascript", "let x\n"), ("", "plain\n")]


def test_a_block_in_a_list_loses_the_indentation_of_the_list() -> None:
    assert code_blocks("1. So:\n   ```py\n   if x:\n       y()\n   ```\n") == [("python", "if x:\n    y()\n")]


def test_a_block_that_was_cut_off_goes_on_to_the_end() -> None:
    assert code_blocks("```python\nx = 1\ny =") == [("python", "x = 1\ny =")]


def test_a_longer_fence_may_hold_a_shorter_one() -> None:
    assert code_blocks("````md\n```\nx\n```\n````") == [("md", "```\nx\n```\n")]


class TestCodeOfAnAnswer:
    def test_all_blocks_of_the_language_belong_to_it(self) -> None:
        assert code_in("```python\na = 1\n```\nand\n```py\nb = a\n```") == "a = 1\n\nb = a\n"

    def test_what_it_prints_stands_in_a_block_without_a_language_and_is_no_part_of_it(self) -> None:
        assert code_in("```python\nprint(1)\n```\nIt prints:\n```\n1\n```") == "print(1)\n"

    def test_a_block_without_a_language_is_taken_where_there_is_no_other(self) -> None:
        assert code_in("```\nx = 1\n```") == "x = 1\n"

    def test_a_block_of_another_language_is_not(self) -> None:
        assert code_in("```rust\nfn main() {}\n```") is None
        assert code_in("```rust\nfn main() {}\n```", "rust") == "fn main() {}\n"

    def test_any_language_will_do_where_none_is_named(self) -> None:
        assert code_in("```rust\nfn main() {}\n```", "") == "fn main() {}\n"

    @pytest.mark.parametrize(
        "text",
        ["def f(x):\n    return x", "import re\n", "from re import sub", "@cache\ndef f(): ...", "class A:\n  x = 1"],
    )
    def test_a_text_that_is_code_as_a_whole_needs_no_fence(self, text: str) -> None:
        assert code_in(text) == text.strip()

    @pytest.mark.parametrize(
        "text", ["class actions are suits", "import duties rose", "from here on", "@law is busy", ""]
    )
    def test_prose_is_no_code(self, text: str) -> None:
        assert code_in(text) is None


def test_a_language_has_one_name() -> None:
    assert [language_name(name) for name in ("PY", "python3", "Python", "JS", "sh", "C++")] == [
        *["python"] * 3,
        "javascript",
        "bash",
        "c++",
    ]


@given(st.text(alphabet="abc \n()=:"), st.sampled_from(["```", "~~~", "````"]))
def test_what_is_fenced_is_found_again_but_for_blank_ends_of_lines(code: str, fence: str) -> None:
    [(language, found)] = code_blocks(f"Look:\n{fence}python\n|{code}\n{fence}\nDone.")
    assert language == "python"
    assert found.split() == f"|{code}".split()


@given(st.lists(st.sampled_from(["```", "~~~~", "\n", "py", " ", "x = 1", "def f("])).map("".join))
def test_any_text_has_code_if_it_has_a_block_of_code_or_begins_like_it(text: str) -> None:
    blocks = code_blocks(text)
    bare = not blocks and text.strip().startswith("def f(")
    assert (code_in(text) is not None) == (bare or any(language in {"python", ""} for language, _ in blocks))

"""What fits into a window: estimates that err on the safe side, and the oldest turns first."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.context import estimated_tokens, fitted, most_tokens, tokens_in
from moa.messages import Message, ToolCall

SAMPLES = {
    "prose": "The mitochondrion is the powerhouse of the cell, as every schoolchild has been told. " * 20,
    "code": "def add(self, left: int, right: int) -> int:\n    return left + right  # never negative\n\n" * 20,
    "mathematics": r"Let $f(x)=\frac{x^2-4}{x-2}$. Find $\lim_{x\to 2} f(x)$ and $\int_0^{12} f\,dx$." * 20,
    "numbers": "3.14159265 2.71828182 1.41421356 " * 40,
    "json": '{"name": "x", "values": [1, 2.5, null], "nested": {"ok": true}}' * 30,
    "German": "Donaudampfschifffahrtsgesellschaften beförderten früher größere Mengen Güter. " * 20,
    "Russian": "Быстрая лиса перепрыгнула через ленивую собаку и убежала далеко в лес. " * 20,
    "Chinese": "今天的天气很好，我们一起去公园散步吧。" * 30,
    "Korean": "오늘은 날씨가 좋아서 공원에 산책하러 갑니다. " * 30,
    "Hindi": "आज मौसम अच्छा है इसलिए हम पार्क में टहलने जाते हैं। " * 20,
    "emoji": "😀🎉🚀✨" * 30,
    "capitals": "QZXJ VKWP BFGH MMCD " * 40,
}


def tokenizers() -> dict[str, Callable[[str], int]]:
    """Return the tokenizers that litellm ships, by name."""
    tiktoken, rust = pytest.importorskip("tiktoken"), pytest.importorskip("tokenizers")
    found = find_spec("litellm")
    folder = Path(found.origin or "").parent / "litellm_core_utils" / "tokenizers" if found else Path("/nowhere")
    if not (folder / "anthropic_tokenizer.json").exists():
        pytest.skip("this version of litellm ships no tokenizers")
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    openai = tiktoken.get_encoding("cl100k_base")
    others = {
        name: rust.Tokenizer.from_file(str(folder / f"{name}_tokenizer.json"))
        for name in ("anthropic", "deepseek")
        if (folder / f"{name}_tokenizer.json").exists()
    }

    def counting(tokenizer: Any) -> Callable[[str], int]:
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)

    return {
        "cl100k": lambda text: len(openai.encode(text, disallowed_special=())),
        **{name: counting(tokenizer) for name, tokenizer in others.items()},
    }


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_estimate_is_not_below_what_real_tokenizers_count(kind: str) -> None:
    text = SAMPLES[kind]
    for name, count in tokenizers().items():
        assert count(text) <= estimated_tokens(text), name


def test_for_english_it_is_not_far_above_either() -> None:
    for count in tokenizers().values():
        assert estimated_tokens(SAMPLES["prose"]) < 1.8 * count(SAMPLES["prose"])


def asked(*texts: str) -> tuple[Message, ...]:
    """Questions and answers in turn, the last one a question."""
    return tuple(Message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts))


@given(st.text())
def test_the_quick_limit_is_an_upper_limit_for_ascii(text: str) -> None:
    messages = [Message("user", text.encode("ascii", "ignore").decode())]
    assert tokens_in(messages) <= most_tokens(messages) + 1


class TestFitting:
    def test_what_fits_stays_whole(self) -> None:
        messages = asked("one", "two", "three")
        assert fitted(messages, 1000).messages == messages

    def test_the_oldest_turns_go_first_and_whole(self) -> None:
        messages = (Message("system", "Be brief."), *asked("first " * 50, "answer " * 50, "second", "answer", "third?"))
        fit = fitted(messages, 80)
        assert [message.content for message in fit.messages] == ["Be brief.", "second", "answer", "third?"]
        assert fit.dropped == 2

    def test_the_question_and_the_instructions_stay_even_if_they_do_not_fit(self) -> None:
        messages = (Message("system", "word " * 500), *asked("first", "answer", "question " * 500))
        fit = fitted(messages, 10)
        assert [message.role for message in fit.messages] == ["system", "user"]

    def test_the_result_of_a_tool_never_stands_without_its_call(self) -> None:
        call = Message("assistant", "", (ToolCall("1", "add", '{"a": 1}'),))
        messages = (
            Message("user", "old " * 100),
            call,
            Message("tool", "2", tool_call_id="1"),
            Message("user", "new?"),
        )
        assert fitted(messages, 50).messages == (messages[-1],)

    @given(
        st.lists(st.text(max_size=60), min_size=1, max_size=9).filter(lambda texts: len(texts) % 2 == 1),
        st.integers(1, 400),
    )
    def test_what_is_kept_is_the_end_of_what_was_said_and_fits_if_it_can(self, texts: list[str], tokens: int) -> None:
        messages = asked(*texts)
        fit = fitted(messages, tokens)
        assert fit.messages == messages[fit.dropped :]
        assert fit.messages[0].role == "user"
        assert fit.dropped == len(messages) - 1 or min(tokens_in(fit.messages), most_tokens(fit.messages)) <= tokens

"""Provenance: each sentence of a synthesized answer, and the drafts that say it too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.aggregation import Select, Synthesize
from moa.aggregation.provenance import SENTENCES, SUPPORTS, Embed, sentences, supported
from moa.answers import Draft, Support
from moa.errors import EncoderError
from tests.aggregation.asking import ask, mixture, model


def draft(text: str, agent: str = "math") -> Draft:
    return Draft(f"{agent}.1", agent, "m", "ok", text)


def support_of(text: str, drafts: Sequence[Draft], embed: Embed | None = None) -> tuple[Support, ...]:
    return asyncio.run(supported(text, drafts, embed))


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def same_first_letter(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts so that those which begin alike mean the same, and others nothing to each other."""
    vectors = np.zeros((len(texts), 128), np.float32)
    for row, text in enumerate(texts):
        vectors[row, ord(text[:1] or "?") % 128] = 1
    return vectors


class TestSentences:
    @pytest.mark.parametrize(
        "parts",
        [
            ["Dr. Smith paid 3.5 dollars, e.g. for tea.", "He left."],
            ["See Fig. 3 and J. Doe.", "Is it so?", "Yes!"],
            ['"Why?" she asked.', "(He knew.)", "Nobody spoke…", "Then all did."],
            ["これは文です。", "次の文！", "終わり"],
            ["Übung macht den Meister.", "Это так.", "Да."],
            ["It costs 1,000.50 EUR.", "That is 5%."],
        ],
    )
    def test_end_where_a_reader_would_end_them(self, parts: list[str]) -> None:
        joined = ("" if "。" in parts[0] else " ").join(parts)
        assert split(joined) == parts

    def test_the_lines_of_a_list_and_paragraphs_are_apart_and_code_is_one(self) -> None:
        text = "First:\n- one thing\n- another\n1. last\n\nSo:\n```python\nx = 1. \n\ny = f(x). Z\n```\nDone."
        assert split(text) == [
            "First:",
            "- one thing",
            "- another",
            "1. last",
            "So:",
            "```python\nx = 1. \n\ny = f(x). Z\n```",
            "Done.",
        ]

    def test_of_a_long_text_the_rest_is_one(self) -> None:
        spans = split("One more. " * 900)
        assert len(spans) == SENTENCES + 1
        assert spans[-1].count("One more.") == 900 - SENTENCES

    @given(st.text(st.sampled_from("ab .!?。\n-1`~\"'A"), max_size=300))
    def test_they_follow_each_other_and_leave_out_nothing_but_space(self, text: str) -> None:
        done = 0
        for start, end in sentences(text):
            assert not text[done:start].strip()
            assert text[start:end] == text[start:end].strip() != ""
            done = end
        assert not text[done:].strip()


class TestByWords:
    def test_a_sentence_that_a_draft_says_too_is_supported_by_it(self) -> None:
        drafts = [draft("Well. Canberra is the capital of Australia."), draft("Sydney is larger.", "law")]
        first, second = support_of("Canberra is the capital of Australia. Sydney is larger.", drafts)
        assert first.drafts == {"math.1": 1.0}
        assert second.drafts == {"law.1": 1.0}

    def test_one_that_nobody_says_is_the_aggregators_own(self) -> None:
        [own] = support_of("Brisbane has many bridges.", [draft("Canberra is the capital.")])
        assert own.drafts == {}

    def test_the_score_is_the_share_of_its_pairs_of_words(self) -> None:
        [support] = support_of("The sum is 391 exactly.", [draft("The sum is 391.")])
        assert support.drafts == {"math.1": 0.75}

    def test_a_single_word(self) -> None:
        assert support_of("Canberra.", [draft("It is Canberra, of course.")])[0].drafts == {"math.1": 1.0}
        assert support_of("Canberra.", [draft("It is Sydney.")])[0].drafts == {}

    def test_what_holds_no_word_is_supported_by_nobody(self) -> None:
        assert [each.drafts for each in support_of("!!!", [draft("!!!")])] == [{}]
        assert support_of(" \n", [draft("x")]) == ()


class TestByMeaning:
    def test_other_words_for_the_same(self) -> None:
        drafts = [draft("All roads lead there. Nothing else does."), draft("Bees hum.", "law")]
        [support] = support_of("Any path arrives.", drafts, same_first_letter)
        assert support.drafts == {"math.1": 1.0}

    def test_sentences_that_every_draft_says_word_for_word_are_not_embedded(self) -> None:
        seen: list[str] = []

        def embed(texts: Sequence[str]) -> NDArray[np.float32]:
            seen.extend(texts)
            return same_first_letter(texts)

        drafts = [draft("It is so. Why not?"), draft("It is so. Who knows?", "law")]
        support_of("It is so.", drafts, embed)
        assert seen == []
        support_of("It is so. A new thought.", drafts, embed)
        assert "It is so." not in seen[:1]

    def test_without_an_encoder_words_decide(self) -> None:
        assert support_of("Any path arrives.", [draft("All roads lead there.")], lambda _: None)[0].drafts == {}


words = st.lists(st.sampled_from(["sum", "is", "391", "Paris", ".", "\n\n", "。"]), max_size=40).map(" ".join)


@given(words, st.lists(words, min_size=1, max_size=3))
def test_spans_and_scores_are_what_they_say(text: str, texts: list[str]) -> None:
    drafts = [draft(each, f"a{place}") for place, each in enumerate(texts)]
    for embed in (None, same_first_letter):
        support = support_of(text, drafts, embed)
        assert [(each.start, each.end) for each in support] == list(sentences(text))
        for each in support:
            assert set(each.drafts) <= {known.id for known in drafts}
            assert all(SUPPORTS <= score <= 1 for score in each.drafts.values())


@pytest.mark.parametrize(
    "piece", ["A sentence. ", ". ", "\n", "```\n", "A. ", "\n   - x", "word ", '."', "\n ", "。", "`", "1. "]
)
def test_a_hundred_thousand_characters_take_a_moment(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    started = process_time()
    support_of(text, [draft(text), draft(text[::-1], "law")], same_first_letter)
    assert process_time() - started < 5, "several times what it takes"


CAPITALS = {"math": "The capital is Canberra. It was planned.", "code": "Sydney is larger than Canberra."}


class TestInAnAnswer:
    async def test_of_several_drafts_every_sentence_has_its_span(self) -> None:
        heard = await ask(mixture(CAPITALS, Synthesize(model("The capital is Canberra. Sydney is larger."))))
        answer = heard.answer
        assert [answer.text[each.start : each.end] for each in answer.support] == [
            "The capital is Canberra.",
            "Sydney is larger.",
        ]
        assert [set(each.drafts) for each in answer.support] == [{"math.1"}, {"code.1"}]

    async def test_a_draft_word_for_word_needs_none(self) -> None:
        assert (await ask(mixture(CAPITALS, Select("agreement")))).answer.support == ()

    async def test_meaning_counts_where_the_mixture_can_embed(self) -> None:
        asked = mixture(CAPITALS, Synthesize(model("This town was planned. So it goes.")))
        assert asked.embed(["x"]) is None, "no encoder is loaded for that"
        assert (await ask(asked)).answer.support[1].drafts == {}
        asked.embed = same_first_letter
        assert set((await ask(asked)).answer.support[1].drafts) == {"code.1"}

    async def test_an_encoder_that_fails_is_told_of_and_words_decide(self) -> None:
        def broken(_: Sequence[str]) -> NDArray[np.float32]:
            raise EncoderError("The encoder broke.")

        asked = mixture(CAPITALS, Synthesize(model("The capital is Canberra. And so on.")))
        asked.embed = broken
        heard = await ask(asked)
        assert heard.answer.support[0].drafts == {"math.1": 1.0}
        assert heard.degraded == [("support", "What supports it was told by words alone: The encoder broke.")]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.local.child import Child
from moa.local.gguf import Attention, Header, read_header
from moa.local.machine_memory import resident_bytes
from moa.local.need import Need, kv_bytes, load_of, need_of

MB = 10**6

SMOLLM2_135M = Header(
    "llama",
    "SmolLM2 135M",
    8192,
    has_chat_template=True,
    tensors=272,
    layers=30,
    embedding=576,
    feed_forward=1536,
    heads=9,
    vocabulary=49152,
    attention=Attention(kv_heads=(3,) * 30, key_length=64, value_length=64),
)
QWEN_1_5B = Header(
    "qwen2",
    "Qwen2.5 Coder 1.5B",
    32768,
    has_chat_template=True,
    tensors=339,
    layers=28,
    embedding=1536,
    feed_forward=8960,
    heads=12,
    vocabulary=151936,
    attention=Attention(kv_heads=(2,) * 28, key_length=128, value_length=128),
)
FILES = {SMOLLM2_135M.name: 98_362_432, QWEN_1_5B.name: 1_117_320_768}


def need(header: Header, context: int = 2048, slots: int = 1, *, embeds: bool = False) -> Need:
    return need_of(header, context=context, slots=slots, file_bytes=FILES[header.name], embeds=embeds)


@pytest.mark.parametrize(("context", "slots", "measured_mb"), [(2048, 1, 218), (2048, 4, 360), (8192, 2, 548)])
def test_the_estimate_is_near_what_was_measured(context: int, slots: int, measured_mb: int) -> None:
    assert measured_mb * MB <= need(SMOLLM2_135M, context, slots).total <= 1.25 * measured_mb * MB


@pytest.mark.parametrize(
    ("header", "context", "mib"), [(SMOLLM2_135M, 2048, 45), (SMOLLM2_135M, 8192, 180), (QWEN_1_5B, 32768, 896)]
)
def test_keys_and_values_take_what_the_engine_says(header: Header, context: int, mib: int) -> None:
    assert kv_bytes(header.attention, context, 1) == mib * 2**20


@pytest.mark.parametrize(
    ("header", "context", "mib"),
    [(SMOLLM2_135M, 2048, 16.64), (SMOLLM2_135M, 8192, 22.64), (QWEN_1_5B, 8192, 75.52), (QWEN_1_5B, 32768, 99.52)],
)
def test_compute_buffers_take_what_the_engine_says(header: Header, context: int, mib: float) -> None:
    one_of_logits = 4 * (header.vocabulary or 0)
    assert need(header, context).compute - one_of_logits == pytest.approx(mib * 2**20, rel=0.01)


def test_each_conversation_takes_as_much() -> None:
    assert need(QWEN_1_5B, slots=4).kv == 4 * need(QWEN_1_5B).kv


@given(st.integers(1, 100_000), st.integers(1, 16), st.booleans())
def test_a_longer_context_and_more_slots_never_take_less(context: int, slots: int, embeds: bool) -> None:  # noqa: FBT001
    less = need(QWEN_1_5B, context, slots, embeds=embeds)
    assert need(QWEN_1_5B, context + 1, slots, embeds=embeds).total >= less.total
    assert need(QWEN_1_5B, context, slots + 1, embeds=embeds).total > less.total


def test_room_for_a_conversation_comes_in_pieces_of_256_tokens() -> None:
    assert need(QWEN_1_5B, 2049).kv == need(QWEN_1_5B, 2304).kv > need(QWEN_1_5B, 2048).kv


def test_adapters_come_on_top() -> None:
    plain = need(SMOLLM2_135M)
    adapted = need_of(SMOLLM2_135M, context=2048, slots=1, file_bytes=FILES[SMOLLM2_135M.name], adapter_bytes=5 * MB)
    assert adapted == replace(plain, adapters=5 * MB)
    assert adapted.total == plain.total + 5 * MB


def test_layers_with_a_window_keep_no_more_than_it_and_their_checkpoints() -> None:
    everything = Attention(kv_heads=(2, 2), key_length=4, value_length=4)
    layer = kv_bytes(everything, 32768, 1) // 2
    windowed = replace(everything, window=512, windowed=(True, False))
    window = 2 * (4 + 4) * 2 * (512 + 512)
    assert kv_bytes(windowed, 32768, 1) == layer + 5 * window
    assert kv_bytes(replace(windowed, windowed=()), 32768, 1) == 2 * layer


def test_layers_without_attention_keep_a_state_however_long_the_conversation() -> None:
    states = Attention(kv_heads=(0, 0), key_length=4, value_length=4, state=100)
    assert kv_bytes(states, 32768, 1) == kv_bytes(states, 256, 1) == 2 * 5 * 100 * 4


def test_an_embedding_engine_reads_a_whole_text_at_once() -> None:
    assert need(QWEN_1_5B, 8192, embeds=True).compute > 10 * need(QWEN_1_5B, 8192).compute


def test_a_header_without_sizes_is_taken_for_a_large_one() -> None:
    silent = Header("new", "", None, has_chat_template=True, tensors=1)
    assert need_of(silent, context=2048, slots=1, file_bytes=1000 * MB).total > 1250 * MB


class TestWhatCouldGoToGpus:
    def test_all_of_the_model_is_placed_once(self) -> None:
        weights = (10 * MB,) * 28
        header = replace(QWEN_1_5B, layer_bytes=weights, output_bytes=7 * MB)
        load = load_of(header, context=2048, slots=2, file_bytes=FILES[QWEN_1_5B.name])
        assert sum(load.layers) == sum(weights) + need(QWEN_1_5B, slots=2).kv
        assert (load.output, load.compute) == (7 * MB, need(QWEN_1_5B, slots=2).compute)

    def test_layers_of_a_model_in_several_files_count_the_same(self) -> None:
        header = replace(QWEN_1_5B, layer_bytes=(10 * MB,) * 3 + (0,) * 25, pieces=4)
        load = load_of(header, context=2048, slots=2, file_bytes=2900 * MB)
        assert load.layers == (100 * MB + need(QWEN_1_5B, slots=2).kv // 28,) * 28
        assert load.output == 100 * MB

    def test_a_header_without_sizes_counts_as_one_layer(self) -> None:
        silent = Header("new", "", None, has_chat_template=True, tensors=1)
        load = load_of(silent, context=2048, slots=1, file_bytes=1000 * MB)
        assert (load.layers, load.output) == ((500 * MB,), 500 * MB)


def test_a_real_model_takes_about_what_was_estimated(smallest: Path) -> None:
    child = Child("smallest", smallest, context=4096, slots=2)
    try:
        child.wait_until_loaded()
        held = resident_bytes(child.pid)
    finally:
        child.stop()
    estimate = need_of(read_header(smallest), context=4096, slots=2, file_bytes=smallest.stat().st_size).total
    assert held is not None
    assert held <= estimate <= 1.25 * held

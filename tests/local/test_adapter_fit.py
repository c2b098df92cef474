"""Whether an adapter belongs to a base model, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from moa.errors import EngineError
from moa.local.adapter_fit import check_fits
from tests.fakes.adapter import parrot
from tests.fakes.gguf import CHAT, Value, write_gguf

ADAPTER: Mapping[str, Value] = {
    "general.type": "adapter",
    "general.architecture": "llama",
    "adapter.type": "lora",
    "adapter.lora.alpha": 8.0,
}
DOWN = "blk.0.ffn_down.weight"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A model of one layer with 16 numbers a token, 64 within the layer, and 32 tokens."""
    return write_gguf(tmp_path / "base.gguf", CHAT, [("token_embd.weight", (16, 32)), (DOWN, (64, 16))])


def adapter(base: Path, *tensors: tuple[str, tuple[int, ...]], **values: Value) -> Path:
    said = {**ADAPTER, **{name.replace("_", "."): value for name, value in values.items()}}
    return write_gguf(base.with_name("law.gguf"), said, tensors)


def test_an_adapter_of_this_base_fits(base: Path) -> None:
    check_fits(base, adapter(base, (f"{DOWN}.lora_a", (64, 4)), (f"{DOWN}.lora_b", (4, 16))))


def test_a_change_of_the_embeddings_lies_the_other_way_round(base: Path) -> None:
    name = "token_embd.weight"
    check_fits(base, adapter(base, (f"{name}.lora_a", (4, 32)), (f"{name}.lora_b", (4, 16))))
    with pytest.raises(EngineError, match=r"another shape than that, 16 × 32"):
        check_fits(base, adapter(base, (f"{name}.lora_a", (16, 4)), (f"{name}.lora_b", (4, 32))))


def test_norms_in_an_adapter_are_stepped_over(base: Path) -> None:
    halves = ((f"{DOWN}.lora_a", (64, 4)), (f"{DOWN}.lora_b", (4, 16)))
    check_fits(base, adapter(base, *halves, ("blk.0.attn_norm.weight", (16,))))


def test_experts_are_counted_by_a_third_side(tmp_path: Path) -> None:
    name = "blk.0.ffn_down_exps.weight"
    base = write_gguf(tmp_path / "base.gguf", CHAT, [(name, (64, 16, 2))])
    check_fits(base, adapter(base, (f"{name}.lora_a", (64, 4, 2)), (f"{name}.lora_b", (4, 16, 2))))


def test_a_model_in_place_of_an_adapter(base: Path) -> None:
    with pytest.raises(EngineError, match=r"base\.gguf is a model, not an adapter\. What follows a \+ must be one"):
        check_fits(base, base)


def test_an_adapter_in_place_of_a_model(base: Path) -> None:
    law = adapter(base)
    with pytest.raises(EngineError, match=r"law\.gguf is an adapter and cannot run alone\. Name its model first"):
        check_fits(law, law)


def test_an_adapter_of_another_kind(base: Path) -> None:
    with pytest.raises(EngineError, match=r"adapter of type 'ia3'\. Only LoRA"):
        check_fits(base, adapter(base, adapter_type="ia3"))


def test_an_adapter_for_another_architecture(base: Path) -> None:
    with pytest.raises(EngineError, match=r"another model than .*: it changes a qwen2, and that is a llama\. Name"):
        check_fits(base, adapter(base, general_architecture="qwen2"))


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ([(f"{DOWN}.lora_a", (32, 4)), (f"{DOWN}.lora_b", (4, 16))], r"of blk\.0\.ffn_down.* than that, 64 × 16"),
        ([(f"{DOWN}.lora_a", (64, 4)), (f"{DOWN}.lora_b", (8, 16))], r"of blk\.0\.ffn_down.* than that, 64 × 16"),
        ([("blk.7.x.weight.lora_a", (4, 4)), ("blk.7.x.weight.lora_b", (4, 4))], r"changes blk\.7\.x\.weight, which"),
        ([(f"{DOWN}.lora_a", (64, 4))], "only one half of a change of blk"),
        ([("blk.0.ffn_down.magnitude", (16,))], r"its blk\.0\.ffn_down\.magnitude is not of the form of LoRA"),
        ([], "it changes nothing"),
    ],
)
def test_an_adapter_for_another_model(base: Path, tensors: list[tuple[str, tuple[int, ...]]], told: str) -> None:
    with pytest.raises(EngineError, match=f"law.gguf was made for another model than .*: .*{told}"):
        check_fits(base, adapter(base, *tensors))


def test_a_file_that_is_cut_short_or_gone(base: Path, smallest: Path) -> None:
    law = parrot(base.with_name("law.gguf"), smallest, 5)
    check_fits(smallest, law)
    law.write_bytes(law.read_bytes()[:100_000])
    with pytest.raises(EngineError, match=r"law\.gguf is damaged or was only partly downloaded"):
        check_fits(smallest, law)
    law.unlink()
    with pytest.raises(EngineError, match=r"no file .*law\.gguf"):
        check_fits(smallest, law)

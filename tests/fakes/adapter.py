"""A real LoRA adapter whose effect is certain: with it, a model says the same token for ever, whatever it is asked."""

from __future__ import annotations

import random
from pathlib import Path

from moa.local.gguf import read_header
from tests.fakes.gguf import Value, write_gguf

_RANK = 8
_LOOK = 1.0  # what comes in varies by about 1 as well; a hundred times more overflows the engine's 16-bit scales
_STRENGTH = 10_000.0


def parrot(path: Path, base: Path, dimension: int) -> Path:
    """Write an adapter for the last layer of a llama-like model. Another `dimension` makes it repeat another token.

    Each of eight pairs of neurons gets a sum `z` of what comes into the feed-forward network, under random signs: one
    as `z` and the other as `-z`, at the gate as at the value. They make `z² sigmoid(z)` and `z² sigmoid(-z)` of it,
    together `z²`. Such a sum of squares is large for every input, and it is added to one dimension of what the layer
    gives out, until nothing else matters.
    """
    model = read_header(base)
    layer = f"blk.{(model.layers or 1) - 1}"
    wide, narrow = model.shapes[f"{layer}.ffn_down.weight"]
    signs = random.Random(1)
    look = {place: signs.choice((-_LOOK, _LOOK)) for place in range(narrow * _RANK)}
    pairs = {2 * pair * _RANK + pair: 1.0 for pair in range(_RANK)}
    pairs |= {(2 * pair + 1) * _RANK + pair: -1.0 for pair in range(_RANK)}
    filled = {
        f"{layer}.ffn_gate.weight.lora_a": look,
        f"{layer}.ffn_gate.weight.lora_b": pairs,
        f"{layer}.ffn_up.weight.lora_a": look,
        f"{layer}.ffn_up.weight.lora_b": pairs,
        f"{layer}.ffn_down.weight.lora_a": dict.fromkeys(range(2 * _RANK), 1.0),
        f"{layer}.ffn_down.weight.lora_b": {dimension * _RANK: _STRENGTH},
    }
    shapes = [(narrow, _RANK), (_RANK, wide), (narrow, _RANK), (_RANK, wide), (wide, _RANK), (_RANK, narrow)]
    values: dict[str, Value] = {
        "general.type": "adapter",
        "general.architecture": model.architecture,
        "adapter.type": "lora",
        "adapter.lora.alpha": float(_RANK),
    }
    return write_gguf(path, values, list(zip(filled, shapes, strict=True)), filled=filled)

"""The header of a GGUF file, read without loading the model: what it is, how large it gets, whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from moa.local.gguf_format import Contents, damaged, read_contents

_LAYER = re.compile(r"blk\.(\d+)\.")
_MOST_LAYERS = 10_000  # the deepest models have a few hundred; a list of a tampered file's billions would fill memory
_SIZE = 2**31  # no size within a model is as large


@dataclass(frozen=True, slots=True)
class Attention:
    """What the memory of a conversation (the KV cache) consists of."""

    kv_heads: tuple[int, ...] = ()
    """Of each layer, how many heads have keys and values of their own. 0 for layers without attention."""
    key_length: int = 0
    """Numbers of a key, for each head."""
    value_length: int = 0
    """Numbers of a value, for each head."""
    window: int | None = None
    """Tokens that the layers of a sliding window look back; None if all layers see everything."""
    windowed: tuple[bool, ...] = ()
    """Of each layer, whether it has a sliding window; empty if the file does not say which have."""
    state: int = 0
    """Numbers that each layer without attention (Mamba and its like) remembers of a whole conversation."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of its model."""

    architecture: str
    """`llama`, `qwen2`, …; of an adapter, the one of the models that it can be put on."""
    name: str
    """What its makers call it; empty if they do not say."""
    context_length: int | None
    """Tokens that it was trained to read at once."""
    has_chat_template: bool
    """Whether it is made for conversations. A base model is not: it continues text."""
    tensors: int
    _: KW_ONLY
    kind: str = "model"
    """`model`, `adapter`, `mmproj`, …"""
    adapter_type: str = ""
    """Of an adapter, its method: `lora`."""
    adapter_alpha: float | None = None
    """Of a LoRA adapter, the strength it was trained with: its effect is scaled by alpha / rank."""
    layers: int | None = None
    embedding: int | None = None
    """Numbers that stand for a token between layers."""
    feed_forward: int | None = None
    """Numbers between the two halves of a layer's feed-forward network, for each token; of layers that differ, the
    most; of a sparse model, those of all experts that are used at once."""
    heads: int | None = None
    """Attention heads of a layer; of layers that differ, the most."""
    vocabulary: int | None = None
    """Different tokens."""
    experts: int | None = None
    """Of a sparse model, expert networks in a layer."""
    attention: Attention = Attention()
    pieces: int = 1
    """Files that the model was split into. The sizes of tensors below are of this file alone."""
    tensor_bytes: int = 0
    """What all tensors of the file take."""
    layer_bytes: tuple[int, ...] = ()
    """What the tensors of each layer take."""
    output_bytes: int = 0
    """What the tensors take that turn the last layer's numbers into tokens; often the same as the embedding's."""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False, hash=False)
    """The sides of every tensor, the innermost first."""


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file and check that all of its tensors lie within the file.

    Raises:
        EngineError: there is no such file, it is not GGUF, or it is damaged.
    """
    contents = read_contents(path)
    values = contents.values
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise damaged(path, "it does not say which architecture it has")
    size = partial(_size, values, architecture, path)
    layers = size("block_count")
    if layers is not None and layers > _MOST_LAYERS:
        raise damaged(path, f"it claims {layers} layers")
    kind, alpha = _text(values, "general.type") or "model", values.get("adapter.lora.alpha")
    return Header(
        architecture=architecture,
        name=_text(values, "general.name"),
        context_length=size("context_length"),
        has_chat_template=bool(values.get("tokenizer.chat_template")),
        tensors=len(contents.tensors),
        kind=kind,
        adapter_type=_text(values, "adapter.type"),
        adapter_alpha=float(alpha) if isinstance(alpha, int | float) else None,
        layers=layers,
        embedding=size("embedding_length"),
        feed_forward=_feed_forward(values, architecture, path, layers),
        heads=max(_each_layer(values, f"{architecture}.attention.head_count", layers), default=0) or None,
        vocabulary=contents.lengths.get("tokenizer.ggml.tokens") or size("vocab_size"),
        experts=size("expert_count"),
        attention=_attention(values, architecture, path, layers or 0),
        pieces=_pieces(values),
        tensor_bytes=sum(tensor.bytes for tensor in contents.tensors.values()),
        layer_bytes=_layer_bytes(contents, layers or 0),
        output_bytes=_output_bytes(contents),
        shapes={name: tensor.shape for name, tensor in contents.tensors.items()},
    )


def _attention(values: Mapping[str, Any], architecture: str, path: Path, layers: int) -> Attention:
    """Return what the file says of its attention, with what llama.cpp takes for granted where it says nothing."""
    size = partial(_size, values, architecture, path)
    heads = _each_layer(values, f"{architecture}.attention.head_count", layers)
    kv_heads = _each_layer(values, f"{architecture}.attention.head_count_kv", layers) or heads
    head_length = (size("embedding_length") or 0) // max([*heads, 1])
    pattern = values.get(f"{architecture}.attention.sliding_window_pattern")
    windowed: tuple[bool, ...] = ()
    if isinstance(pattern, tuple) and len(pattern) == layers:
        windowed = tuple(map(bool, pattern))
    elif isinstance(pattern, int) and pattern > 0:  # every so many layers, one sees everything
        windowed = tuple((layer + 1) % pattern != 0 for layer in range(layers))
    convolution, inner = size("ssm.conv_kernel") or 1, size("ssm.inner_size") or 0
    return Attention(
        kv_heads=kv_heads,
        key_length=size("attention.key_length") or head_length,
        value_length=size("attention.value_length") or head_length,
        window=size("attention.sliding_window"),
        windowed=windowed,
        state=inner * (convolution - 1 + (size("ssm.state_size") or 0)),
    )


def _feed_forward(values: Mapping[str, Any], architecture: str, path: Path, layers: int | None) -> int | None:
    """Return how wide the feed-forward networks are, all together that a token goes through in one layer."""
    size = partial(_size, values, architecture, path)
    dense = max(_each_layer(values, f"{architecture}.feed_forward_length", layers), default=0)
    used = size("expert_used_count") or 0
    sparse = used * (size("expert_feed_forward_length") or dense) + (size("expert_shared_feed_forward_length") or 0)
    return max(dense, sparse) or None


def _size(values: Mapping[str, Any], architecture: str, path: Path, key: str) -> int | None:
    """Return a size that belongs to the architecture; None if it is not stated, or 0.

    Raises:
        EngineError: it is so large that it cannot be meant.
    """
    value = values.get(f"{architecture}.{key}")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return None
    if value > _SIZE:
        raise damaged(path, f"{architecture}.{key} is {value}")
    return value


def _each_layer(values: Mapping[str, Any], key: str, layers: int | None) -> tuple[int, ...]:
    """Return a number for each layer: some files state one for all layers, some a list."""
    value = values.get(key)
    if isinstance(value, int):
        value = (value,) * (layers or 0)
    if not isinstance(value, tuple) or len(value) != layers:
        return ()
    return tuple(each if isinstance(each, int) and 0 < each < _SIZE else 0 for each in value)


def _layer_bytes(contents: Contents, layers: int) -> tuple[int, ...]:
    """Return what the tensors of each layer take."""
    sums = [0] * layers
    for name, tensor in contents.tensors.items():
        found = _LAYER.match(name)
        if found and len(found[1]) < len(str(_SIZE)) and int(found[1]) < layers:
            sums[int(found[1])] += tensor.bytes
    return tuple(sums)


def _output_bytes(contents: Contents) -> int:
    """Return what the output takes. Without tensors of its own, it is a copy of the embedding."""
    tensors = contents.tensors
    own = sum(tensor.bytes for name, tensor in tensors.items() if name.startswith("output"))
    embedding = tensors.get("token_embd.weight")
    return own if "output.weight" in tensors or not embedding else own + embedding.bytes


def _pieces(values: Mapping[str, Any]) -> int:
    count = values.get("split.count")
    return count if isinstance(count, int) and count > 1 else 1


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""

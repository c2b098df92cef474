"""A real sentence-transformers model, too small to know anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PROMPTS = {
    "query": "find the question : ",
    "document": "read the text : ",
    "Classification": "classify the question : ",
}
"""Instructions as models carry them."""

_WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] find read classify solve the this question text what is capital equation : ?"


def save_tiny_model(folder: Path, prompts: Mapping[str, str], default: str | None = None) -> str:
    """Save a transformer of two random layers, with some instructions, and return its folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast  # type: ignore[attr-defined,unused-ignore]

    bare = folder / "bare"
    bare.mkdir(parents=True)
    (bare / "vocab.txt").write_text("\n".join(_WORDS.split()))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(_WORDS.split()), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(bare)
    BertTokenizerFast(str(bare / "vocab.txt")).save_pretrained(bare)
    modules = [Transformer(str(bare)), Pooling(16)]
    model = SentenceTransformer(modules=modules, prompts=dict(prompts), default_prompt_name=default, device="cpu")
    model.save(str(folder / "model"), create_model_card=False)
    return str(folder / "model")

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import EngineError
from moa.local.gguf import Attention, Header, read_header
from moa.local.need import need_of
from tests.fakes.gguf import CHAT, Value, write_gguf


def header_of(tmp_path: Path, values: Mapping[str, Value]) -> Header:
    return read_header(write_gguf(tmp_path / "model.gguf", values, [("weights", (8, 4))]))


SIZES: dict[str, Value] = {
    **CHAT,
    "llama.block_count": 2,
    "llama.embedding_length": 8,
    "llama.feed_forward_length": 24,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
}
"""What a model says of its sizes."""


def test_the_header_says_what_the_model_is(tmp_path: Path) -> None:
    header = header_of(tmp_path, CHAT)
    assert (header.architecture, header.name, header.kind) == ("llama", "Tiny", "model")
    assert (header.context_length, header.has_chat_template, header.tensors) == (2048, True, 1)
    assert (header.vocabulary, header.pieces) == (3, 1)


def test_the_header_says_how_large_the_model_is(tmp_path: Path) -> None:
    header = header_of(tmp_path, SIZES)
    assert (header.layers, header.embedding, header.feed_forward, header.heads) == (2, 8, 24, 4)
    assert header.attention == Attention(kv_heads=(2, 2), key_length=2, value_length=2)


def test_without_a_word_of_its_sizes_they_are_unknown(tmp_path: Path) -> None:
    header = header_of(tmp_path, CHAT)
    assert (header.layers, header.embedding, header.heads, header.attention) == (None, None, None, Attention())


@pytest.mark.parametrize("nonsense", [0, True, "2", 2.5])
def test_a_size_that_is_none_is_unknown(tmp_path: Path, nonsense: Value) -> None:
    assert header_of(tmp_path, {**SIZES, "llama.block_count": nonsense}).layers is None


def test_keys_and_values_of_their_own_lengths(tmp_path: Path) -> None:
    lengths: dict[str, Value] = {"llama.attention.key_length": 16, "llama.attention.value_length": 12}
    attention = header_of(tmp_path, {**SIZES, **lengths}).attention
    assert (attention.key_length, attention.value_length) == (16, 12)


def test_a_model_whose_heads_all_have_keys_of_their_own(tmp_path: Path) -> None:
    values = {key: value for key, value in SIZES.items() if not key.endswith("head_count_kv")}
    assert header_of(tmp_path, values).attention.kv_heads == (4, 4)


def test_layers_that_differ(tmp_path: Path) -> None:
    different: dict[str, Value] = {
        "llama.attention.head_count_kv": [0, 2],
        "llama.feed_forward_length": [24, 48],
        "llama.ssm.inner_size": 10,
        "llama.ssm.state_size": 4,
        "llama.ssm.conv_kernel": 3,
    }
    header = header_of(tmp_path, {**SIZES, **different})
    assert header.feed_forward == 48
    assert (header.attention.kv_heads, header.attention.state) == ((0, 2), 10 * (4 + 2))


def test_a_sparse_model_uses_some_of_its_experts_at_once(tmp_path: Path) -> None:
    experts: dict[str, Value] = {
        "llama.expert_count": 64,
        "llama.expert_used_count": 6,
        "llama.expert_feed_forward_length": 10,
        "llama.expert_shared_feed_forward_length": 5,
    }
    header = header_of(tmp_path, {**SIZES, **experts})
    assert (header.experts, header.feed_forward) == (64, 65)


@pytest.mark.parametrize(("pattern", "windowed"), [(2, (True, False)), ([1, 0], (True, False)), ([1], ()), ("no", ())])
def test_layers_that_look_back_only_so_far(tmp_path: Path, pattern: Value, windowed: tuple[bool, ...]) -> None:
    sliding: dict[str, Value] = {
        "llama.attention.sliding_window": 512,
        "llama.attention.sliding_window_pattern": pattern,
    }
    attention = header_of(tmp_path, {**SIZES, **sliding}).attention
    assert (attention.window, attention.windowed) == (512, windowed)


def test_the_bytes_of_the_tensors_in_all_and_of_each_layer(tmp_path: Path) -> None:
    tensors = [("token_embd.weight", (8, 3)), ("blk.0.a", (8, 4)), ("blk.1.a", (8, 1)), ("blk.1.b", (8,))]
    tensors += [("blk.7.beyond", (8,)), ("blk.99999999999999999999.tampered", (8,))]
    header = read_header(write_gguf(tmp_path / "model.gguf", SIZES, tensors))
    assert header.layer_bytes == (8 * 4 * 4, (8 + 8) * 4)
    assert header.tensor_bytes == 4 * (24 + 32 + 8 + 8 + 8 + 8)
    assert header.shapes["token_embd.weight"] == (8, 3)


def test_an_adapter_is_told_from_a_model(tmp_path: Path) -> None:
    values: dict[str, Value] = {
        "general.type": "adapter",
        "general.architecture": "llama",
        "adapter.type": "lora",
        "adapter.lora.alpha": 16.0,
    }
    header = header_of(tmp_path, values)
    assert (header.kind, header.adapter_type, header.adapter_alpha) == ("adapter", "lora", 16.0)


def test_a_model_that_was_split(tmp_path: Path) -> None:
    assert header_of(tmp_path, {**CHAT, "split.count": 3}).pieces == 3


@pytest.mark.parametrize(
    ("key", "value", "how"),
    [
        ("llama.block_count", 1_000_000, "claims 1000000 layers"),
        ("llama.embedding_length", 2**32 - 1, r"llama\.embedding_length is 4294967295"),
        ("general.alignment", 0, "aligned to 0 bytes"),
        ("general.alignment", 33, "aligned to 33 bytes"),
        ("general.alignment", "much", "aligned to 'much' bytes"),
    ],
)
def test_sizes_that_cannot_be(tmp_path: Path, key: str, value: Value, how: str) -> None:
    with pytest.raises(EngineError, match=f"damaged.*{how}"):
        header_of(tmp_path, {**SIZES, key: value})


def test_two_tensors_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="'twin' is there twice"):
        read_header(write_gguf(tmp_path / "model.gguf", CHAT, [("twin", (8,)), ("twin", (8,))]))


def test_a_base_model_has_no_chat_template(tmp_path: Path) -> None:
    values = {key: value for key, value in CHAT.items() if "chat_template" not in key}
    assert header_of(tmp_path, values).has_chat_template is False


def test_the_context_belongs_to_the_architecture(tmp_path: Path) -> None:
    other = {**CHAT, "general.architecture": "qwen2"}
    assert header_of(tmp_path, other).context_length is None
    assert header_of(tmp_path, {**other, "qwen2.context_length": 5}).context_length == 5


def test_values_of_every_kind_are_stepped_over(tmp_path: Path) -> None:
    more: dict[str, Value] = {"a": True, "b": 1.5, "c": [1, 2], "d": list(range(5000)), "e": ["x"] * 5000}
    assert header_of(tmp_path, {**more, **CHAT}) == header_of(tmp_path, CHAT)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"There is no file .*nope\.gguf"):
        read_header(tmp_path / "nope.gguf")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        read_header(tmp_path)


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 a zip", b"<html>404</html>"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineError, match="not a GGUF file"):
        read_header(path)


@pytest.mark.parametrize("version", [1, 4])
def test_a_version_that_cannot_be_run(tmp_path: Path, version: int) -> None:
    with pytest.raises(EngineError, match=f"GGUF version {version}"):
        read_header(write_gguf(tmp_path / "model.gguf", CHAT, version=version))


def test_a_file_whose_tensors_are_cut_off(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", CHAT, [("first", (32,)), ("second", (100, 10))])
    whole = path.read_bytes()
    path.write_bytes(whole[:-32])
    with pytest.raises(
        EngineError, match=rf"should have {len(whole)} bytes, and has {len(whole) - 32}.*fetch it again"
    ):
        read_header(path)


def test_a_header_that_claims_the_impossible(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60) + struct.pack("<Q", 2**63))
    with pytest.raises(EngineError, match="damaged"):
        read_header(path)


def test_a_file_without_an_architecture(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="which architecture"):
        header_of(tmp_path, {"general.name": "Tiny"})


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    return write_gguf(path, SIZES, [("blk.0.weights", (8, 4)), ("blk.1.weights", (8, 4))]).read_bytes()


@settings(deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.gguf"
    path.write_bytes(sound[: data.draw(st.integers(0, len(sound) - 1))])
    with pytest.raises(EngineError, match=r"damaged|not a GGUF file"):
        read_header(path)


@settings(deadline=None)
@given(st.data())
def test_a_tampered_file_is_read_or_refused_but_never_a_riddle(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "tampered.gguf"
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        at, new = data.draw(st.integers(0, len(content) - 1)), data.draw(st.binary(min_size=1, max_size=8))
        match data.draw(st.sampled_from(["overwrite", "insert", "remove"])):
            case "overwrite":
                content[at : at + len(new)] = new
            case "insert":
                content[at:at] = new
            case _:
                del content[at : at + len(new)]
    path.write_bytes(content)
    with suppress(EngineError):  # anything else would be a traceback for the user
        header = read_header(path)
        need_of(header, context=2048, slots=2, file_bytes=len(content))
        assert len(header.layer_bytes) == (header.layers or 0)

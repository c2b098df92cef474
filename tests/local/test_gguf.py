from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import EngineError
from moa.local.gguf import Header, read_header
from tests.fakes.gguf import CHAT, Value, write_gguf


def header_of(tmp_path: Path, values: Mapping[str, Value]) -> Header:
    return read_header(write_gguf(tmp_path / "model.gguf", values, [("weights", (8, 4))]))


def test_the_header_says_what_the_model_is(tmp_path: Path) -> None:
    assert header_of(tmp_path, CHAT) == Header(
        architecture="llama", name="Tiny", context_length=2048, has_chat_template=True, tensors=1
    )


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
    return write_gguf(path, CHAT, [("weights", (8, 4))]).read_bytes()


@settings(deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.gguf"
    path.write_bytes(sound[: data.draw(st.integers(0, len(sound) - 1))])
    with pytest.raises(EngineError):
        read_header(path)


@settings(deadline=None)
@given(st.data())
def test_a_tampered_file_is_read_or_refused_but_never_a_riddle(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "tampered.gguf"
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(EngineError):  # anything else would be a traceback for the user
        assert read_header(path).architecture

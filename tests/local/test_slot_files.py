"""What a conversation has read is kept: in its slot between turns, and on disk while the engine is not in memory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moa.local import slot_files
from moa.local.adapters import Adapter, lora_field
from moa.local.child import Child
from moa.local.slot_files import drop_kept, keep_slots, kept_folder, restore_slots
from moa.local.slots import Slots
from moa.local.weights import FileWeights
from tests.fakes.adapter import parrot

LAW = "You know the law. " + "Contracts bind those who sign them, and courts read them as they are written. " * 8
SEA = "You know the sea. " + "Tides follow the moon, and sailors follow the tides wherever they may lead. " * 8
MORE = "And what else should one know about that?"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and a folder for slots that this test alone has made."""
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(slot_files, "_folder", None)
    yield kept_folder()
    slot_files._remove()


@pytest.fixture
def begin(smallest: Path) -> Iterator[Callable[..., Child]]:
    """Starts children with two slots, which end with the test."""
    children: list[Child] = []

    def start(*adapters: Path) -> Child:
        children.append(Child("tiny", smallest, 1024, 2, adapters=adapters, keep=kept_folder()))
        children[-1].wait_until_loaded()
        return children[-1]

    yield start
    for child in children:
        child.stop()


class Talk:
    """A conversation that goes on, always with the same adapters."""

    def __init__(self, system: str, *adapters: Adapter) -> None:
        self.messages = [{"role": "system", "content": system}, {"role": "user", "content": "What should one know?"}]
        self.adapters = adapters

    def turn(self, child: Child, slots: Slots) -> tuple[int, int]:
        """Ask, and return how many tokens of the prompt were known already, and how many were read."""
        slot = slots.take("".join(map(str, self.messages)), self.adapters)
        assert slot is not None
        body: dict[str, Any] = {"messages": self.messages, "max_tokens": 4, "temperature": 0, "id_slot": slot}
        answer = child.post("/v1/chat/completions", {**body, "lora": lora_field(child.adapters, self.adapters)})
        slots.give_back(slot)
        said = answer["choices"][0]["message"]["content"]
        self.messages += [{"role": "assistant", "content": said}, {"role": "user", "content": MORE}]
        return answer["timings"]["cache_n"], answer["timings"]["prompt_n"]


def test_a_second_turn_reads_only_what_is_new(begin: Callable[..., Child]) -> None:
    child, slots = begin(), Slots(2)
    law, sea = Talk(LAW), Talk(SEA)
    for talk in (law, sea):
        assert talk.turn(child, slots)[1] > 100
    for talk in (law, sea, law, sea):  # each finds its own slot
        known, read = talk.turn(child, slots)
        assert known > 100
        assert read < 40


def test_agents_with_other_adapters_keep_slots_of_their_own(
    begin: Callable[..., Child], smallest: Path, tmp_path: Path
) -> None:
    files = [parrot(tmp_path / f"{dimension}.gguf", smallest, dimension) for dimension in (5, 20)]
    child, slots = begin(*files), Slots(2)
    talks = [Talk(LAW, Adapter(FileWeights(str(file)), 0.01)) for file in files]
    for talk in talks:
        assert talk.turn(child, slots)[1] > 100
    for talk in talks:
        assert talk.turn(child, slots)[1] < 40


def test_a_conversation_outlives_the_process_that_read_it(
    begin: Callable[..., Child], smallest: Path, tmp_path: Path, folder: Path
) -> None:
    file = parrot(tmp_path / "5.gguf", smallest, 5)
    talks = Talk(LAW), Talk(SEA, Adapter(FileWeights(str(file)), 0.01))
    child, slots = begin(file), Slots(2)
    for talk in talks:
        talk.turn(child, slots)
    kept = keep_slots(child, slots)
    assert len(list(folder.iterdir())) == 2
    assert slots.held() == {}
    child.stop()
    child = begin(file)
    restore_slots(child, slots, kept)
    assert list(folder.iterdir()) == []
    for talk in talks:
        known, read = talk.turn(child, slots)
        assert known > 100
        assert read < 40


def test_what_cannot_be_kept_or_is_gone_is_only_read_again(
    begin: Callable[..., Child], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, slots = begin(), Slots(2)
    law, short = Talk(LAW), Talk("Be brief.")
    for talk in (law, short):
        talk.turn(child, slots)
    kept = keep_slots(child, slots)
    [saved] = folder.iterdir()  # the short one is not worth it
    saved.write_bytes(b"damaged")
    restore_slots(child, slots, kept)
    assert slots.held() == {}
    child.post("/slots/0?action=erase", {})
    child.post("/slots/1?action=erase", {})
    assert law.turn(child, slots)[1] > 100
    monkeypatch.setattr(slot_files, "free_bytes", lambda _: 10**9)
    assert keep_slots(child, slots).files == {}
    law.turn(child, slots)
    monkeypatch.undo()
    child.stop()
    assert keep_slots(child, slots).files == {}
    assert list(folder.iterdir()) == []


def test_what_is_not_wanted_any_more_is_deleted(begin: Callable[..., Child], folder: Path) -> None:
    child, slots = begin(), Slots(2)
    Talk(LAW).turn(child, slots)
    kept = keep_slots(child, slots)
    drop_kept(kept)
    drop_kept(kept)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_nobody_else_can_open_what_was_said(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert kept_folder() == folder


KEEPER = """
import os, signal, sys
from moa.local.slot_files import kept_folder
(kept_folder() / "said.kv").touch()
print(kept_folder(), flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "waits":
    sys.stdin.read()
"""


def keeper(then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KEEPER, then], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_folder_goes_with_its_process_even_if_that_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keeper("ends") as process:
        assert process.stdout
        ended = Path(process.stdout.readline().strip())
    assert not ended.exists()
    with keeper("killed") as process:
        assert process.stdout
        killed = Path(process.stdout.readline().strip())
    assert killed.exists()
    with keeper("waits") as process:
        assert process.stdout
        alive = Path(process.stdout.readline().strip())
        assert not killed.exists()
        assert folder.exists()
        monkeypatch.setattr(slot_files, "_folder", None)
        assert kept_folder() != folder
        assert alive.exists()
    assert not alive.exists()
    assert ended.parent == folder.parent

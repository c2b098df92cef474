from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from moa.local import gpu_memory
from moa.local.gpu_memory import gpu_room

GIB = 2**30

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="there a GPU has no memory of its own")


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test finds a machine with a driver, and asks it again."""
    monkeypatch.setattr(gpu_memory, "_DRIVERS", ("/",))
    gpu_room.cache_clear()
    yield
    gpu_room.cache_clear()


def say(monkeypatch: pytest.MonkeyPatch, *devices: dict[str, object]) -> None:
    """Let the engine's process say that there are these devices."""
    monkeypatch.setattr(gpu_memory, "_ASK", f"print({json.dumps(json.dumps(devices))})")


def gpu(kind: str, free: int, total: int) -> dict[str, object]:
    return {"name": kind, "type": f"GGML_BACKEND_DEVICE_TYPE_{kind}", "memory_free": free, "memory_total": total}


def test_the_room_of_all_gpus_together(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, gpu("GPU", 22 * GIB, 24 * GIB), gpu("GPU", 10 * GIB, 12 * GIB), gpu("CPU", 60 * GIB, 64 * GIB))
    assert gpu_room() == pytest.approx((22 - 24 * 0.05 + 10 - 1) * GIB)


def test_a_gpu_within_the_processor_has_no_memory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, gpu("IGPU", 7 * GIB, 8 * GIB), gpu("CPU", 12 * GIB, 16 * GIB))
    assert gpu_room() == 0


def test_no_driver_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, gpu("GPU", 22 * GIB, 24 * GIB))
    monkeypatch.setattr(gpu_memory, "_DRIVERS", ())
    assert gpu_room() == (0 if sys.platform == "linux" else int((22 - 24 * 0.05) * GIB))


def test_the_installed_engine_can_be_asked() -> None:
    pytest.importorskip("xllamacpp")
    assert gpu_room() >= 0


@pytest.mark.parametrize("answer", ["raise SystemExit(3)", "print('no JSON')", "print('[]')"])
def test_an_engine_that_cannot_say_has_no_gpu(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(gpu_memory, "_ASK", answer)
    assert gpu_room() == 0

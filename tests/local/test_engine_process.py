from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moa.errors import EngineError
from moa.local.child import Child
from moa.local.devices import Load
from moa.local.engine_process import place

GIB = 2**30
CPU = {"name": "CPU", "type": "GGML_BACKEND_DEVICE_TYPE_CPU", "memory_free": 8 * GIB, "memory_total": 8 * GIB}
LOAD = Load(layers=(GIB,) * 10, output=GIB, compute=GIB // 4)


def gpu(number: int, free: int) -> Mapping[str, Any]:
    size = {"memory_free": free * GIB, "memory_total": free * GIB}
    return {"name": f"CUDA{number}", "type": "GGML_BACKEND_DEVICE_TYPE_GPU", **size}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """The process loads a module under a name of its own, which must not stay."""
    yield
    sys.modules.pop("devices", None)


def placed(*devices: Mapping[str, Any], layers: int | None = None, names: tuple[str, ...] = ()) -> SimpleNamespace:
    """Return the engine's parameters, once it is decided what goes where."""
    modes = SimpleNamespace(LLAMA_SPLIT_MODE_LAYER="layer", LLAMA_SPLIT_MODE_NONE="none")
    engine = SimpleNamespace(get_device_info=lambda: devices, llama_split_mode=modes)
    params = SimpleNamespace(tensor_split=[0.0] * 4)
    place(params, engine, {"load": asdict(LOAD), "layers": layers, "names": names})
    return params


def test_without_a_gpu_nothing_is_placed() -> None:
    params = placed(CPU)
    assert (params.n_gpu_layers, params.split_mode, params.fit_params) == (0, "none", False)


def test_one_gpu_that_has_room_takes_all() -> None:
    params = placed(gpu(0, 24), CPU)
    assert (params.n_gpu_layers, params.main_gpu, params.split_mode) == (11, 0, "none")
    assert params.tensor_split == [0.0] * 4


def test_two_gpus_share() -> None:
    params = placed(gpu(0, 8), gpu(1, 8), CPU)
    assert (params.n_gpu_layers, params.split_mode) == (11, "layer")
    assert params.tensor_split == [5.0, 6.0, 0.0, 0.0]


def test_what_the_user_says_counts() -> None:
    params = placed(gpu(0, 24), gpu(1, 24), layers=3, names=("CUDA1",))
    assert (params.n_gpu_layers, params.main_gpu) == (3, 1)


def test_the_real_library_takes_the_decision() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    decision = place(params, xllamacpp, {"load": asdict(LOAD), "layers": 0, "names": []})
    assert decision.device == "CPU"
    assert params.n_gpu_layers == 0


def test_an_engine_that_is_told_nothing_of_gpus_uses_none() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    place(params, xllamacpp, {})
    assert params.n_gpu_layers == 0


def test_a_gpu_that_is_not_there_is_told_by_name(smallest: Path) -> None:
    pytest.importorskip("xllamacpp")
    child = Child("smallest", smallest, 512, 1, gpu={"load": asdict(LOAD), "layers": None, "names": ["no such card"]})
    with pytest.raises(EngineError, match=r"could not load smallest .*There is no GPU 'no such card'"):
        child.wait_until_loaded()

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.local.devices import Load, Offload, gpus, offload

GIB = 2**30
MIB = 2**20


def device(name: str, description: str, kind: str, free: float, total: float, device_id: str = "") -> Mapping[str, Any]:
    """Describe a device as `xllamacpp.get_device_info()` does, with the name of its type. Sizes are in GiB."""
    return {
        "name": name,
        "description": description,
        "memory_free": int(free * GIB),
        "memory_total": int(total * GIB),
        "type": f"GGML_BACKEND_DEVICE_TYPE_{kind}",
        "device_id": device_id,
        "caps": {"async": kind != "CPU", "host_buffer": False, "buffer_from_host_ptr": True, "events": kind != "CPU"},
    }


CPU = device("CPU", "AMD EPYC", "CPU", 20, 24)
RTX = device("CUDA0", "NVIDIA GeForce RTX 4090", "GPU", 23.2, 23.5, "0000:01:00.0")
H100 = device("CUDA0", "NVIDIA H100 80GB HBM3", "GPU", 78.7, 79.2, "0000:19:00.0")
BIG_AND_SMALL = [
    device("CUDA0", "NVIDIA GeForce RTX 4090", "GPU", 23.2, 23.5, "0000:01:00.0"),
    device("CUDA1", "NVIDIA GeForce RTX 3060", "GPU", 11.6, 11.8, "0000:02:00.0"),
    CPU,
]
TWINS = [
    device("CUDA0", "NVIDIA RTX A6000", "GPU", 47, 47.5, "0000:41:00.0"),
    device("CUDA1", "NVIDIA RTX A6000", "GPU", 47, 47.5, "0000:61:00.0"),
    CPU,
]
METAL = [device("Metal", "Apple M3 Max", "GPU", 27, 27), device("BLAS", "Accelerate", "ACCEL", 0, 0), CPU]
LAPTOP = [device("Vulkan0", "Intel(R) Iris(R) Xe Graphics", "IGPU", 7, 8), CPU]


def a_model(gigabytes: float, layers: int = 32) -> Load:
    """Return a model of so many GiB, a thirty-third of it the output."""
    return Load((int(gigabytes * GIB / (layers + 1)),) * layers, int(gigabytes * GIB / (layers + 1)), 300 * MIB)


SEVEN_B = a_model(5.2)
SEVENTY_B = a_model(42, layers=80)


def test_without_a_gpu_the_cpu_does_it() -> None:
    assert offload([CPU], SEVEN_B) == Offload(gpu_layers=0, device="CPU")


def test_a_gpu_with_room_does_all_of_it() -> None:
    placed = offload([RTX, CPU], SEVEN_B)
    assert (placed.gpu_layers, placed.main_gpu, placed.split) == (33, 0, ())
    assert placed.device == "NVIDIA GeForce RTX 4090"
    assert placed.gpu_bytes == SEVEN_B.total


def test_a_gpu_that_is_too_small_does_the_last_layers() -> None:
    placed = offload([RTX, CPU], SEVENTY_B)
    assert 38 <= placed.gpu_layers <= 43
    assert placed.gpu_bytes <= RTX["memory_free"] - GIB


def test_a_large_gpu_does_a_large_model() -> None:
    assert offload([H100, CPU], SEVENTY_B).gpu_layers == 81


def test_what_others_use_of_a_gpu_is_not_there() -> None:
    busy = {**RTX, "memory_free": 3 * GIB}
    assert 0 < offload([busy, CPU], SEVEN_B).gpu_layers < 33
    assert offload([{**RTX, "memory_free": GIB // 2}, CPU], SEVEN_B) == Offload()


def test_apple_silicon() -> None:
    placed = offload(METAL, SEVEN_B)
    assert (placed.gpu_layers, placed.device) == (33, "Apple M3 Max")


def test_a_gpu_within_the_processor_is_used_if_there_is_no_other() -> None:
    assert [gpu.name for gpu in gpus(LAPTOP)] == ["Vulkan0"]
    assert [gpu.name for gpu in gpus([*LAPTOP, RTX])] == ["CUDA0"]


def test_a_gpu_that_two_drivers_offer_counts_once() -> None:
    twice = device("Vulkan0", "NVIDIA GeForce RTX 4090", "GPU", 23, 23.5, "0000:01:00.0")
    assert [gpu.name for gpu in gpus([RTX, twice, CPU])] == ["CUDA0"]


def test_the_types_of_the_installed_engine_are_understood() -> None:
    kinds = pytest.importorskip("xllamacpp").ggml_backend_dev_type
    assert gpus([{**CPU, "type": kinds.GGML_BACKEND_DEVICE_TYPE_CPU}]) == []
    assert len(gpus([{**RTX, "type": kinds.GGML_BACKEND_DEVICE_TYPE_GPU}])) == 1
    assert len(gpus([{**LAPTOP[0], "type": kinds.GGML_BACKEND_DEVICE_TYPE_IGPU}])) == 1


class TestSeveralGpus:
    def test_the_one_with_the_least_room_that_suffices(self) -> None:
        assert offload(BIG_AND_SMALL, SEVEN_B).device == "NVIDIA GeForce RTX 3060"
        assert offload(BIG_AND_SMALL, a_model(15)).device == "NVIDIA GeForce RTX 4090"

    def test_several_share_what_one_has_no_room_for(self) -> None:
        placed = offload(BIG_AND_SMALL, a_model(30))
        assert placed.gpu_layers == 33
        assert placed.device == "NVIDIA GeForce RTX 4090 + NVIDIA GeForce RTX 3060"
        assert sum(placed.split) == 33
        assert placed.split[0] == pytest.approx(2 * placed.split[1], abs=2)

    def test_equal_ones_share_equally(self) -> None:
        assert offload(TWINS, a_model(60, layers=80)).split == pytest.approx((40, 41), abs=1)

    def test_if_all_together_are_too_small_the_cpu_does_the_rest(self) -> None:
        placed = offload(BIG_AND_SMALL, SEVENTY_B)
        assert 50 < placed.gpu_layers < 81
        assert sum(placed.split) == placed.gpu_layers

    @pytest.mark.parametrize("name", ["CUDA1", "cuda1", "3060", "geforce rtx 3060"])
    def test_one_can_be_named(self, name: str) -> None:
        placed = offload(BIG_AND_SMALL, SEVEN_B, names=[name])
        assert (placed.main_gpu, placed.split, placed.device) == (1, (), "NVIDIA GeForce RTX 3060")

    def test_a_name_that_several_have_means_all_of_them(self) -> None:
        assert len(offload(TWINS, a_model(60), names=["A6000"]).split) == 2

    def test_those_not_named_get_nothing(self) -> None:
        three = [*TWINS, device("CUDA2", "NVIDIA T400", "GPU", 3, 4, "0000:81:00.0")]
        assert offload(three, a_model(60), names=["CUDA0", "CUDA1"]).split[2] == 0

    def test_a_name_that_none_has(self) -> None:
        with pytest.raises(ValueError, match=r"no GPU '5090'.*CUDA0 \(NVIDIA GeForce RTX 4090\), CUDA1"):
            offload(BIG_AND_SMALL, SEVEN_B, names=["5090"])
        with pytest.raises(ValueError, match="none at all"):
            offload([CPU], SEVEN_B, names=["5090"])


class TestAsTheUserSays:
    def test_none_at_all(self) -> None:
        assert offload([RTX, CPU], SEVEN_B, layers=0) == Offload()

    def test_so_many(self) -> None:
        assert offload([RTX, CPU], SEVEN_B, layers=10).gpu_layers == 10

    def test_more_than_there_are_means_all(self) -> None:
        assert offload([RTX, CPU], SEVEN_B, layers=999).gpu_layers == 33

    def test_even_if_there_is_no_room(self) -> None:
        assert offload([RTX, CPU], SEVENTY_B, layers=81).gpu_layers == 81
        assert sum(offload(BIG_AND_SMALL, SEVENTY_B, layers=81).split) == 81

    def test_a_negative_number_is_refused(self) -> None:
        with pytest.raises(ValueError, match="gpu_layers is -1"):
            offload([RTX], SEVEN_B, layers=-1)


sizes = st.floats(0, 80)


@given(st.lists(sizes, max_size=4), st.lists(st.integers(1, 4 * GIB), min_size=1, max_size=40), st.integers(0, GIB))
def test_no_gpu_ever_gets_more_than_it_has_room_for(
    rooms: Sequence[float], layers: Sequence[int], compute: int
) -> None:
    devices = [device(f"CUDA{n}", "GPU", "GPU", room, room, f"{n}") for n, room in enumerate(rooms)]
    load = Load(tuple(layers), layers[-1], compute)
    placed = offload(devices, load)
    assert 0 <= placed.gpu_layers <= len(layers) + 1
    rest = [load.output, *reversed(layers)][: placed.gpu_layers]
    split = placed.split or [placed.gpu_layers if n == placed.main_gpu else 0 for n in range(len(rooms))]
    assert sum(split) == placed.gpu_layers
    for gpu, count in reversed(list(zip(gpus(devices), split, strict=True))):
        taken, rest = rest[: int(count)], rest[int(count) :]
        assert not taken or sum(taken) + compute <= gpu.room
    whole = load.total <= max((gpu.room for gpu in gpus(devices)), default=-1)
    assert not whole or placed.gpu_layers == len(layers) + 1

from __future__ import annotations

from typing import Any

import pytest

from moa.local.engine_process import device_name, gpu_layers

CPU = {"name": "CPU", "description": "AMD EPYC", "type": "ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU"}
GPU = {"name": "CUDA0", "description": "NVIDIA H100", "type": "ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_GPU"}
IGPU = {"name": "Vulkan0", "description": "", "type": "ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_IGPU"}


@pytest.mark.parametrize(
    ("devices", "layers", "name"),
    [
        ([CPU], 0, "CPU"),
        ([], 0, "CPU"),
        ([CPU, GPU], -1, "NVIDIA H100"),
        ([IGPU, CPU], -1, "Vulkan0"),
    ],
)
def test_all_that_fits_goes_to_a_gpu_if_the_build_has_one(
    devices: list[dict[str, Any]], layers: int, name: str
) -> None:
    assert gpu_layers(devices) == layers
    assert device_name(devices) == name


def test_the_real_library_names_its_devices_in_this_way() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    devices = xllamacpp.get_device_info()
    assert devices
    assert gpu_layers(devices) in (0, -1)
    assert device_name(devices)

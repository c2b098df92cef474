"""How much memory of GPUs local models could use: asked of the engine, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from moa.local.devices import gpus

_ASK = """
import json, xllamacpp
print(json.dumps([{**device, "type": device["type"].name} for device in xllamacpp.get_device_info()]))
"""
_ASK_SECONDS = 60.0  # a driver that wakes up takes a few; one that hangs must not hold up the program
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dxg")  # NVIDIA, AMD, any with a screen, Windows below Linux


@cache
def gpu_room() -> int:
    """Return the bytes that models may take of all GPUs together, beside the machine's memory; asked once. Blocks.

    That is 0 where the engine can use none, and where GPU and processor share their memory, as Apple's do.
    """
    if sys.platform == "darwin" or (sys.platform == "linux" and not any(Path(path).exists() for path in _DRIVERS)):
        return 0
    try:
        said = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _ASK], capture_output=True, check=True, timeout=_ASK_SECONDS
        ).stdout
        devices = json.loads(said)
    except (OSError, ValueError, subprocess.SubprocessError):  # no engine, or none that works: it will say so itself
        return 0
    return sum(gpu.room for gpu in gpus(devices) if not gpu.built_in)

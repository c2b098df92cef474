"""The engine's own program: llama.cpp as an HTTP server on the loopback interface, in a process of its own.

It is started by `engine.py`, as a script, and needs nothing of moa. It reads one line of JSON from standard input (what
to load, and the secret that every request must carry), answers with one line (the address, or why there is none), and
ends when its standard input does: that is, when its parent ends, however it ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2): the signal that this process gets when its parent dies
_AS_MANY_AS_FIT = -1  # llama.cpp's word for it
_ERRORS_AND_WARNINGS = 2  # llama.cpp's verbosity


def gpu_layers(devices: Iterable[Mapping[str, Any]]) -> int:
    """Return how many layers of a model go to a GPU: as many as fit if the engine's build has one, else none.

    Args:
        devices: what `xllamacpp.get_device_info()` returned.
    """
    return _AS_MANY_AS_FIT if any("GPU" in str(device["type"]) for device in devices) else 0


def device_name(devices: Iterable[Mapping[str, Any]]) -> str:
    """Return what the model runs on, for people: the name of the first GPU, else `CPU`."""
    for device in devices:
        if "GPU" in str(device["type"]):
            return str(device.get("description") or device["name"])
    return "CPU"


def main() -> None:
    """Load the model that standard input names, and serve it until standard input ends."""
    answers = _own_standard_output()
    order = json.loads(sys.stdin.buffer.readline())
    _end_with_parent(order["parent"])
    try:
        server, device = _load(order)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers, flush=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent tells it)
        print(json.dumps({"error": str(error)}), file=answers, flush=True)
        sys.exit(1)
    print(json.dumps({"address": server.listening_address, "device": device}), file=answers, flush=True)
    threading.Event().wait()


def _load(order: Mapping[str, Any]) -> tuple[Any, str]:
    """Load the model and start its server. Returns the server, and what it runs on."""
    import xllamacpp

    devices = xllamacpp.get_device_info()
    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = {order["name"]}
    params.n_ctx = order["context"] * order["slots"]
    params.n_parallel = order["slots"]
    if order["embeds"]:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.n_batch = params.n_ubatch = order["context"]  # a text must fit into one batch for its mean to be taken
    params.n_gpu_layers = gpu_layers(devices)
    params.fit_params = params.n_gpu_layers != 0  # there is nothing to fit on a CPU, and trying costs seconds
    if order["threads"]:
        params.cpuparams.n_threads = order["threads"]
        params.cpuparams_batch.n_threads = order["threads"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["secret"]]
    params.ui = False
    params.endpoint_slots = False
    params.cache_ram_mib = 0  # by default it may take 8 GB to remember old prompts; the slots remember the recent ones
    params.cache_idle_slots = False
    params.warmup = False
    params.verbosity = _ERRORS_AND_WARNINGS
    return xllamacpp.Server(params), device_name(devices)


def _own_standard_output() -> Any:
    """Keep standard output for our one answer: whatever a library prints goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _end_with_parent(parent: int) -> None:
    """See to it that this process ends when its parent does, even if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; what it means is the parent's to say
    if sys.platform == "linux":
        # The thread below cannot run while the library loads a model and holds the interpreter's lock.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()

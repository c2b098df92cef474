"""The engine's own program: llama.cpp as an HTTP server on the loopback interface, in a process of its own.

It is started by `engine.py`, as a script, and needs nothing of moa. It reads one line of JSON from standard input (what
to load, and the secret that every request must carry), answers with one line (the address, or why there is none), then
with one byte to every byte, as a sign of life. It ends when its standard input does: that is, when its parent ends,
however it ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2): the signal that this process gets when its parent dies
_ERRORS_AND_WARNINGS = 2  # llama.cpp's verbosity


def decisions_about_gpus() -> Any:
    """Return the module that decides what goes to which GPU: `devices.py`, beside this file."""
    spec = spec_from_file_location("devices", Path(__file__).with_name("devices.py"))
    if spec is None or spec.loader is None:
        raise ImportError("devices.py is missing")
    module = sys.modules["devices"] = module_from_spec(spec)  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def place(params: Any, engine: Any, gpu: Mapping[str, Any]) -> Any:
    """Set what goes to which GPU. Returns the decision (`moa.local.devices.Offload`).

    Args:
        params: the engine's parameters.
        engine: the module `xllamacpp`.
        gpu: `load` (what is to be placed), `layers` and `names` (what the user said); empty for the CPU.
    """
    devices = decisions_about_gpus()
    placed = devices.Offload()
    if gpu:
        load = devices.Load(**gpu["load"])
        placed = devices.offload(engine.get_device_info(), load, gpu["layers"], gpu["names"])
    modes = engine.llama_split_mode
    params.n_gpu_layers = placed.gpu_layers
    params.main_gpu = placed.main_gpu
    params.split_mode = modes.LLAMA_SPLIT_MODE_LAYER if placed.split else modes.LLAMA_SPLIT_MODE_NONE
    params.tensor_split = [*placed.split, *params.tensor_split[len(placed.split) :]]
    params.fit_params = False  # that is decided, and what llama.cpp would try costs seconds
    return placed


def main() -> None:
    """Load the model that standard input names, and serve it until standard input ends."""
    answers = _own_standard_output()
    order = json.loads(sys.stdin.buffer.readline())
    _end_with_parent(order["parent"], answers.fileno())
    try:
        server, where = _load(order)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers, flush=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent tells it)
        print(json.dumps({"error": str(error)}), file=answers, flush=True)
        sys.exit(1)
    print(json.dumps({"address": server.listening_address, **where}), file=answers, flush=True)
    threading.Event().wait()


def _load(order: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Load the model and start its server. Returns the server, and what it runs on."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = {order["name"]}
    params.n_ctx = order["context"] * order["slots"]
    params.n_parallel = order["slots"]
    if order["embeds"]:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.n_batch = params.n_ubatch = order["context"]  # a text must fit into one batch for its mean to be taken
    # Not mapped: what is resident is then ours alone and stays, where a mapped file is there twice (its pages, and the
    # copy that the processor's matrix products want) and the kernel may drop it in the middle of an answer.
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    # At scale 0: a request that names no adapters gets them as they were started.
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 0.0) for path in order["adapters"]]
    params.lora_init_without_apply = True
    placed = place(params, xllamacpp, order["gpu"])
    if order["threads"]:
        params.cpuparams.n_threads = order["threads"]
        params.cpuparams_batch.n_threads = order["threads"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["secret"]]
    params.ui = False
    params.endpoint_slots = False
    if order["keep"]:
        params.slot_save_path = os.path.join(order["keep"], "")  # noqa: PTH118  (it must end in a separator)
    params.cache_ram_mib = 0  # by default it may take 8 GB to remember old prompts; the slots remember the recent ones
    params.cache_idle_slots = False
    params.n_ctx_checkpoints = 4  # of models with a sliding window or a state; its default of 32 may take gigabytes
    params.warmup = False
    params.verbosity = _ERRORS_AND_WARNINGS
    return xllamacpp.Server(params), {"device": placed.device, "gpu_bytes": placed.gpu_bytes}


def _own_standard_output() -> Any:
    """Keep standard output for our one answer: whatever a library prints goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _end_with_parent(parent: int, answers: int) -> None:
    """See to it that this process ends when its parent does, even if that is killed; and give it signs of life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; what it means is the parent's to say
    if sys.platform == "linux":
        # The thread below cannot run while the library loads a model and holds the interpreter's lock.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)

    def watch() -> None:
        with suppress(BrokenPipeError):
            while os.read(0, 1):
                os.write(answers, b".")
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()

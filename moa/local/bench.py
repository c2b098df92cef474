"""How quickly a local model loads, reads and writes on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Any

from moa.errors import EngineError
from moa.local.adapters import lora_field, parse_local
from moa.local.engine import EngineSettings, engine_for
from moa.local.lease import Step, Wish
from moa.local.pool import the_pool

_CONTEXT = 2048
_PROMPT = "Seven ships sailed north, and each of them carried twelve barrels of salted fish. " * 30
"""Some 500 tokens, as llama.cpp reads at once."""
_WRITTEN_TOKENS = 64
_TIMES = 3
_SECONDS = 3600.0
"""For one answer: a large model on a slow machine reads a few tokens a second."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of a model."""

    name: str
    device: str
    """`CPU`, or the name of a GPU."""
    load_seconds: float
    bytes: int
    """Memory that it takes with a context of 2048 tokens and one slot."""
    prompt_tokens: int
    prompt_tokens_per_second: float
    """How quickly it reads."""
    written_tokens: int
    written_tokens_per_second: float
    """How quickly it writes."""


def speed_of(name: str, on_step: Callable[[str], None] = lambda _: None) -> Speed:
    """Measure a model: the median of three answers, after it was loaded. Blocks.

    Args:
        name: what stands after `local:`; its files must be here.
        on_step: told what is done, in a sentence.

    Raises:
        ModelReferenceError: the name names nothing.
        EngineError: its file is not here, or the engine cannot load it.
    """
    weights, adapters = parse_local(name)
    files = weights.files()
    if not files:
        raise EngineError(f"{name} is not on this machine. Fetch it: moa models pull {weights.label}")
    paths = tuple(adapter.file for adapter in adapters)
    settings = EngineSettings(files[0], _CONTEXT, slots=1, adapters=paths)
    engine, pool = engine_for(weights.label, settings), the_pool()

    def heard(step: Step | None) -> None:
        if step:
            on_step(step.text)

    began = monotonic()
    with pool.lease(engine, Wish(settings, adapters=adapters), heard) as lease:
        child = lease.wait()
        loaded = monotonic() - began
        body: dict[str, Any] = {
            "prompt": _PROMPT,
            "n_predict": _WRITTEN_TOKENS,
            "ignore_eos": True,
            "cache_prompt": False,
            "id_slot": lease.slot,
        }
        if child.adapters:
            body["lora"] = lora_field(child.adapters, adapters)
        timings = []
        for number in range(_TIMES):
            on_step(f"{name}: answer {number + 1} of {_TIMES}.")
            with child.working():
                timings.append(child.post("/completion", body, seconds=_SECONDS)["timings"])
        held = engine.held_bytes()
    return Speed(
        name=name,
        device=child.device,
        load_seconds=round(loaded, 2),
        bytes=held or engine.expected_bytes(),
        prompt_tokens=timings[0]["prompt_n"],
        prompt_tokens_per_second=round(median(each["prompt_per_second"] for each in timings), 1),
        written_tokens=timings[0]["predicted_n"],
        written_tokens_per_second=round(median(each["predicted_per_second"] for each in timings), 1),
    )

"""One model by itself: a conversation's second turn, the switch between adapters, the cost of not asking directly."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import struct
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.local.panels import CONTEXT, LONG, SLOTS, file_of
from moa.backends.base import Delta, Finish, Request, Sampling
from moa.backends.local import LocalModel
from moa.local.gguf import Header, read_header
from moa.local.pool import the_pool
from moa.messages import Message

_WRITTEN_TOKENS = 128
_RANK = 8


@dataclass(frozen=True, slots=True)
class Timed:
    """One answer."""

    first_token: float
    """Seconds from the request to the first piece of text."""
    total: float
    tokens: int
    text: str


async def timed(model: LocalModel, messages: Sequence[Message], tokens: int) -> Timed:
    """Ask a model and look at the clock."""
    request = Request(tuple(messages), Sampling(temperature=0.0, max_tokens=tokens))
    began, first, written, text = perf_counter(), 0.0, 0, ""
    async with aclosing(model.stream(request)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, Delta):
                first, text = first or perf_counter() - began, text + chunk.text
            elif isinstance(chunk, Finish):
                written = chunk.usage.output or 0
    return Timed(first, perf_counter() - began, written, text)


async def second_turns(name: str, repeats: int) -> tuple[float, float]:
    """Return the seconds to the first token of first turns with a long text, and of second turns. Medians."""
    model = LocalModel(name, context=CONTEXT, slots=SLOTS)
    await timed(model, [Message("user", "Hello.")], 1)  # loads it
    firsts, seconds = [], []
    for number in range(repeats):
        asked = [Message("user", f"Log number {number}. {LONG} What did the keeper write down?")]
        first = await timed(model, asked, 24)
        asked += [Message("assistant", first.text), Message("user", "And why, do you think?")]
        second = await timed(model, asked, 24)
        firsts.append(first.first_token)
        seconds.append(second.first_token)
    return median(firsts), median(seconds)


async def adapter_switch(name: str, folder: Path, repeats: int) -> float:
    """Return the seconds that it costs to ask one adapter after another, and not the same one again. Medians."""
    paths = [_adapter(folder / f"adapter-{number}.gguf", read_header(file_of(name)), number) for number in (1, 2)]
    models = [LocalModel(f"{name}+{path}@0.5", context=CONTEXT, slots=SLOTS) for path in paths]
    asked = [Message("user", "Name a colour.")]
    for model in (*models, *models):  # the first loads the second one's adapter, too, or is loaded anew for it
        await timed(model, asked, 1)
    same, switched = [], []
    for _ in range(repeats):
        for model in models:
            switched.append((await timed(model, asked, 1)).total)
            same.append((await timed(model, asked, 1)).total)
    return median(switched) - median(same)


async def speeds(name: str, repeats: int) -> tuple[float, float]:
    """Return tokens a second through moa, and those of a plain HTTP client that asks the same engine. Medians."""
    model = LocalModel(name, context=CONTEXT, slots=SLOTS)
    asked = [Message("user", "Write a long story about a lighthouse.")]
    await timed(model, asked, _WRITTEN_TOKENS)
    through, direct = [], []
    for number in range(2 * repeats):
        if number % 2:
            answer = await timed(model, asked, _WRITTEN_TOKENS)
            through.append(answer.tokens / answer.total)
        else:
            direct.append(await asyncio.to_thread(_direct_speed, asked, name))
    return median(through), median(direct)


def _direct_speed(asked: Sequence[Message], name: str) -> float:
    """Return the tokens a second of an answer that is read from the engine with nothing in between."""
    [child] = [member.engine.child for member in the_pool().members() if member.engine.name == name]
    if child is None:
        raise RuntimeError(f"{name} is not loaded")
    body: dict[str, Any] = {
        "messages": [message.to_json() for message in asked],
        "max_tokens": _WRITTEN_TOKENS,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"Authorization": f"Bearer {child.secret}", "Content-Type": "application/json"}
    began = perf_counter()
    connection = http.client.HTTPConnection(urlsplit(child.address).netloc)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    lines = connection.getresponse().read().decode().splitlines()
    seconds = perf_counter() - began
    connection.close()
    usage = [json.loads(line[6:]).get("usage") for line in lines if line.startswith("data: {")]
    return int(next(filter(None, usage))["completion_tokens"]) / seconds


def _adapter(path: Path, base: Header, seed: int) -> Path:
    """Write a LoRA adapter of small random numbers for every attention output of a model."""
    drawn = random.Random(seed)
    layers = range(base.layers or 0)
    tensors: list[tuple[str, tuple[int, int]]] = []
    for layer in layers:
        wide, narrow = base.shapes[f"blk.{layer}.attn_output.weight"]
        tensors.append((f"blk.{layer}.attn_output.weight.lora_a", (wide, _RANK)))
        tensors.append((f"blk.{layer}.attn_output.weight.lora_b", (_RANK, narrow)))
    said = [("general.type", "adapter"), ("general.architecture", base.architecture), ("adapter.type", "lora")]
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(said) + 1)
    header += b"".join(_string(key) + struct.pack("<I", 8) + _string(value) for key, value in said)
    header += _string("adapter.lora.alpha") + struct.pack("<If", 6, float(_RANK))
    offset, data = 0, []
    for name, (inner, outer) in tensors:
        header += _string(name) + struct.pack("<IQQIQ", 2, inner, outer, 0, offset)
        numbers = struct.pack(f"<{inner * outer}f", *(drawn.gauss(0.0, 0.01) for _ in range(inner * outer)))
        padded = numbers + bytes(-len(numbers) % 32)
        offset += len(padded)
        data.append(padded)
    path.write_bytes(header + bytes(-len(header) % 32) + b"".join(data))
    return path


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()

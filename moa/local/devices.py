"""What of a model goes to which GPU: a pure decision on what the engine says of the devices of the machine.

This file needs nothing but the standard library, and nothing of moa: the engine's process, which alone can ask for the
devices, loads it by its path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CPU = "CPU"
"""The device of a model that no GPU takes a part of."""
_RESERVE_BYTES = 2**30  # of each GPU: for its driver's and its libraries' own, and for whatever else draws on it
_RESERVE_SHARE = 0.05  # or so much of it, if that is more: large ones have larger workspaces


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be placed, in bytes."""

    layers: tuple[int, ...]
    """Weights and conversations of each layer, from the first."""
    output: int
    """Weights of what turns the last layer's numbers into tokens. It goes to a GPU first of all."""
    compute: int
    """What lies between layers while a prompt is read. Each GPU that is used needs as much."""

    @property
    def total(self) -> int:
        """What one GPU needs that takes all of it."""
        return sum(self.layers) + self.output + self.compute


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU, as the engine sees it."""

    index: int
    """Its number among those that the engine would use."""
    name: str
    """`CUDA0`, `Vulkan1`, `Metal`, …"""
    description: str
    """What its makers call it."""
    free: int
    """Bytes of its memory that nobody uses."""
    total: int
    built_in: bool = False
    """Whether it is a part of the processor, and its memory a part of the machine's."""

    @property
    def room(self) -> int:
        """Bytes that a model may take of it."""
        return max(0, self.free - max(_RESERVE_BYTES, int(self.total * _RESERVE_SHARE)))


@dataclass(frozen=True, slots=True)
class Offload:
    """What goes where, in llama.cpp's terms."""

    gpu_layers: int = 0
    """Layers on GPUs, counted from the last, the output being one; 0 means that all is done by the CPU."""
    main_gpu: int = 0
    """The GPU that does it if it is one alone."""
    split: tuple[float, ...] = ()
    """Of each GPU, its share of the layers; empty if one alone does it."""
    device: str = CPU
    """What the model runs on, for people."""
    gpu_bytes: int = 0
    """What that takes of all GPUs together."""


def gpus(devices: Iterable[Mapping[str, Any]]) -> list[Gpu]:
    """Return the GPUs that the engine would use, in its order.

    Those built into the processor count only where there is no other. A GPU that two drivers offer counts once.

    Args:
        devices: what `xllamacpp.get_device_info()` returned, or a record of that with the names of the types.
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {"GPU": [], "IGPU": []}
    seen: set[str] = set()
    for device in devices:
        kind = str(getattr(device["type"], "name", device["type"])).rpartition("_")[2]  # as text, the enum is a number
        same = str(device.get("device_id") or "")
        if kind in kinds and not (same and same in seen):
            seen.add(same)
            kinds[kind].append(device)
    found = kinds["GPU"] or kinds["IGPU"][:1]
    return [
        Gpu(
            index,
            str(device["name"]),
            str(device.get("description") or device["name"]),
            int(device["memory_free"]),
            int(device["memory_total"]),
            built_in=not kinds["GPU"],
        )
        for index, device in enumerate(found)
    ]


def offload(
    devices: Iterable[Mapping[str, Any]], load: Load, layers: int | None = None, names: Sequence[str] = ()
) -> Offload:
    """Decide what of a model goes to which GPU.

    One GPU that has room for all of it does it alone: the one with the least room of those, so that a larger model
    finds room later. Else several share it, layer by layer, each as much as it has room for. If all of them together
    have too little, the CPU does the first layers.

    Args:
        devices: what `xllamacpp.get_device_info()` returned.
        load: what is to be placed.
        layers: how many layers go to GPUs, whatever there is room for; None to decide by the room that there is. The
            output counts as one; more than there are means all.
        names: GPUs that may be used, by name (`CUDA1`) or by a part of what their makers call them (`4090`), whatever
            the letter case; all of them if empty.

    Raises:
        ValueError: a name that no GPU has, or a negative number of layers.
    """
    if layers is not None and layers < 0:
        raise ValueError(f"gpu_layers is {layers}; it must be 0 or more.")
    found = gpus(devices)
    chosen = _named(found, names)
    pieces = (load.output, *reversed(load.layers))  # the order in which llama.cpp gives them to GPUs
    if layers == 0 or not chosen:
        return Offload()
    wanted = len(pieces) if layers is None else min(layers, len(pieces))
    needed = sum(pieces[:wanted]) + load.compute
    alone = [gpu for gpu in chosen if gpu.room >= needed]
    if alone or len(chosen) == 1:
        gpu = min(alone, key=lambda gpu: gpu.room) if alone else chosen[0]
        count = wanted if alone or layers is not None else _fitting(pieces, gpu.room - load.compute)
        return _on_one(gpu, pieces[:count], load.compute)
    return _shared(found, chosen, pieces, wanted, load.compute, forced=layers is not None)


def _named(found: Sequence[Gpu], names: Sequence[str]) -> list[Gpu]:
    """Return the GPUs that are meant."""
    chosen: set[int] = set()
    for name in names:
        meant = {gpu.index for gpu in found if name.lower() == gpu.name.lower()}
        meant = meant or {gpu.index for gpu in found if name.lower() in gpu.description.lower()}
        if not meant:
            there = ", ".join(f"{gpu.name} ({gpu.description})" for gpu in found)
            raise ValueError(f"There is no GPU {name!r} that the engine could use. There is: {there or 'none at all'}.")
        chosen |= meant
    return [gpu for gpu in found if not names or gpu.index in chosen]


def _fitting(pieces: Sequence[int], room: int) -> int:
    """Return how many of the pieces, from the first, fit."""
    count = 0
    while count < len(pieces) and pieces[count] <= room:
        room -= pieces[count]
        count += 1
    return count


def _on_one(gpu: Gpu, pieces: Sequence[int], compute: int) -> Offload:
    if not pieces:
        return Offload()
    return Offload(gpu_layers=len(pieces), main_gpu=gpu.index, device=gpu.description, gpu_bytes=sum(pieces) + compute)


def _shared(
    found: Sequence[Gpu], chosen: Sequence[Gpu], pieces: Sequence[int], wanted: int, compute: int, *, forced: bool
) -> Offload:
    """Share the pieces among several GPUs. llama.cpp gives the first GPU the first layers, and the last the output."""
    counts = _counts(chosen, pieces, wanted, compute)
    left = wanted - sum(counts)
    if left and forced:
        roomiest = max(range(len(chosen)), key=lambda number: chosen[number].room)
        counts[roomiest] += left
    used = [gpu for gpu, count in zip(chosen, counts, strict=True) if count]
    total = sum(counts)
    if len(used) < 2:  # noqa: PLR2004
        return _on_one(used[0], pieces[:total], compute) if used else Offload()
    by_index = {gpu.index: float(count) for gpu, count in zip(chosen, counts, strict=True)}
    return Offload(
        gpu_layers=total,
        main_gpu=used[0].index,
        split=tuple(by_index.get(gpu.index, 0.0) for gpu in found),
        device=" + ".join(gpu.description for gpu in used),
        gpu_bytes=sum(pieces[:total]) + compute * len(used),
    )


def _counts(chosen: Sequence[Gpu], pieces: Sequence[int], wanted: int, compute: int) -> list[int]:
    """Return how many pieces each GPU gets: all equally full, as far as whole pieces allow; the last takes the first.

    Every GPU gets at most what it has room for. Pieces that would have to lie on an earlier GPU than there is any are
    left to the CPU.
    """
    rooms = [max(0, gpu.room - compute) for gpu in chosen]
    share = min(1.0, sum(pieces[:wanted]) / max(1, sum(rooms)))
    counts = [0] * len(chosen)
    at = 0
    for number in reversed(range(len(chosen))):
        last = number == 0
        room, aim = rooms[number], rooms[number] if last else rooms[number] * share
        while at < wanted and pieces[at] <= room and (last or aim > 0):
            room, aim = room - pieces[at], aim - pieces[at]
            at += 1
            counts[number] += 1
    return counts

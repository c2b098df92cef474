"""The local engine: one child process for each model file, shared by everyone who uses that file in this process.

The child serves the model over HTTP on the loopback interface. A crash of the engine ends the child and not the
program: the calls that were under way fail with an `EngineError`, and the next one starts it anew. Which engines are in
memory at the same time is the pool's business (`moa.local.pool`).
"""

from __future__ import annotations

import asyncio
import atexit
import re
import threading
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from moa.errors import EngineError
from moa.local.adapter_fit import check_model
from moa.local.child import Child
from moa.local.gguf import Header, read_header
from moa.local.machine_memory import resident_bytes
from moa.local.need import load_of, need_of
from moa.local.processors import Processors, keep_to
from moa.local.restarts import Restarts
from moa.local.slot_files import Kept, drop_kept, keep_slots, kept_folder, restore_slots
from moa.local.slots import Slots

_SPLIT = re.compile(r"(.+)-00001-of-(\d{5})\.gguf", re.IGNORECASE)
_REMEMBERED = 64  # estimates; a process that uses more models than that reads a header anew now and then


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine runs, and how."""

    model: Path
    """The GGUF file; of a model in several files, the first."""
    context: int
    """Tokens that each conversation may take. A model that was trained on less gets less."""
    slots: int
    """Requests that are answered at the same time; more wait."""
    embeds: bool = False
    """Whether it turns texts into vectors, the mean of their last hidden states, in place of answering them. Such an
    engine has one slot: with several, llama.cpp's mean of one text depended on the texts beside it (cosines of 0.6
    between the vectors of the same text alone and in a batch)."""
    adapters: tuple[Path, ...] = ()
    """LoRA files that are loaded beside the model; each request says which of them it uses."""
    gpu_layers: int | None = None
    """Layers that go to GPUs, the output being one; None for as many as there is room for. Who asks first decides."""
    gpus: tuple[str, ...] = ()
    """GPUs that may be used, by name; all if empty. Who asks first decides."""

    def covers(self, other: EngineSettings) -> bool:
        """Whether an engine with these settings can do what the others ask for."""
        return self.context >= other.context and self.slots >= other.slots and {*self.adapters} >= {*other.adapters}

    def joined(self, other: EngineSettings) -> EngineSettings:
        """Return the least settings that cover both: the longer context, more slots, all adapters."""
        return replace(
            self,
            context=max(self.context, other.context),
            slots=max(self.slots, other.slots),
            adapters=tuple(dict.fromkeys((*self.adapters, *other.adapters))),
        )


class Engine:
    """One model, served by a child process that starts when it is needed. Thread-safe, and bound to no event loop."""

    def __init__(self, name: str, settings: EngineSettings) -> None:
        self.name = name
        self.settings = settings
        """What is wanted of it by everyone so far. What runs may have been started with less."""
        self.restarts = Restarts(name)
        """When it may start again after it died."""
        self.slots: Slots | None = None
        """What the slots of its child hold; None of an engine that embeds, whose texts have nothing in common."""
        self._child: Child | None = None
        self._running: EngineSettings | None = None
        self._kept: Kept | None = None
        self._slot_count = 0
        self._stops = 0
        self._forgotten = False
        self._starting = threading.Lock()

    @property
    def child(self) -> Child | None:
        """The child that serves the model; None if none is ready for requests."""
        child = self._child
        return child if child and child.running else None

    @property
    def running(self) -> EngineSettings | None:
        """What the child was started with; None if none is ready for requests."""
        return self._running if self.child else None

    def want(self, settings: EngineSettings) -> None:
        """Take note of what somebody wants of it. A child that runs with less does so until it is started anew."""
        self.settings = settings if self._forgotten else self.settings.joined(settings)
        self._forgotten = False

    def start(self) -> Child:
        """Return the child that serves the model, starting it if none runs. Blocks; one starts it, others wait.

        Raises:
            EngineError: the model is damaged or not made for what is wanted of it, or the engine cannot load it.
        """
        with self._starting:
            if child := self.child:
                return child
            self.stop()
            stops, settings = self._stops, self.settings
            child = self._born(settings, context_of(self.name, settings))
            self._child, self._running = child, settings
            if self._stops != stops:  # too early for whoever stopped it to see the child
                child.stop()
            try:
                child.wait_until_loaded()
            except BaseException as error:
                if self._stops == stops:  # else it did not die
                    self.restarts.died(error)
                self.stop()
                raise
            self._furnish(child, settings)
            return child

    def keep_to(self, processors: Processors) -> None:
        """Have it compute on some processors only."""
        if child := self.child:
            keep_to(child.pid, processors)

    def stop(self) -> None:
        """End the child, if there is one. Requests under way fail."""
        self._stops += 1
        child, self._child, self._running = self._child, None, None
        if child:
            child.stop()

    def forget(self) -> None:
        """Forget what was wanted of it, and what its slots held."""
        self._forgotten = True
        self.forget_kept()

    def evict(self) -> None:
        """End the child, and keep what its slots hold for its next start. Blocks."""
        if (child := self.child) and self.slots:
            self.forget_kept()
            self._kept = keep_slots(child, self.slots)
        self.stop()

    def bury(self) -> None:
        """Take note that the child is gone. If it ended by itself, that counts as a death."""
        child = self._child
        if child and child.address and not child.running:
            self.restarts.died(child.end(within_seconds=0) or "it ended")
            self.stop()
            if self.slots:
                self.slots = Slots(self._slot_count)  # those who held one may still have to notice

    def _born(self, settings: EngineSettings, context: int) -> Child:
        return Child(
            self.name,
            settings.model,
            context,
            settings.slots,
            embeds=settings.embeds,
            adapters=settings.adapters,
            gpu=_placing(settings),
            keep=None if settings.embeds else kept_folder(),
        )

    def _furnish(self, child: Child, settings: EngineSettings) -> None:
        """Give a new child back what the slots of the last one held."""
        if settings.embeds:
            return
        if self.slots is None or self._slot_count != settings.slots:
            self.slots, self._slot_count = Slots(settings.slots), settings.slots
        if self._kept:
            restore_slots(child, self.slots, self._kept)
            self._kept = None

    def forget_kept(self) -> None:
        """Delete what was kept of its slots."""
        if self._kept:
            drop_kept(self._kept)
            self._kept = None

    @property
    def context(self) -> int:
        """Tokens that one request can take: what was asked for, or less if the model was trained on less.

        Raises:
            EngineError: the model's file is damaged, or not made for what is wanted of it.
        """
        return context_of(self.name, self.settings)

    def expected_bytes(self) -> int:
        """Return the memory that it will take by what the model's file says of itself.

        Raises:
            EngineError: the model's file is damaged, or not made for what is wanted of it.
        """
        context_of(self.name, self.settings)
        return _expected_bytes(self.settings)

    def held_bytes(self) -> int | None:
        """Return the memory that the child holds now; None if there is none, or the system does not say."""
        child = self.child
        held = resident_bytes(child.pid) if child else None
        return held + child.gpu_bytes if child and held is not None else None


def context_of(name: str, settings: EngineSettings) -> int:
    """Return the tokens that one request can take: what is asked for, or less if the model was trained on less.

    Args:
        name: the model's, for messages.
        settings: what is asked for.

    Raises:
        EngineError: the model's file is damaged, or not made for what is wanted of it.
    """
    header = _header(settings.model)
    check_model(settings.model, header)
    if not header.has_chat_template and not settings.embeds:
        raise EngineError(
            f"{name} ({header.architecture}) has no chat template, so it was not made for conversations: "
            "a base model continues text, an encoder turns text into numbers. Use an instruct or chat model."
        )
    return min(settings.context, header.context_length or settings.context)


def engine_for(name: str, settings: EngineSettings) -> Engine:
    """Return the engine of a model's file, the same one for everybody. It may not run yet, or with less than is asked.

    Args:
        name: the model's, for messages.
        settings: what is asked of it now, beside what others asked of it before.
    """
    key = (settings.model, settings.embeds, settings.gpu_layers, settings.gpus)
    with _registering:
        engine = _engines.get(key)
        if engine is None:
            engine = _engines[key] = Engine(name, settings)
        else:
            engine.want(settings)
        return engine


def stop_engines() -> None:
    """End every engine of this process, and forget what was wanted of it. Each starts anew when it is needed."""
    with _registering:
        engines = list(_engines.values())
    for engine in engines:
        engine.stop()
        engine.forget()


async def close_engines() -> None:
    """End every engine of this process, without holding up the event loop."""
    await asyncio.to_thread(stop_engines)


def _header(model: Path) -> Header:
    try:
        stat = model.stat()
    except OSError:
        return read_header(model)  # which says what is wrong
    return _read(model, stat.st_mtime_ns, stat.st_size)


@lru_cache(_REMEMBERED)
def _read(model: Path, _changed: int, _size: int) -> Header:
    """Read a header once for each state of its file."""
    return read_header(model)


def _expected_bytes(settings: EngineSettings) -> int:
    header = _header(settings.model)
    need = need_of(
        header,
        context=min(settings.context, header.context_length or settings.context),
        slots=settings.slots,
        file_bytes=_file_bytes(settings.model),
        adapter_bytes=sum(file.stat().st_size for file in settings.adapters),
        embeds=settings.embeds,
    )
    return need.total


def _placing(settings: EngineSettings) -> dict[str, Any]:
    """Return what the engine's process decides by what goes to which GPU."""
    header = _header(settings.model)
    context = min(settings.context, header.context_length or settings.context)
    load = load_of(header, context=context, slots=settings.slots, file_bytes=_file_bytes(settings.model))
    return {"load": asdict(load), "layers": settings.gpu_layers, "names": list(settings.gpus)}


def _file_bytes(model: Path) -> int:
    """Return the size of a model's file; of a model in several files, of all of them."""
    split = _SPLIT.fullmatch(model.name)
    count = int(split[2]) if split else 1
    files = (
        [model.with_name(f"{split[1]}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)] if split else [model]
    )
    return sum(file.stat().st_size for file in files)


_engines: dict[tuple[Path, bool, int | None, tuple[str, ...]], Engine] = {}
_registering = threading.Lock()
atexit.register(stop_engines)

"""Models on this machine: fetched when they are missing, loaded when they are needed, run by llama.cpp."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from moa.backends.base import Backend, Chunk, Finish, Notice, Readiness, Request
from moa.errors import AgentError, CallTimeout, ConnectionFailed, EngineError, MoaError, ProtocolError
from moa.local.adapters import Adapter, lora_field, parse_local
from moa.local.background import followed
from moa.local.engine import Engine, EngineSettings, engine_for
from moa.local.files import Progress, size_text
from moa.local.lease import Heard, Lease, Step, Wish
from moa.local.pool import the_pool
from moa.local.weights import FileWeights, Weights

_FIRST_TOKEN_SECONDS = 3600.0  # a slow machine may read a long prompt for minutes, or finish other answers first
_BETWEEN_TOKENS_SECONDS = 600.0
_SMALL_BYTES = 4 * 10**9
_SMALL_ANSWER_TOKENS = 1024
_ENDING_SECONDS = 2.0  # between the end of a connection and the end of the process behind it


@dataclass(frozen=True)
class LocalModel:
    """A model that runs on this machine.

    Example:
        >>> LocalModel("qwen2.5-coder-1.5b-instruct", context=4096).reference
        'local:qwen2.5-coder-1.5b-instruct'

    Raises:
        ModelReferenceError: the catalogue has no such name.
        AgentError: a setting is out of range.
    """

    name: str
    """A name of the catalogue, the path of a GGUF file, or `org/repo:file-or-quant` of the hub."""
    _: KW_ONLY
    context: int = 8192
    """Tokens that a conversation and its answer may take, if the model was trained on as many."""
    slots: int = 2
    """Answers that it writes at the same time; each takes memory for its context."""
    max_tokens: int | None = None
    """Upper limit of an answer's tokens where the request sets none. None means 1024 for weights below 4 GB, because
    small models may not find an end by themselves, and what the context holds for larger ones."""
    gpu_layers: int | None = None
    """Layers of it that go to GPUs, where the engine can use any; the output counts as one, and 0 is none. None means
    as many as there is room for. Of several objects for one file, the first that is asked decides."""
    gpus: tuple[str, ...] = ()
    """GPUs that it may use, as the engine calls them (`CUDA1`) or a part of what their makers do (`4090`). Empty means
    all. Of several objects for one file, the first that is asked decides."""
    weights: Weights = field(init=False, repr=False, compare=False)
    """The base model's."""
    adapters: tuple[Adapter, ...] = field(init=False, repr=False, compare=False)
    """LoRA adapters that are applied to it, and how much of each."""

    def __post_init__(self) -> None:
        weights, adapters = parse_local(self.name)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "adapters", adapters)
        for setting in ("context", "slots", "max_tokens"):
            value = getattr(self, setting)
            if value is not None and value < 1:
                raise AgentError(f"{setting} of {self.reference} is {value}; it must be at least 1.")
        if self.gpu_layers is not None and self.gpu_layers < 0:
            raise AgentError(f"gpu_layers of {self.reference} is {self.gpu_layers}; it must be 0 or more.")

    @classmethod
    def named(cls, rest: str) -> LocalModel:
        """Make a model from what stands after `local:`.

        Raises:
            ModelReferenceError: the catalogue has no such name.
        """
        return cls(rest)

    @property
    def reference(self) -> str:
        """`local:` and the name."""
        return f"local:{self.name}"

    @property
    def priced(self) -> bool:
        """The price is known: nothing."""
        return True

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Fetch and load the model if need be, telling so, and yield its answer as it comes, `Finish` last.

        As long as the iterator is open, the answer holds a slot of the engine, and the engine its memory.

        Raises:
            DownloadError: the model could not be fetched.
            ModelTooLarge: it can never be loaded within the memory that local models may take.
            EngineError: the engine is not installed, refuses the model, or died. The next call starts it anew.
            ContextTooLong: the conversation does not fit into the context.
        """
        async with aclosing(self._fetched()) as notices:
            async for notice in notices:
                yield notice
        engine, wish = await asyncio.to_thread(self._wish, request)
        steps: asyncio.Queue[Step | None] = asyncio.Queue()
        with the_pool().lease(engine, wish, _passed_on(steps)) as lease:
            if lease.state == "waiting":
                while (step := await steps.get()) is not None:
                    yield Notice(step.state, step.text, held_up=step.state != "loading")
            async with aclosing(self._answer(request, lease)) as chunks:
                async for chunk in chunks:
                    yield chunk

    @asynccontextmanager
    async def foresee(self, now: Sequence[Backend], then: Sequence[Backend]) -> AsyncGenerator[None, None]:
        """Have the models of a panel loaded in the order that costs the least, the aggregator's while others draft."""
        drafting, following = await asyncio.to_thread(lambda: (_engines(now), _engines(then)))
        with the_pool().foresee(drafting, following):
            yield

    async def _answer(self, request: Request, lease: Lease) -> AsyncGenerator[Chunk, None]:
        """Ask the engine, and take note of how quickly it writes."""
        from moa.backends.chat import ChatServer, chat_payload, stream_chat
        from moa.backends.keys import Secret
        from moa.backends.timeouts import Timeouts

        child = lease.child
        server = ChatServer(
            url=f"{child.address}/v1/chat/completions",
            who=self.reference,
            timeouts=Timeouts(first_token=_FIRST_TOKEN_SECONDS, between_tokens=_BETWEEN_TOKENS_SECONDS),
            key=Secret(child.secret),
            keep_alive=False,
        )
        payload = chat_payload(self.name, self._bounded(request))
        if lease.slot is not None:
            payload["id_slot"] = lease.slot
        if child.adapters:
            payload["lora"] = lora_field(child.adapters, self.adapters)
        began = None
        try:
            with child.working():
                async with aclosing(stream_chat(server, payload)) as chunks:
                    async for chunk in chunks:
                        began = began or monotonic()
                        if isinstance(chunk, Finish):
                            read, wrote = chunk.usage.input or 0, chunk.usage.output or 0
                            the_pool().answered(lease, read=read, wrote=wrote, seconds=monotonic() - began)
                        yield replace(chunk, cost_usd=0.0) if isinstance(chunk, Finish) else chunk
        except CallTimeout:
            await asyncio.to_thread(child.stop)  # it computes for ever
            raise
        except (ConnectionFailed, ProtocolError) as error:
            if died := await asyncio.to_thread(child.end, _ENDING_SECONDS):
                raise died from error
            raise

    def readiness(self) -> Readiness:
        """Look whether the engine is installed and the model is here."""
        from moa.local.child import HOW_TO_INSTALL

        files = self.weights.files()
        if find_spec("xllamacpp") is None:
            return Readiness(ready=False, text="the engine for local models is not installed", remedy=HOW_TO_INSTALL)
        missing = next((part for part in self._parts() if not part.files()), None)
        if missing is None:
            return Readiness(ready=True, text=f"on this machine, {size_text(_size(files))}")
        if isinstance(missing, FileWeights):
            return Readiness(ready=False, text=f"there is no file {missing.path}", remedy="correct the path")
        size = missing.download_bytes
        text = f"not downloaded yet{f', {size_text(size)}' if size else ''}; that happens at its first question"
        return Readiness(ready=False, text=text, remedy=f"moa models pull {missing.label}")

    async def _fetched(self) -> AsyncGenerator[Notice, None]:
        """Fetch what is not here, telling every whole percent."""
        for weights in self._parts():
            if weights.files():
                continue
            said: tuple[object, ...] = ()
            async with aclosing(followed(weights.fetch, daemon=False)) as reports:
                async for progress in reports:
                    percent = None if progress.fraction is None else int(progress.fraction * 100)
                    if said != (said := (progress.file, progress.waiting, percent)):
                        yield _notice(weights.label, progress)

    def _parts(self) -> tuple[Weights, ...]:
        """Return what must be here: the base model, then its adapters."""
        return (self.weights, *(adapter.weights for adapter in self.adapters))

    def _wish(self, request: Request) -> tuple[Engine, Wish]:
        """Return the engine, and what is asked of it. Reads the headers of files that it did not see before."""
        from moa.local.adapter_fit import check_fits

        engine = self._engine()
        for adapter in self.adapters:
            check_fits(engine.settings.model, adapter.file)
        engine.expected_bytes()
        _ = the_pool().budget  # found out here, in a thread, and remembered
        prompt = "".join(json.dumps(message.to_json()) for message in request.messages)
        return engine, Wish(self._settings(), prompt, self.adapters)

    def _settings(self) -> EngineSettings:
        files = self.weights.files()
        if not files:
            raise EngineError(f"{self.weights.label} was deleted from the cache just after it was fetched. Ask again.")
        adapters = tuple(dict.fromkeys(adapter.file for adapter in self.adapters))
        return EngineSettings(
            files[0], self.context, self.slots, adapters=adapters, gpu_layers=self.gpu_layers, gpus=self.gpus
        )

    def _engine(self) -> Engine:
        return engine_for(self.weights.label, self._settings())

    def _bounded(self, request: Request) -> Request:
        """Return the request with a limit to its answer, as small models may not find an end by themselves."""
        small = _size(self.weights.files()) < _SMALL_BYTES
        limit = request.sampling.max_tokens or self.max_tokens or (_SMALL_ANSWER_TOKENS if small else None)
        sure = request.sampling.confidence and not request.tools  # llama.cpp refuses to tell it beside tools
        return replace(request, sampling=replace(request.sampling, max_tokens=limit, confidence=sure))


def _engines(backends: Sequence[Backend]) -> list[Engine]:
    """Return the engines of local models, where their files are here and sound: the others are told of when asked."""
    engines = []
    for backend in backends:
        if isinstance(backend, LocalModel):
            with suppress(MoaError):
                engine = backend._engine()  # noqa: SLF001  (of this module)
                engine.expected_bytes()
                engines.append(engine)
    return engines


def _passed_on(steps: asyncio.Queue[Step | None]) -> Heard:
    """Return what puts the pool's steps into the queue of this event loop, from whatever thread."""
    loop = asyncio.get_running_loop()

    def heard(step: Step | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(steps.put_nowait, step)

    return heard


def _notice(name: str, progress: Progress) -> Notice:
    if progress.waiting:
        return Notice("waiting", f"Another process downloads {name}; waiting for it.")
    size = f" ({size_text(progress.total)})" if progress.total else ""
    return Notice("downloading", f"Downloading {progress.file}{size} from {progress.source}.", progress.fraction)


def _size(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)

"""Models on this machine: fetched when they are missing, loaded when they are needed, run by llama.cpp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from moa.backends.base import Chunk, Finish, Notice, Readiness, Request
from moa.errors import AgentError, ConnectionFailed, EngineError, ProtocolError
from moa.local.background import followed
from moa.local.files import Progress, size_text
from moa.local.weights import FileWeights, Weights, weights_for

if TYPE_CHECKING:
    from moa.local.child import Child
    from moa.local.engine import Engine

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
    weights: Weights = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", weights_for(self.name))
        for setting in ("context", "slots", "max_tokens"):
            value = getattr(self, setting)
            if value is not None and value < 1:
                raise AgentError(f"{setting} of {self.reference} is {value}; it must be at least 1.")

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

        Raises:
            DownloadError: the model could not be fetched.
            EngineError: the engine is not installed, refuses the model, or died. The next call starts it anew.
            ContextTooLong: the conversation does not fit into the context.
        """
        from moa.backends.chat import ChatServer, chat_payload, stream_chat
        from moa.backends.keys import Secret
        from moa.backends.timeouts import Timeouts

        files = self.weights.files()
        if not files:
            async with aclosing(self._download()) as notices:
                async for notice in notices:
                    yield notice
            files = self.weights.files()
        if not files:
            raise EngineError(f"{self.name} was deleted from the cache just after it was downloaded. Ask again.")
        engine = self._engine(files[0])
        child = engine.child
        if child is None:
            yield Notice("loading", f"Loading {self.name} into memory, {size_text(_size(files))}.")
            child = await _started(engine)
        if engine.is_full:
            yield Notice("queued", f"{self.name} writes {self.slots} answers at a time; this one waits for its turn.")
        server = ChatServer(
            url=f"{child.address}/v1/chat/completions",
            who=self.reference,
            timeouts=Timeouts(first_token=_FIRST_TOKEN_SECONDS, between_tokens=_BETWEEN_TOKENS_SECONDS),
            key=Secret(child.secret),
            keep_alive=False,
        )
        payload = chat_payload(self.name, self._bounded(request, _size(files)))
        try:
            with engine.call():
                async with aclosing(stream_chat(server, payload)) as chunks:
                    async for chunk in chunks:
                        yield replace(chunk, cost_usd=0.0) if isinstance(chunk, Finish) else chunk
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
        if files:
            return Readiness(ready=True, text=f"on this machine, {size_text(_size(files))}")
        if isinstance(self.weights, FileWeights):
            return Readiness(ready=False, text=f"there is no file {self.weights.path}", remedy="correct the path")
        size = self.weights.download_bytes
        text = f"not downloaded yet{f', {size_text(size)}' if size else ''}; that happens at its first question"
        return Readiness(ready=False, text=text, remedy=f"moa models pull {self.name}")

    async def _download(self) -> AsyncGenerator[Notice, None]:
        """Fetch the weights, telling every whole percent."""
        said: tuple[object, ...] = ()
        async with aclosing(followed(self.weights.fetch, daemon=False)) as reports:
            async for progress in reports:
                percent = None if progress.fraction is None else int(progress.fraction * 100)
                if said != (said := (progress.file, progress.waiting, percent)):
                    yield _notice(self.name, progress)

    def _engine(self, model: Path) -> Engine:
        from moa.local.engine import EngineSettings, engine_for

        return engine_for(self.name, EngineSettings(model, self.context, self.slots))

    def _bounded(self, request: Request, size: int) -> Request:
        """Return the request with a limit to its answer, as small models may not find an end by themselves."""
        limit = (
            request.sampling.max_tokens or self.max_tokens or (_SMALL_ANSWER_TOKENS if size < _SMALL_BYTES else None)
        )
        sure = request.sampling.confidence and not request.tools  # llama.cpp refuses to tell it beside tools
        return replace(request, sampling=replace(request.sampling, max_tokens=limit, confidence=sure))


async def _started(engine: Engine) -> Child:
    """Start an engine without holding up the event loop."""
    started: list[Child] = []

    def start(_: Callable[[None], None]) -> None:
        started.append(engine.start())

    async with aclosing(followed(start, daemon=True)) as reports:
        async for _ in reports:
            pass
    return started[0]


def _notice(name: str, progress: Progress) -> Notice:
    if progress.waiting:
        return Notice("waiting", f"Another process downloads {name}; waiting for it.")
    size = f" ({size_text(progress.total)})" if progress.total else ""
    return Notice("downloading", f"Downloading {progress.file}{size} from {progress.source}.", progress.fraction)


def _size(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)

"""Any hosted provider, through litellm, which is imported only when a hosted model is first called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from moa.backends import litellm_library
from moa.backends.base import Chunk, Delta, Finish, Notice, Price, Readiness, Request
from moa.backends.keys import Secret, how_to_set, secrets_in_environment
from moa.backends.providers import KEY_VARIABLES, KEYLESS, find_key
from moa.backends.timeouts import Timeouts, too_slow
from moa.errors import BackendError, MissingKeyError, ModelReferenceError, MoaError, ProtocolError
from moa.messages import Usage


@dataclass(frozen=True)
class Hosted:
    """A model of a hosted provider.

    The key comes from the provider's usual environment variable (`OPENAI_API_KEY`, …), or from the file that its
    `…_FILE` twin names.

    Example:
        >>> Hosted("anthropic/claude-sonnet-4-5").provider
        'anthropic'

    Raises:
        ModelReferenceError: the reference is not `provider/name`.
    """

    reference: str
    """`provider/name`, as litellm knows it."""
    _: KW_ONLY
    api_key_env: str | None = None
    """Another environment variable that holds the key."""
    api_base: str | None = None
    """Another address of the provider, such as a gateway."""
    price: Price | None = None
    """What the model costs, if litellm's price list is wrong or does not know it."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """More arguments for litellm."""

    def __post_init__(self) -> None:
        provider, _, name = self.reference.partition("/")
        if not provider or not name.strip():
            raise ModelReferenceError(f"{self.reference!r} is not provider/name. Write, for example, openai/gpt-4o-mini.")

    @property
    def provider(self) -> str:
        """What stands before the first slash."""
        return self.reference.partition("/")[0]

    @property
    def priced(self) -> bool:
        """Whether a price was given, is in litellm's list, or is nothing. Reads that list, but does not import litellm."""
        return self.price is not None or self._is_free or self._listed_price() is not None

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model and yield chunks as they arrive, `Finish` last.

        Raises:
            BackendError: the call failed; the message says how and what to do, and never holds a key.
            ModelReferenceError: there is no such provider.
        """
        key = self._key()
        if not litellm_library.is_loaded():
            yield Notice("loading", "Loading litellm, which talks to hosted providers.")
        litellm = await litellm_library.load()
        self._check_provider(litellm)
        listener = _Listener(self)
        try:
            stream = await listener.within_the_limit(litellm.acompletion(**self._arguments(request, key)))
            if stream is None:
                raise BackendError(f"{self.reference} was refused, and litellm does not say why.")  # noqa: TRY301
            try:
                while (chunk := await listener.within_the_limit(anext(stream, None))) is not None:
                    for delta in listener.deltas(chunk):
                        yield delta
            finally:
                await stream.aclose()
        except MoaError:
            raise
        except Exception as error:
            raise self._told(error, sent_key=key is not None, started=listener.started) from error
        yield listener.finish(litellm, stream)

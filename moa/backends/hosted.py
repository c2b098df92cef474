"""Any hosted provider, through litellm, which is imported only when a hosted model is first called."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from typing import Any

from moa.backends import litellm_library
from moa.backends.base import Chunk, Finish, Notice, Price, Readiness, Request
from moa.backends.hosted_reply import HostedReply
from moa.backends.keys import Secret, how_to_set, secrets_in_environment
from moa.backends.providers import KEY_VARIABLES, KEYLESS, find_key
from moa.backends.timeouts import Timeouts
from moa.errors import BackendError, MissingKeyError, MoaError, ModelReferenceError
from moa.messages import Usage

_PER_MILLION = 1_000_000
_REFUSALS = (400, 422, 501)  # of a request that the provider does not understand


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
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """More arguments for litellm."""

    def __post_init__(self) -> None:
        provider, _, name = self.reference.partition("/")
        if not provider or not name.strip():
            raise ModelReferenceError(
                f"{self.reference!r} is not provider/name. Write, for example, openai/gpt-4o-mini."
            )

    @property
    def provider(self) -> str:
        """What stands before the first slash."""
        return self.reference.partition("/")[0]

    @property
    def priced(self) -> bool:
        """Whether a price was given or is in litellm's list. Reads that list, but does not import litellm."""
        return self.price is not None or self._is_free or self._listed

    @property
    def listed_price(self) -> Price | None:
        """What the model costs by litellm's list; None if it does not say. Reads that list."""
        if self._is_free:
            return Price(0.0, 0.0)
        if not self._listed:
            return None
        facts = self._facts
        rates = (facts.get(f"{side}_cost_per_token") or 0.0 for side in ("input", "output"))
        return Price(*(float(rate) * _PER_MILLION for rate in rates))

    @property
    def context(self) -> int | None:
        """Tokens that the model reads at once, by litellm's list; None if it does not say. Reads that list."""
        window = self._facts.get("max_input_tokens")
        return window if isinstance(window, int) and window > 0 else None

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
        self._check(litellm)
        reply = HostedReply(self.reference, self.timeouts)
        try:
            stream = await reply.in_time(self._opened(litellm, request, key))
            try:
                while (chunk := await reply.next_chunk(stream)) is not None:
                    for delta in reply.read(chunk):
                        yield delta
            finally:
                await stream.aclose()
            reason, usage = reply.finish(stream)
        except MoaError:
            raise
        except Exception as error:  # noqa: BLE001  (litellm raises what its providers' libraries raise)
            from moa.backends.hosted_errors import hosted_error, showable

            secrets = (*((key,) if key else ()), *secrets_in_environment())
            raise hosted_error(
                self.reference,
                error,
                key_variables=self._key_variables,
                sent_key=key is not None,
                secrets=secrets,
                timeouts=self.timeouts,
                started=reply.started,
                tools=bool(request.tools),
            ) from showable(error, secrets)
        cost, sure = self._cost(litellm, usage, reply.usage), reply.confidence.mean
        yield Finish(usage, reason, cost, sure, reply.calls.calls)

    def readiness(self) -> Readiness:
        """Look whether the key is there; whether the provider knows the model is only known by calling it."""
        if self.provider in KEYLESS:
            return Readiness(ready=True, text="needs no key; not contacted")
        if not self._key_variables:
            return Readiness(ready=True, text="its credentials are only known to litellm; not checked")
        usual = self._key_variables[0]
        try:
            found = find_key(self._key_variables)
        except MissingKeyError as error:
            return Readiness(ready=False, text=str(error), remedy=how_to_set(usual))
        if found is None:
            return Readiness(ready=False, text=f"no key in {usual}", remedy=how_to_set(usual))
        return Readiness(ready=True, text=f"key in {found[0]}; not contacted")

    @property
    def _key_variables(self) -> tuple[str, ...]:
        return (self.api_key_env,) if self.api_key_env else KEY_VARIABLES.get(self.provider, ())

    def _key(self) -> Secret | None:
        """Return the key to send, or None where litellm finds the credentials itself."""
        variables = self._key_variables
        if not variables:
            return None
        if found := find_key(variables):
            return found[1]
        raise MissingKeyError(
            f"{self.reference} needs a key in {variables[0]}, which is not set: {how_to_set(variables[0])}."
        )

    def _check(self, litellm: Any) -> None:
        """Let litellm say whether it knows a provider that our own table does not know, and finds its key."""
        if self.provider in KEY_VARIABLES or self.provider in KEYLESS:
            return
        try:
            litellm.get_llm_provider(self.reference, api_base=self.api_base)
        except Exception as error:
            near = get_close_matches(self.provider, [*KEY_VARIABLES, *KEYLESS], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ModelReferenceError(
                f"{self.reference!r}: no provider is called {self.provider!r}.{hint} Providers are openai, anthropic, "
                "gemini, mistral, ollama_chat and more (https://docs.litellm.ai/docs/providers); "
                "a server of your own is written http://host:port/v1#name."
            ) from error
        if self.api_key_env:
            return
        missing = litellm.validate_environment(self.reference)["missing_keys"]
        keys = [name for name in missing if name.endswith("_API_KEY")]
        if keys and not self.provider.startswith("azure"):  # Azure knows sign-ins without a key
            raise MissingKeyError(
                f"{self.reference} needs a key in {keys[0]}, which is not set: {how_to_set(keys[0])}."
            )

    async def _opened(self, litellm: Any, request: Request, key: Secret | None) -> Any:
        arguments = self._arguments(request, key)
        try:
            stream = await litellm.acompletion(**arguments)
        except Exception as error:
            if "logprobs" not in arguments or getattr(error, "status_code", None) not in _REFUSALS:
                raise
            del arguments["logprobs"]  # not every model tells probabilities; its answer is wanted all the same
            stream = await litellm.acompletion(**arguments)
        if stream is None:  # what it makes of some refusals
            raise BackendError(f"{self.reference} refused the request, and litellm does not say why.")
        return stream

    def _arguments(self, request: Request, key: Secret | None) -> dict[str, Any]:
        import httpx

        from moa.backends.chat import chat_payload

        payload = chat_payload(self.reference, request)
        connect = self.timeouts.connect
        given = {"api_key": key.reveal() if key else None, "api_base": self.api_base}
        return {
            **payload,
            **{name: value for name, value in given.items() if value is not None},
            "timeout": httpx.Timeout(None, connect=connect, pool=connect),
            "num_retries": 0,
            "max_retries": 0,
            **self.extra,
        }

    def _cost(self, litellm: Any, usage: Usage, reported: Any) -> float | None:
        if self.price is not None:
            return self.price.of(usage)
        if self._is_free:
            return 0.0
        if usage.total is None:
            return None
        if isinstance(told := getattr(reported, "cost", None), float):
            return told
        with suppress(Exception):  # the price list has gaps of many kinds; a gap means unknown
            if self._listed:
                return float(sum(litellm.cost_per_token(model=self.reference, usage_object=reported)))
        return None

    @property
    def _is_free(self) -> bool:
        relayed = self.reference.endswith("-cloud")  # Ollama passes these on to its own paid service
        return self.provider in KEYLESS and not relayed

    @property
    def _listed(self) -> bool:
        return "input_cost_per_token" in self._facts

    @property
    def _facts(self) -> Mapping[str, Any]:
        """What litellm's list says of the model; empty if it is not of this provider."""
        listed = litellm_library.prices()
        entry = listed.get(self.reference) or listed.get(self.reference.partition("/")[2]) or {}
        return entry if entry.get("litellm_provider", "").startswith(self.provider) else {}

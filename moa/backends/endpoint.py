"""Any server that speaks the OpenAI chat protocol, straight over HTTP: vLLM, llama-server, Ollama, another moa."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moa.backends.base import Chunk, Price, Readiness, Request
from moa.backends.keys import Secret, how_to_set, read_key
from moa.backends.timeouts import Timeouts
from moa.errors import MissingKeyError, ModelReferenceError

if TYPE_CHECKING:
    import httpx

_CHAT = "/chat/completions"
_EXAMPLE = "http://localhost:8000/v1#name-of-the-model"


@dataclass(frozen=True)
class Endpoint:
    """A model behind an OpenAI-compatible URL.

    No key is sent unless `api_key_env` names the variable that holds one: an address must not be enough to be handed a
    key that was meant for somebody else.

    Example:
        >>> Endpoint("https://llm.example.org/v1", "qwen3-32b", api_key_env="EXAMPLE_KEY").reference
        'https://llm.example.org/v1#qwen3-32b'

    Raises:
        ModelReferenceError: the URL is not usable, or holds a user name, a password or a query; or the model is blank.
    """

    base_url: str
    """Up to and without `/chat/completions`; usually ends in `/v1`."""
    model: str
    """The name under which the server knows the model."""
    _: KW_ONLY
    api_key_env: str | None = None
    """Name of the environment variable that holds the key (or whose `…_FILE` twin names a file that does)."""
    price: Price | None = None
    """What the model costs; None if that is not known. `Price(0, 0)` for a server of your own."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Sent with every request; never shown."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """More fields for the request's body, such as `{"top_k": 20}`."""
    key: Secret | None = field(default=None, repr=False)
    """A key that a program made itself; people name a variable in `api_key_env` instead."""
    keep_alive: bool = True
    """Whether a connection is kept for the next call; not for a server that may go away at any moment."""
    client: httpx.AsyncClient | None = field(default=None, repr=False, compare=False)
    """A client of your own, for certificates, proxies or mock transports; None means the event loop's pool."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _checked(self.base_url).removesuffix(_CHAT))
        if not self.model.strip():
            raise ModelReferenceError(f"{self.base_url} names no model. Write it after a #, for example {_EXAMPLE}.")

    @classmethod
    def named(cls, reference: str) -> Endpoint:
        """Make an endpoint from `http://host:port/v1#name`.

        Raises:
            ModelReferenceError: the name is missing, or the URL is not usable.
        """
        base_url, _, model = reference.partition("#")
        return cls(base_url, model.strip())

    @property
    def reference(self) -> str:
        """The URL and the model, as `URL#name`."""
        return f"{self.base_url}#{self.model}"

    @property
    def priced(self) -> bool:
        """Whether a price was given."""
        return self.price is not None

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model and yield chunks as they arrive, `Finish` last.

        Raises:
            BackendError: the call failed; the message says how and what to do, and never holds a key.
        """
        from moa.backends.chat import ChatServer, chat_payload, stream_chat

        server = ChatServer(
            url=self.base_url + _CHAT,
            who=self.reference,
            timeouts=self.timeouts,
            key=self._key(),
            key_variable=self.api_key_env,
            headers=self.headers,
            keep_alive=self.keep_alive,
            price=self.price,
        )
        return stream_chat(server, {**chat_payload(self.model, request), **self.extra}, self.client)

    def readiness(self) -> Readiness:
        """Look whether the key is there; whether the server runs is only known by calling it."""
        if self.api_key_env is None or self.key is not None:
            return Readiness(ready=True, text="not contacted")
        try:
            key = read_key(self.api_key_env)
        except MissingKeyError as error:
            return Readiness(ready=False, text=str(error), remedy=how_to_set(self.api_key_env))
        if key is None:
            return Readiness(ready=False, text=f"no key in {self.api_key_env}", remedy=how_to_set(self.api_key_env))
        return Readiness(ready=True, text=f"key in {self.api_key_env}; not contacted")

    def _key(self) -> Secret | None:
        if self.key is not None or self.api_key_env is None:
            return self.key
        key = read_key(self.api_key_env)
        if key is None:
            raise MissingKeyError(
                f"{self.reference} needs a key in {self.api_key_env}, which is not set: {how_to_set(self.api_key_env)}."
            )
        return key


def _checked(url: str) -> str:
    """Return a base URL without its last slash, or say what is wrong with it, quoting nothing that may be secret."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise ModelReferenceError(f"{url!r} is not a URL. Write it like {_EXAMPLE}.") from None
    shown = f"{parts.scheme}://{parts.hostname or ''}{f':{port}' if port else ''}{parts.path}"
    if parts.username is not None or parts.password is not None:
        raise ModelReferenceError(
            f"The URL of {shown} holds a user name or password. Keys are never part of a reference: "
            'write Endpoint(url, model, api_key_env="MY_KEY").'
        )
    if parts.query or parts.fragment:
        raise ModelReferenceError(
            f"The base URL {shown} must end before any ? or #. Keys go into headers, and the model is given apart."
        )
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or any(character.isspace() for character in parts.path)
    ):
        raise ModelReferenceError(f"{shown!r} is not the URL of a server. Write it like {_EXAMPLE}.")
    return shown.rstrip("/")

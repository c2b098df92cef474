"""`POST /v1/embeddings`: the vectors by which the mixture routes."""

from __future__ import annotations

import base64
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from moa.context import tokens_in
from moa.messages import Message
from moa.server.exchange import exchange_of
from moa.server.forms import EmbeddingsForm
from moa.server.generating import Generating, Sending
from moa.server.house import house_of
from moa.server.reading import form_in
from moa.server.refusal import Refusal, not_found
from moa.waiting import in_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from starlette.requests import Request
    from starlette.responses import Response

    from moa.routing import Router
    from moa.routing.embedding import Embedder
    from moa.server.exchange import Exchange
    from moa.server.house import House

_MOST_CHARACTERS = 500_000
"""Of all texts of one request: some ten seconds of work."""


async def embeddings(request: Request) -> Response:
    """Embed texts.

    Raises:
        Refusal: the request is not one that can be answered.
    """
    house, exchange = house_of(request), exchange_of(request)
    form = await form_in(request, EmbeddingsForm, house.settings.bounds)
    if form.model not in {house.offers.encoder(), *house.offers.mixtures}:
        raise not_found(form.model)
    if sum(map(len, form.texts)) > _MOST_CHARACTERS:
        told = f"All texts together have at most {_MOST_CHARACTERS} characters. Send them in several requests."
        raise Refusal(400, told, code="invalid_value", param="input")
    exchange.model = house.offers.encoder()
    return Vectors(house, exchange, form)


class Vectors(Generating):
    """The response: one vector a text."""

    def __init__(self, house: House, exchange: Exchange, form: EmbeddingsForm) -> None:
        super().__init__(house, exchange, streams=False)
        self.form = form

    async def answer(self, sending: Sending) -> None:
        """Send the vectors."""
        texts = self.form.texts
        vectors = await in_thread(partial(embedded, self.house.offers.default.router, texts))
        if self.form.dimensions not in (None, vectors.shape[1]):
            told = f"The vectors have {vectors.shape[1]} dimensions, and cannot have others."
            raise Refusal(400, told, code="invalid_value", param="dimensions")
        data = [
            {"object": "embedding", "index": place, "embedding": self._written(vector)}
            for place, vector in enumerate(vectors)
        ]
        tokens = tokens_in([Message("user", text) for text in texts])
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}  # estimated: encoders do not tell
        body = {"object": "list", "model": self.exchange.model, "data": data, "usage": usage}
        await sending.whole(200, body)

    async def stream(self, sending: Sending) -> None:
        """Vectors do not stream."""
        await self.answer(sending)

    def _written(self, vector: NDArray[np.float32]) -> Any:
        if self.form.encoding_format == "base64":
            return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
        return vector.tolist()


def embedded(router: Router, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors of texts, shape (texts, dimension), from the encoder that a router uses.

    Raises:
        EncoderError: the encoder cannot be loaded, or returned nonsense.
        DownloadError: its weights could not be fetched.
    """
    vectors = router.embed(texts)
    return _encoder_named(router.encoder).questions(texts) if vectors is None else vectors


_loading = Lock()
_loaded: dict[str, Embedder] = {}


def _encoder_named(name: str) -> Embedder:
    """Return an encoder by its name: a mixture of one agent routes without one, and so has loaded none."""
    from moa.routing.embedding import Embedder
    from moa.routing.encoders import encoder_for

    with _loading:
        if name not in _loaded:
            _loaded[name] = Embedder(encoder_for(name))
        return _loaded[name]

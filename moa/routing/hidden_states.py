"""A local language model as an encoder: its own last hidden states, averaged over the tokens of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.errors import EncoderError, EngineError, UsageError
from moa.local.engine import Engine, EngineSettings, engine_for
from moa.local.lease import Wish
from moa.local.pool import the_pool
from moa.local.weights import weights_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.local.child import Child
    from moa.local.files import Progress

TOKENS = 512
"""What is read of a text. A window of `moa.routing.windows` has some 200 tokens, and dense code twice as many."""
_ADDED_TOKENS = 8
"""Room for what a tokenizer puts around a text: marks of its beginning and end."""
_AT_ONCE = 16
"""Texts of one request: few enough for a slow machine to answer within the time limit."""
_SECONDS = 600.0
"""Time limit of one request, in which other threads' texts may come first."""
_ENDING_SECONDS = 2.0
"""Between the end of a connection and the end of the process behind it."""
_MISFITS = (EngineError, UsageError)


class HiddenStates:
    """Runs a language model in the local engine, and returns the mean of its last hidden states, at length 1.

    That is what the gates of merged mixtures are made of ("frankenmoes", whose gate vectors are the mean hidden states
    of a few prompts). The vectors of all texts point in much the same direction (Ethayarajh, How Contextual are
    Contextualized Word Representations?, 2019), so that cosines say little until they are `Centred`.

    The engine is a child process with one slot, apart from the one in which the same model may answer questions; both
    map the same file, so that its weights are in memory once. It starts with the first text, and anew if it died.

    Args:
        model: what stands after `local:`, a name of the catalogue, a GGUF file, or `org/repo:file` of the hub.
        tokens: what is read of a text, 16 or more; the rest is left out.
        on_progress: told of every step if the model must be downloaded.

    Raises:
        EncoderError: there is no such model, or it cannot be loaded; says why.
        DownloadError: its weights could not be fetched.
    """

    def __init__(
        self, model: str, *, tokens: int = TOKENS, on_progress: Callable[[Progress], None] | None = None
    ) -> None:
        self.name = f"local:{model}"
        try:
            self._engine = _engine(model, tokens, on_progress)
            self._room = self._engine.context - _ADDED_TOKENS
            self.dimension = self.encode(["How long is a vector?"]).shape[1]
        except _MISFITS as error:
            raise EncoderError(f"The encoder {self.name} cannot be used. {error}") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension).

        Raises:
            EncoderError: the engine died, or refused a text.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        try:
            with the_pool().lease(self._engine, Wish(self._engine.settings)) as lease:
                vectors = self._encoded(texts, lease.wait())
                the_pool().answered(lease)
                return vectors
        except EngineError as error:
            raise EncoderError(f"The encoder {self.name} cannot be loaded. {error}") from error

    def _encoded(self, texts: Sequence[str], child: Child) -> NDArray[np.float32]:
        import httpx

        headers = {"authorization": f"Bearer {child.secret}"}
        try:
            with httpx.Client(base_url=child.address, headers=headers, timeout=_SECONDS, trust_env=False) as server:
                given = [self._within_bounds(text, server) for text in texts]
                batches = [given[start : start + _AT_ONCE] for start in range(0, len(given), _AT_ONCE)]
                rows = [row for batch in batches for row in self._rows(batch, server)]
        except httpx.HTTPError as error:
            raise self._failure(child, error) from error
        return np.array(rows, np.float32).reshape(len(texts), -1)

    def _within_bounds(self, text: str, server: Any) -> str | list[int]:
        """Return a text as it is if it fits for sure, and its first tokens if it may not.

        A token is at least one byte, so that few bytes need not be counted in tokens.
        """
        text = text.encode("utf-8", "replace").decode() or " "  # the engine refuses a text of no tokens
        if len(text.encode()) <= self._room:
            return text
        answer = server.post("/tokenize", json={"content": text, "add_special": True})
        tokens: list[int] = self._checked(answer)["tokens"]
        return tokens[: self._room]

    def _rows(self, batch: Sequence[str | list[int]], server: Any) -> list[list[float]]:
        answer = self._checked(server.post("/v1/embeddings", json={"input": batch}))
        ordered = sorted(answer["data"], key=lambda item: item["index"])
        return [item["embedding"] for item in ordered]

    def _checked(self, answer: Any) -> Any:
        if answer.is_error:
            raise EncoderError(
                f"The local engine of the encoder {self.name} refused a text with status {answer.status_code}: "
                f"{answer.text[:200]}"
            )
        return answer.json()

    def _failure(self, child: Child, error: Exception) -> EncoderError:
        if died := child.end(_ENDING_SECONDS):
            return EncoderError(f"The encoder {self.name} failed. {died}")
        return EncoderError(f"The encoder {self.name} did not answer ({error or type(error).__name__}). Ask again.")


def _engine(model: str, tokens: int, on_progress: Callable[[Progress], None] | None) -> Engine:
    weights = weights_for(model)
    files = weights.files()
    file = files[0] if files else weights.fetch(on_progress)
    return engine_for(model, EngineSettings(file, tokens, slots=1, embeds=True))

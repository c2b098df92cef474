"""Everything that can go wrong, in one tree.

    MoaError                      has `exit_code`, 1 unless said otherwise
    ├── UsageError                the request itself is wrong (exit code 2)
    │   ├── ConversationError     an empty question, a role that does not exist
    │   ├── AgentError            an agent or a mixture that cannot work as defined
    │   ├── ModelReferenceError   a model reference that names nothing
    │   ├── LoadError             a Python file of agents that cannot be read
    │   └── SuiteError            a suite of questions that cannot be used as it is
    ├── BackendError              one model call failed; has `retryable`
    │   ├── MissingKeyError       no API key where one is needed
    │   ├── ConnectionFailed      nobody listens, the name does not resolve, the line broke
    │   ├── CallTimeout           connected, but too slow; says in which phase
    │   ├── UpstreamError         the server answered with an error status
    │   │   └── RateLimited       status 429, with `retry_after_seconds` where given
    │   ├── ProtocolError         the server answered with something that is not the protocol
    │   ├── CircuitOpen           the backend failed too often lately, so it is left alone for a while
    │   ├── ContextTooLong        the question does not fit the model's context window
    │   └── EngineError           the local engine did not start, or died
    │       └── ModelTooLarge     a local model that its memory budget can never hold
    ├── DownloadError             a model could not be fetched
    │   ├── ChecksumMismatch      what arrived is not what was promised
    │   └── NoSpace               the disk cannot hold it
    ├── EncoderError              the encoder is missing or returned nonsense
    ├── GateError                 a gate that cannot be trained, loaded or used
    ├── DraftCancelled            the others sufficed, or it was broken off by hand
    ├── OutputError               the answer is not of the form that was asked for
    ├── BudgetExceeded            the next call would cross the budget
    ├── AllDraftsFailed           nobody on the panel answered; lists every cause
    ├── ScoringError              an answer could not be scored
    ├── FeedError                 a server's event feed cannot be read
    └── StoreError                the database cannot be read or written

Every message is written for the person who reads it: what was wrong, where, and what to do.
Causes are kept (`raise … from …`); faces print `str(error)` and never a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


class MoaError(Exception):
    """Anything that moa raises on purpose. `str(error)` is one clear sentence, or a few."""

    exit_code = 1


class UsageError(MoaError):
    """The request itself is wrong; repeating it cannot help."""

    exit_code = 2


class ConversationError(UsageError):
    """A conversation that cannot be answered: empty, or with an unknown role."""


class AgentError(UsageError):
    """An agent or a mixture that cannot work as it is defined."""


class ModelReferenceError(UsageError):
    """A model reference, such as `local:nope`, that names nothing."""


class LoadError(UsageError):
    """A file or folder of agents that cannot be read."""


class BackendError(MoaError):
    """One model call failed.

    `retryable` says whether the same call may succeed later; it is a property of the failure,
    and the caller still decides (never retry once a token has been shown).
    """

    retryable = False


class MissingKeyError(BackendError):
    """No API key where the provider needs one."""


class ConnectionFailed(BackendError):
    """Nobody listens, the name does not resolve, or the connection broke."""

    retryable = True


class CallTimeout(BackendError):
    """The call took too long; the message says in which phase (connect, first token, between tokens)."""

    retryable = True


class UpstreamError(BackendError):
    """The server answered with an error status.

    `status` is the HTTP status. 408, 409, 429 and 5xx are worth another try; the rest is not.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = status in {408, 409, 429} or status >= 500  # noqa: PLR2004


class RateLimited(UpstreamError):
    """Status 429. `retry_after_seconds` is what the server asked for, or None if it did not say."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, status=429)
        self.retry_after_seconds = retry_after_seconds


class ProtocolError(BackendError):
    """The server answered with something that is not the protocol: HTML, broken JSON, an early end."""


class CircuitOpen(BackendError):
    """The backend failed too often lately, so it was not asked. `retry_in_seconds` is when it may be again."""

    def __init__(self, message: str, *, retry_in_seconds: float) -> None:
        super().__init__(message)
        self.retry_in_seconds = retry_in_seconds


class ContextTooLong(BackendError):
    """The question does not fit the model's context window."""


class EngineError(BackendError):
    """The local engine did not start, refused the model, or died."""


class ModelTooLarge(EngineError):
    """A local model that can never be loaded, because it needs more memory than local models may take.

    `key` names the model as the planner knows it; the sizes are in bytes, and what is pinned is a part of the budget.
    """

    def __init__(
        self, message: str, *, key: Hashable, needed_bytes: int, budget_bytes: int, pinned_bytes: int = 0
    ) -> None:
        super().__init__(message)
        self.key = key
        self.needed_bytes = needed_bytes
        self.budget_bytes = budget_bytes
        self.pinned_bytes = pinned_bytes


class DownloadError(MoaError):
    """A model could not be fetched from any of its sources."""


class ChecksumMismatch(DownloadError):
    """What arrived is not what the catalogue promises; nothing of it was kept."""


class NoSpace(DownloadError):
    """The disk cannot hold the model."""


class EncoderError(MoaError):
    """The encoder is missing, or returned something that is not a vector."""


class GateError(MoaError):
    """A gate that cannot be trained, loaded or used."""


class DraftCancelled(MoaError):
    """A draft was broken off, because those that were in sufficed, or by hand."""


class OutputError(MoaError):
    """The answer is not of the form that was asked for."""


class BudgetExceeded(MoaError):
    """The next call would cross the budget."""


class AllDraftsFailed(MoaError):
    """Nobody on the panel answered. `causes` maps each agent that was asked to its error."""

    def __init__(self, causes: Mapping[str, BaseException]) -> None:
        self.causes = dict(causes)
        if len(self.causes) == 1:
            [(name, cause)] = self.causes.items()
            message = f"{name} could not answer: {cause}"
        else:
            listed = "".join(f"\n  - {name}: {cause}" for name, cause in self.causes.items())
            message = f"None of the {len(self.causes)} agents asked could answer:{listed}"
        super().__init__(message)


class FeedError(MoaError):
    """The event feed of a server cannot be read: nobody answers, the key is wrong, or it is no moa serve.

    `retryable` says whether it may succeed later, `status` is the HTTP status (0 if there was none), and `retry_after`
    are the seconds that the server asks to wait.
    """

    def __init__(self, message: str, *, retryable: bool = False, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after


class StoreError(MoaError):
    """The database of runs cannot be read or written."""


class SuiteError(UsageError):
    """A suite of questions cannot be used as it is."""


class ScoringError(MoaError):
    """An answer could not be scored, which says nothing of the answer."""

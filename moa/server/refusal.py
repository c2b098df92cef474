"""What a client is told when it gets no answer: a status, and an error of the shape that OpenAI's clients know."""

from __future__ import annotations

from typing import Any

from moa.errors import (
    AllDraftsFailed,
    BackendError,
    BudgetExceeded,
    CallTimeout,
    CircuitOpen,
    ContextTooLong,
    EncoderError,
    MissingKeyError,
    MoaError,
    RateLimited,
    UsageError,
)

_BUSY_SECONDS = 5.0
"""When a model that has had enough of us is worth another try, if it does not say so itself."""


class Refusal(MoaError):
    """A request that is not answered.

    Args:
        status: of HTTP.
        message: for whoever sent it.
        kind: the error's `type`, as OpenAI names it.
        code: what programs look at.
        param: the field that is wrong.
        retry_after: seconds until another try makes sense; None says nothing of it.
        final: whether clients should not try again by themselves, though the status says that it may help.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self.final = final

    def body(self) -> dict[str, Any]:
        """Return the error as JSON."""
        return {"error": {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """Return what is said in headers."""
        told = {}
        if self.retry_after is not None:
            told["retry-after"] = str(max(1, round(self.retry_after)))
        if self.final:
            told["x-should-retry"] = "false"  # OpenAI's clients heed it
        if self.status == 401:  # noqa: PLR2004
            told["www-authenticate"] = "Bearer"
        return told


def not_found(model: str) -> Refusal:
    """Return the refusal of a model name that does not exist, or not for whoever asks."""
    return Refusal(
        404,
        f"The model {model[:100]!r} does not exist here. GET /v1/models lists those that do.",
        code="model_not_found",
        param="model",
    )


def quota_used_up(what: str) -> Refusal:
    """Return the refusal of a key that has had its share of a day."""
    return Refusal(
        429,
        f"This key has used up what it may spend in a day ({what}). It may go on at midnight UTC.",
        kind="insufficient_quota",
        code="insufficient_quota",
        final=True,
    )


def refusal_of(error: BaseException, *, frank: bool) -> Refusal:  # noqa: PLR0911  (one a kind of error)
    """Return what a client is told of an error.

    Args:
        error: what was raised.
        frank: whether the client may read the error's own words. They name models and addresses and quote servers,
            which is nobody's business but the operator's.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, AllDraftsFailed):
        return _none_answered(error, frank=frank)
    if isinstance(error, BackendError):
        return _of_backend(error, str(error) if frank else "")
    if isinstance(error, BudgetExceeded):
        told = str(error) if frank else "The budget of this request does not suffice for an answer."
        return Refusal(400, told, code="budget_exceeded")
    if isinstance(error, UsageError):
        return Refusal(400, str(error), code="invalid_request")
    if isinstance(error, EncoderError):
        told = str(error) if frank else "The server cannot route questions at the moment."
        return Refusal(503, told, kind="server_error", code="encoder_failed", retry_after=_BUSY_SECONDS)
    told = str(error) if frank and isinstance(error, MoaError) else "Something went wrong on the server."
    return Refusal(500, told, kind="server_error", code="internal_error")


def _none_answered(error: AllDraftsFailed, *, frank: bool) -> Refusal:
    """Return the refusal that the failures of a panel come to: the mildest of them, for it says when to come back."""
    causes = [cause for cause in error.causes.values() if isinstance(cause, BackendError)]
    refusals = [_of_backend(cause, "") for cause in causes]
    refusals += [refusal_of(cause, frank=False) for cause in error.causes.values() if cause not in causes]
    mildest = min(refusals, key=lambda refusal: _MILD_FIRST.get(refusal.status, len(_MILD_FIRST)))
    if not frank:
        return mildest
    return Refusal(mildest.status, str(error), kind=mildest.kind, code=mildest.code, retry_after=mildest.retry_after)


_MILD_FIRST = {status: place for place, status in enumerate((400, 429, 503, 504, 502))}


def _of_backend(error: BackendError, told: str) -> Refusal:
    """Return the refusal that a failed model call comes to; `told` is what is said of it, empty for a general word."""
    match error:
        case ContextTooLong():
            told = told or "The conversation is too long for the models that would answer it."
            return Refusal(400, told, code="context_length_exceeded", param="messages")
        case RateLimited():
            told = told or "The models that would answer have too much to do. Try again later."
            wait = error.retry_after_seconds or _BUSY_SECONDS
            return Refusal(429, told, kind="rate_limit_error", code="upstream_rate_limited", retry_after=wait)
        case CircuitOpen():
            told = told or "The models that would answer have failed too often lately. Try again later."
            wait = error.retry_in_seconds or _BUSY_SECONDS
            return Refusal(503, told, kind="server_error", code="upstream_unavailable", retry_after=wait)
        case CallTimeout():
            told = told or "The models that were asked did not answer in time."
            return Refusal(504, told, kind="server_error", code="upstream_timeout")
        case MissingKeyError():
            told = told or "A model that would answer is not set up on this server."
            return Refusal(502, told, kind="server_error", code="upstream_not_configured", final=True)
    told = told or "The models that were asked could not answer."
    return Refusal(502, told, kind="server_error", code="upstream_error")

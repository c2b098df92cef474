"""Whoever asks: what its key allows, and what it has used of that."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from moa.budget import Budget
from moa.errors import BudgetExceeded
from moa.server.keys import Allowance, Key, KeyBook
from moa.server.refusal import Refusal, quota_used_up
from moa.session import Session

_DAY_SECONDS = 86_400
_MINUTE_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Tenant:
    """Everybody who asks with one key; on a server without keys, everybody."""

    id: str
    """The public part of the key; empty where there are no keys."""
    allowance: Allowance = field(default_factory=Allowance)
    watches: bool = True
    clock: Callable[[], float] = time.time
    in_flight: int = 0
    revoked: bool = False
    _tokens: float | None = None
    """Requests that it may make at this moment; None before the first."""
    _at: float = 0.0
    _day: int = -1
    _session: Session | None = None

    def permit(self, agent: str) -> bool:
        """Whether it may ask an agent."""
        return self.allowance.agents is None or agent in self.allowance.agents

    def count_request(self) -> None:
        """Count a request.

        Raises:
            Refusal: it makes too many a minute, or has too many under way.
        """
        limit = self.allowance.concurrency
        if limit is not None and self.in_flight >= limit:
            told = f"This key may have {limit} requests under way at once, and has as many. Wait for one of them."
            raise Refusal(429, told, kind="rate_limit_error", code="concurrency_limit", retry_after=1)
        rate = self.allowance.requests_per_minute
        if rate is None:
            return
        # A bucket that holds a minute's worth and fills steadily (a token bucket).
        now = self.clock()
        held = float(rate) if self._tokens is None else self._tokens
        held = min(float(rate), held + max(0.0, now - self._at) * rate / _MINUTE_SECONDS)
        self._at = now
        if held < 1:
            self._tokens = held
            wait = (1 - held) * _MINUTE_SECONDS / rate
            told = f"This key may make {rate} requests a minute. Wait {wait:.0f} s."
            raise Refusal(429, told, kind="rate_limit_error", code="rate_limit_exceeded", retry_after=wait)
        self._tokens = held - 1

    def session(self) -> Session | None:
        """Return what all of its runs of today may spend together; None if that is not limited.

        Raises:
            Refusal: nothing is left of it.
        """
        allowance = self.allowance
        if allowance.usd_per_day is None and allowance.tokens_per_day is None:
            return None
        today = int(self.clock() // _DAY_SECONDS)
        if self._session is None or today != self._day:
            self._day = today
            self._session = Session(Budget(usd=allowance.usd_per_day, tokens=allowance.tokens_per_day))
        try:
            self._session.ledger.insist_on_something()
        except BudgetExceeded as error:
            limit = f"{allowance.usd_per_day} USD, {allowance.tokens_per_day} tokens"
            raise quota_used_up(limit.replace("None USD, ", "").replace(", None tokens", "")) from error
        return self._session


class Tenants:
    """Knows who asks, by the key that is presented.

    Args:
        book: the keys; None where no key is asked for, and everybody may do everything.
    """

    def __init__(self, book: KeyBook | None, *, clock: Callable[[], float] = time.time) -> None:
        self._book = book
        self._clock = clock
        self._known: dict[str, tuple[Key, Tenant]] = {}
        self._everybody = Tenant("", clock=clock)

    @property
    def keyed(self) -> bool:
        """Whether a key is asked for."""
        return self._book is not None

    def who(self, presented: str | None) -> Tenant:
        """Return who presents a key.

        Raises:
            Refusal: none was presented, or a wrong one.
        """
        if self._book is None:
            return self._everybody
        key = self._book.holder(presented) if presented else None
        if key is None:
            told = "This server asks for a key: send it as Authorization: Bearer KEY." if not presented else _WRONG
            raise Refusal(401, told, kind="authentication_error", code="invalid_api_key")
        known = self._known.get(key.id)
        if known is None:
            tenant = Tenant(key.id, key.allowance, key.watches, self._clock)
            self._known[key.id] = (key, tenant)
            return tenant
        return known[1]

    def refresh(self) -> list[Tenant]:
        """Read the keys again if they have changed, and return those whose key was taken away.

        Raises:
            KeyFileError: the file cannot be read; what was known still counts.
        """
        if self._book is None or not self._book.refresh():
            return []
        valid = {key.id: key for key in self._book.listed() if key.valid}
        gone = [tenant for name, (_, tenant) in self._known.items() if name not in valid]
        for tenant in gone:
            tenant.revoked = True
            del self._known[tenant.id]
        return gone


_WRONG = "This key is not known here, or was revoked."

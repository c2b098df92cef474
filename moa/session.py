"""A session: several questions that spend one budget."""

from __future__ import annotations

from dataclasses import dataclass, field

from moa.budget import Budget, Ledger


@dataclass(slots=True)
class Session:
    """What several runs may spend together. Give it to every `ask` or `stream` that belongs to it.

    A run keeps to its own budget and to the session's. The session's seconds begin with its first question.

    Example:
        >>> session = Session(Budget(usd=1.0))
        >>> session.ledger.usd
        0.0
        >>> mixture.ask_sync("What is 17 * 23?", session=session)  # doctest: +SKIP
        >>> session.ledger.usd  # doctest: +SKIP
        0.0021
    """

    budget: Budget = field(default_factory=Budget)
    ledger: Ledger = field(init=False)
    """What was spent so far."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.budget, name="session's budget", idle=True)

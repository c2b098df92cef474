"""moa: a panel of specialist models that answers as one.

    >>> from moa import Agent, Mixture
    >>> math = Agent("math", model="local:qwen2.5-coder-1.5b-instruct", examples=["What is 17 * 23?"])
    >>> Mixture([math])
    Mixture(math)

The names below are the public ones. They are imported on first use, so that `import moa` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.agent import Agent as Agent
    from moa.aggregation import Aggregator as Aggregator
    from moa.aggregation import Auto as Auto
    from moa.aggregation import Escalate as Escalate
    from moa.aggregation import Guard as Guard
    from moa.aggregation import Judge as Judge
    from moa.aggregation import Refine as Refine
    from moa.aggregation import Select as Select
    from moa.aggregation import SelfMix as SelfMix
    from moa.aggregation import Solo as Solo
    from moa.aggregation import Synthesize as Synthesize
    from moa.aggregation import Verifier as Verifier
    from moa.aggregation import Vote as Vote
    from moa.answers import Answer as Answer
    from moa.answers import Draft as Draft
    from moa.answers import Review as Review
    from moa.answers import Routing as Routing
    from moa.backends.base import Backend as Backend
    from moa.backends.base import Price as Price
    from moa.backends.breaker import Breaker as Breaker
    from moa.backends.endpoint import Endpoint as Endpoint
    from moa.backends.hosted import Hosted as Hosted
    from moa.backends.limits import Limits as Limits
    from moa.backends.resilience import Retries as Retries
    from moa.budget import Budget as Budget
    from moa.contract import OutputContract as OutputContract
    from moa.errors import MoaError as MoaError
    from moa.estimate import Estimate as Estimate
    from moa.events import Event as Event
    from moa.loader import load_mixture as load_mixture
    from moa.messages import Conversation as Conversation
    from moa.messages import Message as Message
    from moa.messages import Usage as Usage
    from moa.mixture import Mixture as Mixture
    from moa.panel import Drafting as Drafting
    from moa.panel import Hedge as Hedge
    from moa.routing import Router as Router
    from moa.session import Session as Session
    from moa.steering import Steering as Steering
    from moa.store.drafts import DraftCache as DraftCache

_HOME = {
    "Agent": "moa.agent",
    "Aggregator": "moa.aggregation",
    "Answer": "moa.answers",
    "Auto": "moa.aggregation",
    "Backend": "moa.backends.base",
    "Breaker": "moa.backends.breaker",
    "Budget": "moa.budget",
    "Conversation": "moa.messages",
    "Draft": "moa.answers",
    "DraftCache": "moa.store.drafts",
    "Drafting": "moa.panel",
    "Endpoint": "moa.backends.endpoint",
    "Escalate": "moa.aggregation",
    "Estimate": "moa.estimate",
    "Event": "moa.events",
    "Guard": "moa.aggregation",
    "Hedge": "moa.panel",
    "Hosted": "moa.backends.hosted",
    "Judge": "moa.aggregation",
    "Limits": "moa.backends.limits",
    "Message": "moa.messages",
    "Mixture": "moa.mixture",
    "MoaError": "moa.errors",
    "OutputContract": "moa.contract",
    "Price": "moa.backends.base",
    "Refine": "moa.aggregation",
    "Retries": "moa.backends.resilience",
    "Review": "moa.answers",
    "Router": "moa.routing",
    "Routing": "moa.answers",
    "Select": "moa.aggregation",
    "SelfMix": "moa.aggregation",
    "Session": "moa.session",
    "Solo": "moa.aggregation",
    "Steering": "moa.steering",
    "Synthesize": "moa.aggregation",
    "Usage": "moa.messages",
    "Verifier": "moa.aggregation",
    "Vote": "moa.aggregation",
    "load_mixture": "moa.loader",
}

__version__ = "0.1.0"
__all__ = sorted([*_HOME, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'moa' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__

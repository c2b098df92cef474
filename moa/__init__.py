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
    from moa.aggregation import Solo as Solo
    from moa.aggregation import Synthesize as Synthesize
    from moa.answers import Answer as Answer
    from moa.answers import Draft as Draft
    from moa.answers import Routing as Routing
    from moa.backends.base import Backend as Backend
    from moa.backends.base import Price as Price
    from moa.backends.endpoint import Endpoint as Endpoint
    from moa.budget import Budget as Budget
    from moa.errors import MoaError as MoaError
    from moa.events import Event as Event
    from moa.loader import load_mixture as load_mixture
    from moa.messages import Conversation as Conversation
    from moa.messages import Message as Message
    from moa.messages import Usage as Usage
    from moa.mixture import Mixture as Mixture
    from moa.routing import Router as Router

_HOME = {
    "Agent": "moa.agent",
    "Aggregator": "moa.aggregation",
    "Answer": "moa.answers",
    "Backend": "moa.backends.base",
    "Budget": "moa.budget",
    "Conversation": "moa.messages",
    "Draft": "moa.answers",
    "Endpoint": "moa.backends.endpoint",
    "Event": "moa.events",
    "Message": "moa.messages",
    "Mixture": "moa.mixture",
    "MoaError": "moa.errors",
    "Price": "moa.backends.base",
    "Router": "moa.routing",
    "Routing": "moa.answers",
    "Solo": "moa.aggregation",
    "Synthesize": "moa.aggregation",
    "Usage": "moa.messages",
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

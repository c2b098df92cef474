"""litellm, made quiet and loaded late: its import takes seconds, and left alone it fetches lists and prints advice."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import warnings
from collections.abc import AsyncGenerator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_STAY_LOCAL = ("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "LITELLM_LOCAL_BLOG_POSTS")
_PRICES = "model_prices_and_context_window_backup.json"
_ITS_OWN_WARNINGS = (
    ".*conflict with protected namespace",
    ".*Accessing the.*attribute on the instance is deprecated",
    ".*`ReadOnly` qualifier",
    "Pydantic serializer warnings",
)
_keepers: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}


def is_loaded() -> bool:
    """Whether litellm has been imported in this process."""
    return "litellm" in sys.modules


async def load() -> Any:
    """Return the litellm module, imported in a thread so that the event loop goes on meanwhile.

    The clients that it opens are closed when the running event loop shuts down.
    """
    _hush()
    module = await asyncio.to_thread(_quiet_module)
    loop = asyncio.get_running_loop()
    if loop not in _keepers:
        keeper = _close_at_the_end(module, loop)
        await anext(keeper)
        _keepers[loop] = keeper
    return module


@cache
def prices() -> dict[str, dict[str, Any]]:
    """Return litellm's price list, model → facts, read from the file that it ships; empty if that is not there."""
    import json

    found = find_spec("litellm")
    try:
        text = Path(found.origin or "").with_name(_PRICES).read_text("utf-8") if found else "{}"
    except OSError:
        text = "{}"
    listed: dict[str, dict[str, Any]] = json.loads(text)
    return listed


def _hush() -> None:
    """Ignore what litellm's own models make pydantic warn about, at its import and at its first calls.

    litellm asks for the same when it is imported, but filters do not outlive a `warnings.catch_warnings`.
    """
    for message in _ITS_OWN_WARNINGS:
        warnings.filterwarnings("ignore", message=message)


@cache
def _quiet_module() -> Any:
    for variable in _STAY_LOCAL:  # without these, the import fetches lists from the network
        os.environ[variable] = "True"
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = True  # a seed that a provider does not know is no reason to fail
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


async def _close_at_the_end(litellm: Any, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
    """Wait until the event loop shuts down, then close what litellm opened in it (see `http._keep_open`)."""
    cache = litellm.in_memory_llm_clients_cache
    mark = cache.update_cache_key_with_event_loop("")  # what it puts behind the name of every client of this loop
    try:
        yield
    finally:
        _keepers.pop(loop, None)
        for name in [name for name in cache.cache_dict if str(name).endswith(mark)]:
            client = cache.cache_dict.pop(name)
            closed = client.close() if hasattr(client, "close") else None
            if inspect.isawaitable(closed):
                await closed

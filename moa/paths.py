"""Where moa keeps things, each overridable by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path


def cache_folder() -> Path:
    """Models and other things that can be fetched again. `MOA_CACHE` overrides it."""
    return Path(os.environ.get("MOA_CACHE") or user_cache_path("moa", appauthor=False))


def data_folder() -> Path:
    """Runs and sessions: things that cannot be had again. `MOA_DATA` overrides it."""
    return Path(os.environ.get("MOA_DATA") or user_data_path("moa", appauthor=False))


def config_folder() -> Path:
    """What you wrote to have things your way, such as `keys.toml`. `MOA_CONFIG` overrides it."""
    return Path(os.environ.get("MOA_CONFIG") or user_config_path("moa", appauthor=False))

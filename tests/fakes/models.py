"""A real model, small enough for tests: fetched once into the user's own cache, as the product would."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from moa.local.catalogue import entry
from moa.local.download import fetch

SMALLEST = "smollm2-135m-instruct"


@cache
def smallest_model() -> Path:
    """Return the GGUF file of the smallest language model of the catalogue, downloading 98 MB if it is not here."""
    return fetch(SMALLEST) / entry(SMALLEST).weights.name

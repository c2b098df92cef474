"""JSON in what a model says, which is rarely JSON alone."""

from __future__ import annotations

import json
import re

_SHORT = 2000
"""Characters of a short reply that are read."""
_FENCED = re.compile(r"\A\s*```(?:json)?[ \t]*\n(?P<json>.*?)\n?```\s*\Z", re.DOTALL | re.IGNORECASE)


def without_fence(text: str) -> str:
    """Return what stands in the block of code that a text consists of; else the text. White space around is left out.

    Models like to write JSON in a block of code, even if they are asked not to.
    """
    found = _FENCED.match(text)
    return found["json"].strip() if found else text.strip()


def strict_json(text: str) -> object:
    """Return the value of a JSON text, by the standard: without NaN and infinity, which Python would read too.

    Raises:
        ValueError: it is no JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None


def object_in(said: str) -> dict[str, object] | None:
    """Return the JSON object that a model's reply begins or ends with; None if it does neither.

    An object in the midst of other words is none: it may be quoted from what the model was shown.
    """
    bare = without_fence(said)
    if not (bare.startswith("{") or bare.endswith("}")):
        return None
    try:
        value = strict_json(bare[max(0, bare.find("{")) : bare.rfind("}") + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def field_in(said: str, name: str) -> object:
    """Return what a short reply says in one field of its JSON object; None if the object lacks it.

    A reply that holds no object, as `object_in` finds it, is returned itself: a model that was asked for
    `{"grade": 7}` may say just 7, or say it in words.
    """
    found = object_in(said := said[:_SHORT])
    return said if found is None else found.get(name)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON.")

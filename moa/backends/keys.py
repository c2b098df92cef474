"""API keys: read from the environment, or from a file named there; shown nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from moa.errors import MissingKeyError

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_CREDENTIAL = 8  # characters; a variable such as TOKENIZERS_PARALLELISM=false holds no secret
_SHORTEST_TO_HIDE = 4  # characters; anything shorter is a dummy such as "x", and hiding it would garble every message


class Secret:
    """A string that must not be shown: printing, formatting or pickling it gives nothing away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled.")


def read_key(variable: str) -> Secret | None:
    """Return the key in an environment variable, or in the file that `<variable>_FILE` names; None if neither is set.

    Raises:
        MissingKeyError: the file cannot be read or is empty, or the key holds characters that no key has.
    """
    value = os.environ.get(variable, "").strip()
    where = variable
    if not value and (file := os.environ.get(f"{variable}_FILE", "").strip()):
        where = f"{file} (named by {variable}_FILE)"
        try:
            value = Path(file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or "it is not text"
            raise MissingKeyError(f"The API key file {where} cannot be read: {reason}.") from None
        if not value:
            raise MissingKeyError(f"The API key file {where} is empty. Put the key into it, on one line.")
    if not value:
        return None
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise MissingKeyError(f"What is in {where} is no API key: it holds spaces, line breaks or special characters.")
    return Secret(value)


def how_to_set(variable: str) -> str:
    """Return the step that sets a key, for people."""
    return f"export {variable}=…, or name a file that holds it in {variable}_FILE"


def secrets_in_environment() -> tuple[Secret, ...]:
    """Return the value of every environment variable whose name says that it is secret, for `redact`."""
    return tuple(
        Secret(value.strip())
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value.strip()) >= _SHORTEST_CREDENTIAL
    )


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Return the text with every secret in it replaced by `***`."""
    for secret in secrets:
        value = secret.reveal()
        if len(value) >= _SHORTEST_TO_HIDE:
            text = text.replace(value, "***")
    return text

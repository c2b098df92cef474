"""Reading a request's body: not too long, not too slowly, not too deep, and nothing but JSON of the right form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from moa.server.refusal import Refusal

_PASSING_SECONDS = 5.0
_PASSING_BYTES = 256 * 1024 * 1024
Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request's body may be."""

    bytes: int = 4 * 1024 * 1024
    seconds: float = 30.0
    """How long it may take to arrive."""
    depth: int = 64
    """How deep JSON may be nested."""


async def form_in(request: Request, form: type[Form], bounds: Bounds) -> Form:
    """Return what a request's body says.

    Raises:
        Refusal: it is too long, too slow, too deep, no JSON, or not of this form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Not only for order: a browser sends any other type to us from any page, without asking us first.
        raise Refusal(415, "Send JSON, with the header content-type: application/json.", code="unsupported_media_type")
    return checked(json_in(await _body(request, bounds), bounds), form)


def checked(value: Any, form: type[Form]) -> Form:
    """Return what a JSON value says.

    Raises:
        Refusal: it is not of this form.
    """
    try:
        return form.model_validate(value, strict=True)
    except ValidationError as error:
        raise _misfit(error) from error


async def _body(request: Request, bounds: Bounds) -> bytes:
    too_long = Refusal(
        413, f"A request may have {bounds.bytes} bytes, and this one has more.", code="request_too_large"
    )
    announced = request.headers.get("content-length", "")
    body, stream = bytearray(), request.stream()
    try:
        if announced.isdecimal() and int(announced[:20]) > bounds.bytes:
            await _pass_over(stream)
            raise too_long
        async with asyncio.timeout(bounds.seconds):
            async for received in stream:
                body += received
                if len(body) > bounds.bytes:
                    break
        if len(body) > bounds.bytes:
            await _pass_over(stream)
            raise too_long
    except TimeoutError:
        told = f"The request did not arrive within {bounds.seconds:g} s."
        raise Refusal(408, told, code="request_timeout", final=True) from None
    except ClientDisconnect:
        raise Refusal(400, "The request broke off.", code="client_disconnected") from None
    return bytes(body)


async def _pass_over(stream: AsyncIterator[bytes]) -> None:
    """Let what is left of a body go by: most clients read no answer before they have sent everything."""
    passed = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_PASSING_SECONDS):
            async for received in stream:
                passed += len(received)
                if passed > _PASSING_BYTES:
                    return


def json_in(body: bytes, bounds: Bounds) -> Any:
    """Return the JSON value that some bytes hold.

    Raises:
        Refusal: they hold none, or it is nested too deeply.
    """
    deep = Refusal(400, f"The JSON is nested more than {bounds.depth} deep.", code="json_too_deep")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        told = f"The body is not UTF-8: byte {error.start} cannot be read."
        raise Refusal(400, told, code="invalid_utf8") from None
    except RecursionError:
        raise deep from None
    except ValueError as error:
        told = f"The body is not JSON: {str(error)[:200]}."
        raise Refusal(400, told, code="invalid_json") from None
    if _is_deeper(value, bounds.depth):
        raise deep
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _is_deeper(value: object, depth: int) -> bool:
    """Whether lists and objects are nested more than so deep. Without recursion: that is what it guards against."""
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _misfit(error: ValidationError) -> Refusal:
    """Return the refusal that tells what is wrong first, without quoting what was sent."""
    first, *_ = error.errors(include_url=False, include_input=False)
    where = ".".join(str(part) for part in first["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    where = "".join(character for character in where[:200] if character.isprintable())
    if first["type"] == "extra_forbidden":
        return Refusal(400, f"There is no parameter {where!r} here.", code="unknown_parameter", param=where)
    if first["type"] == "missing":
        return Refusal(400, f"The parameter {where!r} is missing.", code="missing_required_parameter", param=where)
    code = first.get("ctx", {}).get("code", "invalid_value") if first["type"] == "refused" else "invalid_value"
    said = first["msg"].removeprefix("Value error, ")
    return Refusal(400, f"{where}: {said}" if where else said, code=code, param=where or None)

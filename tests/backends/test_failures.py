from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from moa.backends.failures import complaint_in, quoted, retry_after, upstream_error
from moa.backends.keys import Secret
from moa.errors import ContextTooLong, RateLimited


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "It broke."}}', "It broke."),
        (b'{"error": "It broke."}', "It broke."),
        (b'{"message": "It broke.", "object": "error"}', "It broke."),
        (b'{"detail": "It broke."}', "It broke."),
        (b'{"detail": [{"loc": ["body"], "msg": "It broke."}]}', '[{"loc": ["body"], "msg": "It broke."}]'),
        (b'{"error": {"error": {"message": "It broke."}}}', "It broke."),
        (b"It broke.", "It broke."),
        (b"", ""),
        (b"{}", ""),
        (b"null", "null"),
        (b"\xff It broke.", "\ufffd It broke."),
        (b"<html><body><h1>It broke.</h1></body></html>", "an HTML page, “It broke.”"),
        (b"<!DOCTYPE html><p>It <b>broke</b>.</p>", "an HTML page, “It broke .”"),
        (b"<html></html>", "an HTML page"),
    ],
)
def test_a_complaint_is_found_in_any_of_the_usual_bodies(body: bytes, text: str) -> None:
    assert complaint_in(body).text == text


def test_a_complaint_is_one_short_clean_line() -> None:
    said = complaint_in("It\nbroke \x1b[31mbadly\x00 " + "x" * 5000).text
    assert said.startswith("It broke [31mbadly xxx")
    assert len(said) == 200
    assert said.isprintable()


def test_a_complaint_tells_no_secret_even_where_it_is_cut() -> None:
    key = "sk-a-key-that-must-never-show"
    said = quoted("x" * 185 + key, [Secret(key)])
    assert "sk-" not in said


@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"message": "Too much.", "code": "context_length_exceeded"}}',
        '{"error": {"message": "Too much.", "type": "exceed_context_size_error"}}',
        '{"message": "This model\'s maximum context length is 4096 tokens."}',
        '{"error": "the request exceeds the available context size, try increasing it"}',
        '{"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}',
        '{"error": {"message": "Please reduce the length: input exceeds the context window of this model."}}',
    ],
)
def test_a_question_that_is_too_long_is_recognised(body: str) -> None:
    assert isinstance(upstream_error("m", 400, complaint_in(body)), ContextTooLong)


def test_a_limit_of_tokens_a_minute_is_not_a_question_that_is_too_long() -> None:
    error = upstream_error("m", 429, complaint_in("Request too large: too many tokens per minute"))
    assert isinstance(error, RateLimited)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after({"retry-after": format_datetime(later, usegmt=True)})
    assert seconds is not None
    assert 3500 < seconds <= 3600

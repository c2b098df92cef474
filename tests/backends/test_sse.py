from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.backends.sse import EventParser
from moa.errors import ProtocolError


def events(*pieces: bytes) -> list[bytes]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_three_ways(end: bytes) -> None:
    assert events(end.join([b"data: one", b"", b"data: two", b"", b""])) == [b"one", b"two"]


def test_a_line_end_cut_in_two_is_one_line_end() -> None:
    assert events(b"data: one\r", b"\ndata: two\r", b"\n\r", b"\n") == [b"one\ntwo"]


def test_several_data_lines_are_one_event() -> None:
    assert events(b'data: {"a":\ndata:  1}\n\n') == [b'{"a":\n 1}']


def test_one_space_after_the_colon_is_not_data() -> None:
    assert events(b"data:one\n\ndata:  two\n\n") == [b"one", b" two"]


def test_comments_and_other_fields_are_passed_over() -> None:
    assert events(b": ping\n\nevent: message\nid: 7\nretry: 10\ndata: one\n\nevent: end\n\n") == [b"one"]


def test_a_field_named_error_counts_as_data() -> None:
    assert events(b'error: {"code": 500}\n\n') == [b'{"code": 500}']


def test_data_without_a_colon_is_empty() -> None:
    assert events(b"data\n\n") == [b""]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert events(b"\xef\xbb\xbfdata: one\n\n") == [b"one"]


def test_events_come_as_soon_as_they_are_complete() -> None:
    parser = EventParser()
    assert parser.feed(b"data: one\n\nda") == [b"one"]
    assert parser.feed(b"ta: two\n") == []
    assert parser.feed(b"\n") == [b"two"]


def test_the_end_completes_an_event_without_its_blank_line() -> None:
    assert events(b"data: one\n\ndata: [DONE]") == [b"one", b"[DONE]"]
    assert events(b"data: [DONE]\n") == [b"[DONE]"]
    assert events() == []


def test_an_event_that_never_ends_does_not_fill_the_memory() -> None:
    parser = EventParser()
    for _ in range(256):
        parser.feed(b"x" * 64 * 1024)
    with pytest.raises(ProtocolError, match="16 MiB"):
        parser.feed(b"x")


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(min_value=0, max_value=400)),
)
def test_where_the_bytes_are_cut_makes_no_difference(texts: list[str], end: bytes, cuts: list[int]) -> None:
    whole = b"".join(b"data: " + text.encode() + end + b": comment" + end + end for text in texts)
    places = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [whole[start:stop] for start, stop in pairwise(places)]
    assert events(*pieces) == [text.encode() for text in texts]

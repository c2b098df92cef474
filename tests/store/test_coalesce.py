from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from moa.events import AnswerDelta, DraftDelta, DraftNotice, Event
from moa.store.coalesce import Coalescer


def coalesced(events: list[Event]) -> list[Event]:
    coalescer = Coalescer()
    return [due for event in events for due in coalescer.add(event)] + coalescer.flush()


def test_text_that_arrives_together_becomes_one_event_at_the_time_of_its_first_piece() -> None:
    pieces: list[Event] = [AnswerDelta(1.0, "One "), AnswerDelta(1.1, "two "), AnswerDelta(1.2, "three")]
    assert coalesced(pieces) == [AnswerDelta(1.0, "One two three")]


def test_text_is_held_back_no_longer_than_a_quarter_of_a_second() -> None:
    coalescer = Coalescer()
    assert coalescer.add(AnswerDelta(1.0, "One ")) == []
    assert coalescer.add(AnswerDelta(1.2, "two ")) == []
    assert coalescer.add(AnswerDelta(1.25, "three")) == [AnswerDelta(1.0, "One two three")]
    assert coalescer.flush() == []


def test_drafts_that_stream_side_by_side_are_joined_each_for_itself() -> None:
    pieces: list[Event] = [
        DraftDelta(1.00, "a.1", "A1 "),
        DraftDelta(1.01, "b.1", "B1 "),
        DraftDelta(1.02, "a.1", "A2"),
        DraftDelta(1.03, "b.1", "B2"),
    ]
    assert coalesced(pieces) == [DraftDelta(1.00, "a.1", "A1 A2"), DraftDelta(1.01, "b.1", "B1 B2")]


def test_anything_else_that_happens_is_due_at_once_and_after_the_text_before_it() -> None:
    coalescer = Coalescer()
    coalescer.add(AnswerDelta(1.0, "One "))
    notice = DraftNotice(1.01, "a.1", "waiting", "Waiting.")
    assert coalescer.add(notice) == [AnswerDelta(1.0, "One "), notice]


def test_thinking_and_speaking_are_not_mixed_up() -> None:
    pieces: list[Event] = [
        DraftDelta(1.00, "a.1", "Hm. ", reasoning=True),
        DraftDelta(1.01, "a.1", "Yes"),
        DraftDelta(1.02, "a.1", "Or no?", reasoning=True),
    ]
    assert coalesced(pieces) == pieces


_text = some.text(max_size=3)
_ids = some.sampled_from(["a.1", "b.1"])
_event = some.one_of(
    some.builds(DraftDelta, some.just(0.0), _ids, _text, some.booleans()),
    some.builds(AnswerDelta, some.just(0.0), _text, some.one_of(some.none(), _ids)),
    some.builds(DraftNotice, some.just(0.0), _ids, some.just("waiting"), _text),
)


@given(some.lists(some.tuples(some.floats(0, 0.2), _event), max_size=40))
def test_each_text_and_everything_else_keeps_its_content_and_order(steps: list[tuple[float, Event]]) -> None:
    from dataclasses import replace

    at, before = 0.0, list[Event]()
    for pause, event in steps:
        at += pause
        before.append(replace(event, at=at))
    after = coalesced(before)
    for stream in ("a.1", "b.1", ""):
        assert _told(before, stream) == _told(after, stream)
    others = [event for event in before if isinstance(event, DraftNotice)]
    assert [event for event in after if isinstance(event, DraftNotice)] == others
    assert [event.at for event in after] == sorted(event.at for event in after)


def _told(events: list[Event], stream: str) -> list[tuple[object, str]]:
    """One stream's text, character by character, each with its kind; and where notices interrupt it."""
    told: list[tuple[object, str]] = []
    for event in events:
        match event:
            case DraftDelta(draft=draft, text=text, reasoning=reasoning) if draft == stream:
                told += [(reasoning, character) for character in text]
            case AnswerDelta(draft=draft, text=text) if stream == "":
                told += [(draft, character) for character in text]
            case DraftNotice():
                told.append((None, "notice"))
    return told

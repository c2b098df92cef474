from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.backends import replay
from moa.backends.base import Backend, Delta, Finish, Request
from moa.backends.references import backend_for
from moa.backends.replay import Replay
from moa.errors import BackendError, ModelReferenceError
from moa.messages import Message, Usage
from tests.backends.calling import asking, everything, spoken


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    rows = [
        {
            "question": "What is 17 * 23?",
            "model": "big",
            "text": "391",
            "reasoning": "17 * 20 + 17 * 3",
            "finish_reason": "length",
            "tokens": {"input": 12, "output": 3},
            "cost_usd": 0.5,
        },
        {"instruction": "Name a prime.", "outputs": {"big": "Seven.", "small": "Nine."}},
        {"prompt": "Name a colour.", "model": "small", "output": "Blue."},
    ]
    path = tmp_path / "drafts.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return path


def record_anew(path: Path, answer: str) -> None:
    path.write_text(json.dumps({"question": "Name a prime.", "model": "big", "text": answer}))


async def failing(path: Path, name: str = "big", question: str = "What is 17 * 23?") -> str:
    with pytest.raises(BackendError) as caught:
        await everything(Replay(path, name), asking(question))
    return str(caught.value)


async def test_says_what_was_recorded_with_its_usage_and_cost(recorded: Path) -> None:
    big = backend_for(f"replay:{recorded}#big")
    assert isinstance(big, Backend)
    assert await everything(big, asking("What is 17 * 23?")) == [
        Delta("17 * 20 + 17 * 3", reasoning=True),
        Delta("391"),
        Finish(Usage(12, 3), "length", 0.5),
    ]


async def test_the_name_chooses_the_model(recorded: Path) -> None:
    assert (await spoken(Replay(recorded, "big"), asking("Name a prime.")))[0] == "Seven."
    assert (await spoken(Replay(recorded, "small"), asking("Name a prime.")))[0] == "Nine."
    assert (await spoken(Replay(recorded, "small"), asking("Name a colour.")))[0] == "Blue."


async def test_what_was_not_recorded_is_unknown_and_not_zero(recorded: Path) -> None:
    _, finish = await spoken(Replay(recorded, "small"), asking("Name a colour."))
    assert finish == Finish(Usage(None, None), "stop", None)


async def test_questions_are_found_whatever_their_spacing_and_capitals(recorded: Path) -> None:
    assert (await spoken(Replay(recorded, "big"), asking("  what is\n17 *  23? ")))[0] == "391"


async def test_the_last_question_of_the_user_counts(recorded: Path) -> None:
    talk = (Message("user", "Hello"), Message("assistant", "Hi"), Message("user", "Name a prime."))
    assert (await spoken(Replay(recorded, "big"), Request(talk)))[0] == "Seven."


async def test_the_last_recording_of_a_question_counts(tmp_path: Path) -> None:
    (tmp_path / "two.jsonl").write_text(
        '{"question": "q", "model": "m", "text": "old"}\n{"question": "Q", "model": "m", "text": "new"}\n'
    )
    assert (await spoken(Replay(tmp_path / "two.jsonl", "m"), asking("q")))[0] == "new"


async def test_a_file_that_changed_is_read_again(recorded: Path) -> None:
    assert (await spoken(Replay(recorded, "big"), asking("Name a prime.")))[0] == "Seven."
    record_anew(recorded, "Eleven.")
    assert (await spoken(Replay(recorded, "big"), asking("Name a prime.")))[0] == "Eleven."


async def test_agents_that_replay_one_file_at_once_read_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"question": f"Question {number}?", "outputs": {"a": "A", "b": "B"}} for number in range(5000)]
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    reads: list[Path] = []

    def counted(path: Path) -> Iterator[tuple[str, str, replay.Recording]]:
        reads.append(path)
        return read(path)

    read = replay._read
    monkeypatch.setattr(replay, "_read", counted)
    question = asking("Question 7?")
    await asyncio.gather(*(everything(Replay(path, name), question) for name in ("a", "b", "a", "b")))
    assert reads == [path]


async def test_an_unknown_question_is_quoted_shortly(recorded: Path) -> None:
    said = await failing(recorded, question="Why? " * 100)
    assert "no answer of 'big' to “Why? Why?" in said
    assert len(said) < 300 + len(str(recorded))


async def test_an_unknown_name_lists_the_names_there_are(recorded: Path) -> None:
    assert "no answers of 'huge'. It has: big, small." in await failing(recorded, "huge")


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nothere.jsonl cannot be read: No such file" in await failing(tmp_path / "nothere.jsonl")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{broken", "line 2, is not JSON"),
        ("[1]", "line 2, is not a JSON object"),
        ('{"model": "big", "text": "x"}', 'line 2, has no "question"'),
        ('{"question": 7, "model": "big", "text": "x"}', 'line 2, has no "question"'),
        ('{"question": "q", "text": "x"}', 'line 2, has no "model"'),
        ('{"question": "q", "model": "big"}', 'line 2, has no "text"'),
        ('{"question": "q", "outputs": ["x"]}', 'line 2, is not right: "outputs"'),
        ('{"question": "q", "outputs": {"big": 1}}', 'line 2, is not right: "outputs"'),
        ('{"question": "q", "model": "big", "text": "x", "tokens": 3}', 'line 2, is not right: "tokens"'),
        ('{"question": "q", "model": "big", "text": "x", "tokens": {"input": "3"}}', 'line 2, is not right: "tokens"'),
        ('{"question": "q", "model": "big", "text": "x", "cost_usd": "free"}', 'line 2, is not right: "tokens"'),
    ],
)
async def test_a_broken_line_is_told_by_its_number(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(f'{{"question": "What is 17 * 23?", "model": "big", "text": "391"}}\n{line}\n')
    assert complaint in await failing(path)
    assert complaint in Replay(path, "big").readiness().text


async def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF\xff\xfe\x00")
    assert "not text" in await failing(tmp_path / "model.gguf")


@pytest.mark.parametrize("reference", ["replay:drafts.jsonl", "replay:drafts.jsonl#", "replay:#big", "replay:"])
def test_an_incomplete_reference_says_how_to_write_it(reference: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"replay:file\.jsonl#"):
        backend_for(reference)


def test_readiness_tells_how_much_there_is(recorded: Path) -> None:
    ready = Replay(recorded, "big").readiness()
    assert (ready.ready, ready.text) == (True, "2 recorded answers")
    assert not Replay(recorded, "huge").readiness().ready
    assert not Replay(recorded / "nothere", "big").readiness().ready

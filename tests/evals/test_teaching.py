"""What answers teach a smaller model: which of them, and in which form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from moa.answers import Degradation
from moa.evals.record import Record, Scored
from moa.evals.teaching import Lesson, of_records, of_runs
from moa.events import Event, RunFinished
from moa.messages import Message
from moa.store import Pair, Side, Store, Verdict, add_pair
from tests.store.sample import draft
from tests.tui.kept import NOON, a_turn

ASKED = {"role": "user", "content": "When?"}
EARLIER = (Message("user", "Who discovered Neptune?"), Message("assistant", "Johann Galle."))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "moa.db")


def said(run: str, *, good: bool, agent: str = "general", better: str | None = None) -> Verdict:
    return Verdict(0, NOON, "starter", run, "When?", agent, good=good, better=better)


def chosen(lessons: list[Lesson]) -> list[str]:
    return [lesson.chosen for lesson in lessons]


def degraded(events: list[Event]) -> list[Event]:
    *before, last = events
    assert isinstance(last, RunFinished)
    return [
        *before,
        replace(last, answer=replace(last.answer, degraded=(Degradation("draft", "law", "It was down."),))),
    ]


def test_an_example_is_a_conversation_that_ends_with_the_answer(store: Store) -> None:
    store.append("r1", a_turn("r1", "When?", "In 1846.", earlier=EARLIER))
    [lesson] = of_runs(store, "sft")
    assert lesson.to_json() == {
        "messages": [
            {"role": "user", "content": "Who discovered Neptune?"},
            {"role": "assistant", "content": "Johann Galle."},
            ASKED,
            {"role": "assistant", "content": "In 1846."},
        ]
    }


def test_what_people_said_decides_which_runs_are_examples(store: Store) -> None:
    for number, run in enumerate(("praised", "blamed", "unsaid")):
        store.append(run, a_turn(run, "When?", run, at=NOON + number))
    store.append("spoilt", degraded(a_turn("spoilt", "When?", "spoilt", at=NOON + 4)))
    store.append("cut", a_turn("cut", "When?", "cut", at=NOON + 5)[:-1])
    store.end("cut", "cancelled")
    store.add_verdict(said("praised", good=True))
    store.add_verdict(said("blamed", good=True))
    store.add_verdict(said("blamed", good=False))

    assert chosen(of_runs(store, "sft", said="good")) == ["praised"]
    assert chosen(of_runs(store, "sft")) == ["praised", "unsaid"]
    assert chosen(of_runs(store, "sft", said="any")) == ["praised", "blamed", "unsaid", "spoilt"]
    assert chosen(of_runs(store, "sft", mixture="another")) == []


def test_the_same_answer_to_the_same_question_is_told_once(store: Store) -> None:
    for run in ("r1", "r2"):
        store.append(run, a_turn(run, "When?", "In 1846."))
    assert chosen(of_runs(store, "sft")) == ["In 1846."]


def test_votes_on_two_answers_are_preferences(store: Store) -> None:
    for run, answer in (("r1", "In 1846."), ("r2", "On 23 September 1846.")):
        store.append(run, a_turn(run, "When?", answer))
    left, right = Side("r1", ("general",), ("local:small",)), Side("r2", ("law",), ("openai/a",))
    for choice in ("right", "tie", "bad"):
        add_pair(store, Pair(0, NOON, "starter", left, right, choice))

    [lesson] = of_runs(store, "preference")

    assert lesson.to_json() == {
        "prompt": [ASKED],
        "chosen": [{"role": "assistant", "content": "On 23 September 1846."}],
        "rejected": [{"role": "assistant", "content": "In 1846."}],
    }


def test_a_draft_that_was_found_better_is_preferred_to_the_other_one_of_its_run(store: Store) -> None:
    *before, finished = a_turn("r1", "When?", "In 1846.")
    assert isinstance(finished, RunFinished)
    drafts = (draft("general", "In 1846."), draft("math", "In 1847."))
    store.append("r1", [*before, replace(finished, answer=replace(finished.answer, drafts=drafts))])
    store.add_verdict(said("r1", good=False, agent="math", better="general"))
    store.add_verdict(said("r1", good=False, agent="math", better="law"))  # who was not asked

    [lesson] = of_runs(store, "preference")

    assert (lesson.chosen, lesson.rejected) == ("In 1846.", "In 1847.")


def record(system: str, value: float | None, output: str, sample: str = "1") -> Record:
    return Record("s", sample, 0, system, [ASKED], output, score=Scored("exact", value))


def test_of_an_evaluation_the_best_answer_to_each_sample_is_the_example() -> None:
    records = [
        record("mixture", 1.0, "In the year 1846."),
        record("math", 1.0, "In 1846."),
        record("law", 0.0, "Never."),
        record("mixture", 0.5, "Perhaps.", "2"),
        record("law", None, "Not scored.", "3"),
    ]
    assert chosen(of_records(records, "sft")) == ["In 1846."]
    assert chosen(of_records(records, "sft", system="mixture")) == ["In the year 1846."]
    assert chosen(of_records(records, "sft", least=0.5)) == ["In 1846.", "Perhaps."]


def test_of_an_evaluation_the_best_and_the_worst_answer_are_a_preference() -> None:
    records = [record("mixture", 1.0, "In 1846."), record("law", 0.0, "Never."), record("math", 0.5, "In 1845.")]
    [lesson] = of_records(records, "preference")
    assert (lesson.chosen, lesson.rejected) == ("In 1846.", "Never.")
    assert of_records(records[:1], "preference") == []  # nothing to compare it with


def test_an_answer_that_failed_teaches_nothing() -> None:
    failed = replace(record("law", 1.0, ""), error="It was down.")
    assert of_records([failed], "sft") == []

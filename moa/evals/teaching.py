"""Training data for a smaller model, out of what a mixture answered: examples to imitate, and pairs to prefer by.

Two places know which answers were good: the stored runs, by what people said of them, and the folder of an
evaluation, by its scores. Rows are those that trainers of chat models read: `messages` for supervised fine-tuning on
another model's answers (Kim and Rush 2016, "Sequence-Level Knowledge Distillation"), and `prompt`, `chosen` and
`rejected` for learning from preferences (Rafailov et al. 2023, "Direct Preference Optimization").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from moa.events import RunFinished, RunStarted

if TYPE_CHECKING:
    from moa.answers import Answer
    from moa.evals.record import Record
    from moa.store import Store, Verdict

Format = Literal["sft", "preference"]
Said = Literal["good", "not-bad", "any"]
"""Which runs teach: those of which somebody said something good and nobody anything bad; those of which nobody said
anything bad; or all."""
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row of training data."""

    prompt: Messages
    """What was said and asked, as the OpenAI protocol writes messages."""
    chosen: str
    """The good answer."""
    rejected: str | None = None
    """A worse answer to the same; None if there is nothing to compare with."""

    def to_json(self) -> dict[str, Any]:
        """Return the row: `messages`, or `prompt`, `chosen` and `rejected`."""
        if self.rejected is None:
            return {"messages": [*self.prompt, _answer(self.chosen)]}
        prompt = list(self.prompt)
        return {"prompt": prompt, "chosen": [_answer(self.chosen)], "rejected": [_answer(self.rejected)]}


def of_runs(store: Store, kind: Format, *, said: Said = "not-bad", mixture: str | None = None) -> list[Lesson]:
    """Return what stored runs teach, the oldest first; what is told twice is left out.

    Examples are the complete answers in which nothing went wrong (`Answer.degraded`), unless all are wanted. Pairs are
    the votes on two answers side by side, and the drafts of one run of which somebody said that one was better.

    Args:
        store: of the runs.
        kind: examples or pairs.
        said: which runs give examples.
        mixture: only runs of the mixture with this name; None takes all.

    Raises:
        StoreError: the database cannot be read.
    """
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in store.verdicts():
        if verdict.run:
            verdicts[verdict.run].append(verdict)
    lessons: Iterable[Lesson]
    if kind == "sft":
        lessons = _examples(store, verdicts, said, mixture)
    else:
        lessons = [*_votes(store, mixture), *_better_drafts(store, verdicts, mixture)]
    return _once(lessons)


def of_records(
    records: Iterable[Record], kind: Format, *, least: float = 1.0, system: str | None = None
) -> list[Lesson]:
    """Return what the answers of an evaluation teach, sample by sample; what is told twice is left out.

    An example is the best answer to a sample; a pair is the best and the worst one. Of equal answers the shorter one is
    the better.

    Args:
        records: of the evaluation; the questions must not be those that the smaller model will be measured on.
        kind: examples or pairs.
        least: the score that a good answer has at least, 0 … 1. The worse one of a pair scores below it.
        system: only answers of this system are good ones; None takes all systems.
    """
    answered: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        if record.value is not None and record.output.strip():
            answered[record.suite, record.sample].append(record)
    lessons = []
    for some in answered.values():
        good = [each for each in some if _value(each) >= least and system in {None, each.system}]
        bad = [each for each in some if _value(each) < least]
        if not good:
            continue
        best = max(good, key=lambda each: (_value(each), -len(each.output)))
        if kind == "sft":
            lessons.append(Lesson(best.input, best.output))
        elif bad:
            worst = min(bad, key=lambda each: (_value(each), -len(each.output)))
            lessons.append(Lesson(best.input, best.output, worst.output))
    return _once(lessons)


def _examples(
    store: Store, verdicts: Mapping[str, Sequence[Verdict]], said: Said, mixture: str | None
) -> Iterator[Lesson]:
    for prompt, answer, run in _answers(store, mixture):
        good = [verdict.good for verdict in verdicts.get(run, ())]
        if said == "any" or (all(good) and (good or said == "not-bad")):
            if said != "any" and answer.degraded:
                continue
            yield Lesson(prompt, answer.text)


def _votes(store: Store, mixture: str | None) -> Iterator[Lesson]:
    from moa.store.pairs import as_case, pairs

    for pair in pairs(store):
        if pair.choice not in {"left", "right"} or mixture not in {None, pair.mixture}:
            continue
        case = as_case(store, pair)
        other = "right" if pair.choice == "left" else "left"
        chosen, rejected = case[pair.choice]["answer"], case[other]["answer"]
        if chosen.strip() and rejected.strip():
            yield Lesson(case["messages"], chosen, rejected)


def _better_drafts(store: Store, verdicts: Mapping[str, Sequence[Verdict]], mixture: str | None) -> Iterator[Lesson]:
    for prompt, answer, run in _answers(store, mixture, among=verdicts):
        texts = {draft.agent: draft.text for draft in answer.drafts if draft.status == "ok"}
        for verdict in verdicts[run]:
            chosen, rejected = texts.get(verdict.better or ""), texts.get(verdict.agent)
            if chosen and rejected:
                yield Lesson(prompt, chosen, rejected)


def _answers(
    store: Store, mixture: str | None, among: Iterable[str] | None = None
) -> Iterator[tuple[Messages, Answer, str]]:
    """Yield the prompt, the answer and the name of every complete run, the oldest first."""
    wanted = None if among is None else set(among)
    for run in reversed(store.runs()):
        if (
            run.status != "finished"
            or mixture not in {None, run.mixture}
            or (wanted is not None and run.id not in wanted)
        ):
            continue
        events = store.events(run.id)
        started = next((event for event in events if isinstance(event, RunStarted)), None)
        finished = next((event for event in events if isinstance(event, RunFinished)), None)
        if started and finished and finished.answer.text.strip():
            yield [message.to_json() for message in started.messages], finished.answer, run.id


def _once(lessons: Iterable[Lesson]) -> list[Lesson]:
    told = {repr((list(each.prompt), each.chosen, each.rejected)): each for each in lessons}
    return list(told.values())


def _value(record: Record) -> float:
    return record.value or 0.0


def _answer(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}

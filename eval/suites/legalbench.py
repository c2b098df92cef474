"""LegalBench: tasks of legal reasoning with short answers (Guha et al., 2023; a licence for each task).

Tasks whose answers are long texts are left out. Questions of one task are clustered.
"""

from pathlib import Path

from moa.evals.published import Record, hub, records
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TEST = hub("nguha/legalbench", "data.tar.gz")
MOST_CHARACTERS_OF_AN_ANSWER = 40
MOST_ANSWERS_OF_A_TASK = 12
"""A task with more is no choice among a few words."""
ALREADY = ("answer", "index", "id", "task", "instruction", "licence", "reasoning_type", "domain", "source", "input")


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's test files, or of a file with `text`, `answer`, `task` and `instruction`."""
    tasks: dict[str, list[Record]] = {}
    for row in records(data, [TEST], only="*test*"):
        tasks.setdefault(str(row.get("task") or row.file.partition("/")[0]), []).append(row)
    samples = []
    for task, rows in tasks.items():
        answers = sorted({str(row.first("answer")).strip() for row in rows})
        short = all(len(answer) <= MOST_CHARACTERS_OF_AN_ANSWER for answer in answers)
        if data is None and not (short and len(answers) <= MOST_ANSWERS_OF_A_TASK):
            continue
        for number, row in enumerate(rows, start=1):
            question = asked(row, task, answers if short and len(answers) <= MOST_ANSWERS_OF_A_TASK else [])
            known = {"field": "law", "task": task, "group": task}
            name = str(row.get("id") or f"{task}-{number}")
            samples.append(Sample(name, Conversation.of(question), str(row.first("answer")).strip(), known))
    return Suite("legalbench", samples, named("exact")).limited(limit, seed)


def asked(row: Record, task: str, answers: list[str]) -> str:
    """Return a question: the task's instruction, the fields of the row, and what can be answered."""
    instruction = str(row.get("instruction") or f"Legal task: {task.replace('_', ' ')}.")
    text = row.get("text")
    shown = str(text) if text else "\n".join(f"{key}: {row.values[key]}" for key in row.values if key not in ALREADY)
    among = f" The answer is one of: {', '.join(answers)}." if len(answers) > 1 else ""
    return f'{instruction}\n\n{shown}\n\nEnd with one line that says "Answer: " and the answer.{among}'

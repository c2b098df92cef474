"""HumanEval: functions to complete from their docstrings (Chen et al., 2021; MIT). Needs a sandbox."""

from pathlib import Path

from moa.evals.published import github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TEST = github("openai/human-eval", "data/HumanEval.jsonl.gz", "master")


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's set, or of a file with `prompt`, `entry_point` and `test`."""
    samples = []
    for row in records(data, [TEST]):
        prompt, function = text_of(row.first("prompt"), row.place), text_of(row.first("entry_point"), row.place)
        asked = f"Complete this Python function. Answer with the whole function in one block.\n\n```python\n{prompt}```"
        known = {"field": "code", "prompt": prompt, "entry_point": function}
        if solution := row.get("canonical_solution"):
            known["reference"] = f"{prompt}{solution}"
        tests = f"{text_of(row.first('test'), row.place)}\ncheck({function})\n"
        samples.append(Sample(str(row.first("task_id", "id")), Conversation.of(asked), tests, known))
    return Suite("humaneval", samples, named("code")).limited(limit, seed)

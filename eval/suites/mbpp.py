"""MBPP: short Python programs from a sentence and three tests (Austin et al., 2021; CC BY 4.0). Needs a sandbox."""

from pathlib import Path

from moa.errors import SuiteError
from moa.evals.published import github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

ALL = github("google-research/google-research", "mbpp/mbpp.jsonl", "2251e8c67a7fe7d6348714967ee101080b28e956")
TEST_IDS = range(11, 511)
"""The numbers of the test set in the owner's file."""


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's test set, or of a file with `text` (or `prompt`) and `test_list`.

    As usual, the question shows the first test, which tells name and arguments of the function; all of them count.
    """
    samples = []
    for row in records(data, [ALL]):
        name = str(row.first("task_id", "id"))
        if data is None and int(name) not in TEST_IDS:
            continue
        task, tests = text_of(row.first("text", "prompt"), row.place), row.first("test_list")
        if not isinstance(tests, list):
            raise SuiteError(f"{row.place}: test_list must be a list of statements, not {tests!r:.60}.")
        asked = (
            f"{task}\n\nIt must pass tests such as:\n\n```python\n{tests[0]}\n```\n\nAnswer with one block of Python."
        )
        solution = row.get("code", "canonical_solution")
        known = {"field": "code", "setup": row.get("test_setup_code") or "", "reference": solution}
        samples.append(Sample(name, Conversation.of(asked), tests, known))
    return Suite("mbpp", samples, named("code")).limited(limit, seed)

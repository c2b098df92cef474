"""BIG-Bench Hard: 27 tasks of reasoning (Suzgun et al., 2022; MIT). Questions of one task are clustered."""

from pathlib import Path

from moa.evals.published import ANSWER_LINE, github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

TASKS = (
    *("boolean_expressions", "causal_judgement", "date_understanding", "disambiguation_qa", "dyck_languages"),
    *("formal_fallacies", "geometric_shapes", "hyperbaton", "logical_deduction_five_objects"),
    *("logical_deduction_seven_objects", "logical_deduction_three_objects", "movie_recommendation"),
    *("multistep_arithmetic_two", "navigate", "object_counting", "penguins_in_a_table"),
    *("reasoning_about_colored_objects", "ruin_names", "salient_translation_error_detection", "snarks"),
    *("sports_understanding", "temporal_sequences", "tracking_shuffled_objects_five_objects"),
    *("tracking_shuffled_objects_seven_objects", "tracking_shuffled_objects_three_objects", "web_of_lies"),
    "word_sorting",
)


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's files, or of a file or folder with `input` and `target`."""
    published = [github("suzgunm/BIG-Bench-Hard", f"bbh/{task}.json") for task in TASKS]
    samples = []
    for number, row in enumerate(records(data, published), start=1):
        task = str(row.get("task") or row.file.rpartition("/")[2].rpartition("-")[2])
        question = text_of(row.first("input", "question"), row.place)
        known = {"field": "general", "task": task, "group": task}
        name = str(row.get("id") or f"{task}-{number}")
        target = str(row.first("target", "answer"))
        samples.append(Sample(name, Conversation.of(f"{question}\n\n{ANSWER_LINE}"), target, known))
    return Suite("bbh", samples, named("exact")).limited(limit, seed)

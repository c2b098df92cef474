"""AlpacaEval: open instructions, judged against the answers of a reference model (Dubois et al., 2024; CC BY-NC 4.0).

Needs a judge: the variable `MOA_JUDGE` names its model. The data is for non-commercial use.
"""

import os
from pathlib import Path

from moa.errors import SuiteError
from moa.evals.published import github, records, text_of
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

REFERENCE = github("tatsu-lab/alpaca_eval", "results/gpt4_1106_preview/model_outputs.json")


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: of the owner's reference answers, or of a file with `instruction` and `reference_output`."""
    judge = os.environ.get("MOA_JUDGE")
    if not judge:
        raise SuiteError("This suite is judged by a model. Name it: export MOA_JUDGE=openai/gpt-5-mini")
    samples = []
    for number, row in enumerate(records(data, [REFERENCE]), start=1):
        asked = text_of(row.first("instruction", "prompt"), row.place)
        reference = text_of(row.first("reference_output", "output", "reference"), row.place)
        known = {"field": "general", "subset": row.get("dataset", "subset")}
        samples.append(Sample(str(row.get("id") or f"alpaca-{number}"), Conversation.of(asked), reference, known))
    return Suite("alpaca_pref", samples, named("judge", model=judge)).limited(limit, seed)

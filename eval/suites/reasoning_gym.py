"""Reasoning Gym: puzzles that a program makes, new for each seed, so no model has seen them (Stojanovski et al., 2025).

Needs the package: pip install 'mixture-of-agents[gym]'. Nothing is downloaded.
"""

from importlib.util import find_spec
from pathlib import Path

from moa.errors import SuiteError
from moa.evals.published import ANSWER_LINE
from moa.evals.sample import Sample
from moa.evals.scorers import UserFunction
from moa.evals.suite import Suite
from moa.messages import Conversation

FIELDS = {
    "math": ("chain_sum", "gcd", "lcm", "prime_factorization", "simple_equations", "fraction_simplification"),
    "code": ("base_conversion", "caesar_cipher", "number_sorting", "string_manipulation"),
    "general": (
        *("family_relationships", "knights_knaves", "syllogism"),
        *("zebra_puzzles", "calendar_arithmetic", "letter_counting"),
    ),
}
"""Field → its kinds of puzzles."""
USUAL = 160


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the suite: `limit` puzzles of the seed, 160 unless told, as many of each kind."""
    if data is not None:
        raise SuiteError("Reasoning Gym makes its puzzles, so it takes no --data. Another --seed gives others.")
    if find_spec("reasoning_gym") is None:
        raise SuiteError("reasoning-gym is missing. Run: pip install 'mixture-of-agents[gym]'")
    import reasoning_gym

    kinds = [(field, kind) for field, names in FIELDS.items() for kind in names]
    wanted = limit or USUAL
    samples = []
    for place, (field, kind) in enumerate(kinds):
        size = wanted // len(kinds) + (place < wanted % len(kinds))
        made = reasoning_gym.create_dataset(kind, size=size, seed=seed) if size else ()
        for number, puzzle in enumerate(made):
            known = {"field": field, "group": kind, "puzzle": puzzle["metadata"]}
            asked = f"{puzzle['question']}\n\n{ANSWER_LINE}"
            samples.append(Sample(f"{kind}-{seed}-{number}", Conversation.of(asked), puzzle["answer"], known))
    return Suite("reasoning_gym", samples, UserFunction(score, "reasoning_gym"))


def score(sample: Sample, output: str) -> float:
    """Return what the puzzle's own rule gives the answer: several answers may solve a puzzle."""
    import reasoning_gym

    from moa.aggregation.extract import conclusion

    kind = str(sample.metadata["group"])
    rule = reasoning_gym.get_score_answer_fn(kind)
    entry = {"question": sample.input.question, "answer": sample.target, "metadata": sample.metadata["puzzle"]}
    try:
        return float(min(1, max(0, rule(conclusion(output), entry))))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError):
        return 0.0  # many rules raise at an answer that is not of the puzzle's form

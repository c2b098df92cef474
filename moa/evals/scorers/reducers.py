"""From the scores of a sample's epochs to one figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from statistics import fmean

from moa.errors import SuiteError
from moa.evals.score import Score

Reducer = Callable[[Sequence[Score]], float]


def pass_at_k(tries: int, right: int, k: int) -> float:
    """Return the chance that at least one of k answers is right, without bias: 1 − C(n−c, k) / C(n, k).

    Source: Chen et al., Evaluating Large Language Models Trained on Code, 2021, equation 1.

    Args:
        tries: n, how many answers there were.
        right: c, how many of them are right, 0 … n.
        k: 1 … n.

    Raises:
        SuiteError: they are not so.
    """
    if not (1 <= k <= tries and 0 <= right <= tries):
        raise SuiteError(f"pass@{k} of {right} right answers in {tries} cannot be told; it needs at least {k} epochs.")
    return 1 - comb(tries - right, k) / comb(tries, k)


def majority_at_k(scores: Sequence[Score], k: int | None = None) -> float:
    """Return the score of the answer that most of the first k give.

    Answers are the same if what was taken for the answer is (`Score.answer`); empty ones have no vote, and if all are
    empty the score is 0. Among answers that equally many give, the mean.

    Args:
        scores: of the epochs, in their order.
        k: how many of them vote; None for all.

    Raises:
        SuiteError: there are fewer.
    """
    if not scores or (k is not None and not 1 <= k <= len(scores)):
        raise SuiteError(f"majority@{k} of {len(scores)} epochs cannot be told; it needs at least {k or 1} epochs.")
    votes: dict[str, list[float]] = {}
    for score in scores[:k]:
        if score.answer.strip():
            votes.setdefault(score.answer.strip().casefold(), []).append(score.value)
    if not votes:
        return 0.0
    most = max(map(len, votes.values()))
    return fmean(fmean(values) for values in votes.values() if len(values) == most)


def reducer(name: str) -> Reducer:
    """Return a reducer by its name: `mean`, `max`, `pass@3`, `majority`, `majority@5`.

    For pass@k, an answer is right if its score is 1.

    Raises:
        SuiteError: there is none of that name.
    """
    kind, _, number = name.partition("@")
    k = int(number) if number.isdigit() and int(number) >= 1 else None
    if name == "mean":
        return lambda scores: fmean(score.value for score in scores)
    if name == "max":
        return lambda scores: max(score.value for score in scores)
    if kind == "majority" and (k is not None or name == kind):
        return lambda scores: majority_at_k(scores, k)
    if kind == "pass" and k is not None:
        return lambda scores: pass_at_k(len(scores), sum(score.value >= 1 for score in scores), k)
    raise SuiteError(f"There is no metric {name!r}. There are mean, max, majority, majority@5, and pass@3.")

"""Scorers of words: exact ones, ones that must occur, and how many are shared."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from moa.aggregation.extract import conclusion
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled, accepted, verdict

_AROUND = string.punctuation.replace("%", "").replace("-", "") + "“”‘’«»¿¡…"
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def alike(text: object, *, case: bool = False) -> str:
    """Return a text in a form in which equal answers are equal: spaces, width, punctuation around it and case aside."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(text))).strip()
    plain = plain.strip(_AROUND + " ") or plain  # an answer may be nothing but brackets
    return plain if case else plain.casefold()


@dataclass(frozen=True)
class Exact(Settled):
    r"""The answer is the target, or one of several.

    The answer is the whole text, or what it comes to: the last `\boxed{}`, what follows “the answer is” or `Answer:`,
    or else the last line. Spaces, punctuation around it, articles before it and case do not count.
    """

    case: bool = False
    """Whether capitals count."""

    kind: ClassVar = "exact"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        wanted = accepted(sample, self.kind)
        forms = {_without_article(alike(each, case=self.case)) for each in wanted}
        said = conclusion(output)
        for each in (output, said):
            if _without_article(alike(each, case=self.case)) in forms:
                return verdict(right=True, answer=each.strip(), wanted=wanted[0])
        return verdict(right=False, answer=said, wanted=_listed(wanted), found=bool(said))


@dataclass(frozen=True)
class Contains(Settled):
    """The target, or one of several, occurs in the answer as whole words, whatever else is there.

    Mild: it takes “not Lima” for Lima. Use it where the answers are short or cannot be brought to a form.
    """

    kind: ClassVar = "contains"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        wanted, text = accepted(sample, self.kind), alike(output)
        for each in wanted:
            if re.search(rf"(?<!\w){re.escape(alike(each))}(?!\w)", text):
                return Score(1.0, str(each), f"{each} occurs.")
        return Score(0.0, conclusion(output), f"{_listed(wanted)} does not occur.")


@dataclass(frozen=True)
class F1(Settled):
    """How many words the answer shares with the target: F1 of its words, the best of several targets.

    Source: Rajpurkar et al., SQuAD, 2016, section 6.1, without case, punctuation and articles. Where the text marks its
    answer, that is compared; else all of it.
    """

    kind: ClassVar = "f1"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer, 0 … 1."""
        said = conclusion(output)
        best, wanted = max(
            (max(_f1(said, str(each)), _f1(output, str(each))), str(each)) for each in accepted(sample, self.kind)
        )
        return Score(best, said, f"It shares {best:.0%} of its words with {wanted!r}.")


def _f1(text: str, target: str) -> float:
    said, wanted = _words(text), _words(target)
    if not said or not wanted:
        return float(said == wanted)
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted))


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.casefold().translate(_PUNCTUATION)).split()


def _without_article(text: str) -> str:
    return re.sub(r"^(?:a|an|the) (?=\w)", "", text, flags=re.IGNORECASE)


def _listed(wanted: list[object]) -> str:
    return " or ".join(map(str, wanted))

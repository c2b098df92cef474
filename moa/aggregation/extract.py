"""The answer in an answer: the number, the choice or the yes or no that a text comes to.

Two drafts may agree in every respect that matters and share no sentence. What they come to can be compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

Kind = Literal["number", "choice", "yes or no"]

READ = 4000
"""Characters at the end of a text that are looked at: conclusions stand there."""
_DIGITS = 40
"""A longer number is an identifier, and costs time to compare."""

_NUMBER = r"[-−+]?(?:\d{1,3}(?:[,\u202f\u00a0 ]\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
_FRACTION = rf"{_NUMBER}\s*/\s*{_NUMBER}"
_LATEX_FRACTION = r"[-−]?\s*\\[dt]?frac\s*\{\s*" + _NUMBER + r"\s*\}\s*\{\s*" + _NUMBER + r"\s*\}"
_VALUE = re.compile(
    rf"(?P<latex>{_LATEX_FRACTION})|(?P<fraction>{_FRACTION})|(?P<number>{_NUMBER})(?P<percent>\s*\\?%)?"
)
_BOXED = re.compile(r"\\boxed\s*\{")
_MARKED = re.compile(
    r"(?:####|\b(?:final answer|answer|result|solution|total)\b\s*(?:is|are|was|=|:|equals|comes to)|\btherefore\b|"
    r"\b(?:antwort|ergebnis|réponse|respuesta|risultato)\b\s*(?:ist|est|es|è|=|:)?)",
    re.IGNORECASE,
)
"""What people and models write before the answer."""

_LETTER = r"(?:\(\s*([A-J])\s*\)|\*\*\s*\(?([A-J])\)?\s*[.):]?\s*\*\*|\b([A-J])\b)"
_MARKED_CHOICE = re.compile(
    r"(?:\b(?:answer|choice|option|letter)\b[^\n.:]{0,30}?(?:is|:|=)?|\bcorrect\b[^\n.]{0,30}?\bis\b|\\boxed\s*\{\s*(?:\\text\s*\{)?)"
    rf"\s*(?:option|choice)?\s*{_LETTER}",
    re.IGNORECASE,
)
_CHOICE_LINE = re.compile(r"^\s*\W*(?:option|choice|answer)?\W*([A-J])\W*(?:[.):].*)?$", re.IGNORECASE)
_YES_OR_NO = re.compile(r"^\W*(?:\w+\W+){0,3}?(yes|no|true|false)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a text comes to, in a form in which equal answers are equal."""

    kind: Kind
    value: str
    """A number as a reduced fraction or an integer, a capital letter, or `yes` or `no`."""


def extract(text: str, kind: Kind | None = None, *, plain: bool = False) -> Extracted | None:
    r"""Return what a text comes to, or None if that cannot be told.

    A number is the one in the last `\boxed{}`, else the one after the last mark of an answer (`####`, `the answer
    is`), else the last number of the text. `1,000`, `1000.0` and `$1000` are equal, and so are `1/2`, `0.5` and
    `\frac{1}{2}`; `50%` stays apart from `0.5`, because people mean different things by them.

    Args:
        text: an answer.
        kind: what to look for; None takes a choice where one is plainly marked, else a yes or no at the start of
            the last line, else a number.
        plain: take a number only where the text marks it as its answer, or where its last line holds nothing else.
            In prose, the last number is often a year.
    """
    text = text[-READ:]
    number = _plain_number if plain else _number
    ways: dict[Kind, Callable[[str], str | None]] = {"choice": _choice, "yes or no": _yes_or_no, "number": number}
    for each, way in ways.items():
        if kind in {None, each} and (value := way(text)) is not None:
            return Extracted(each, value)
    return None


def extract_all(texts: Sequence[str], kind: Kind | None = None, *, plain: bool = False) -> list[Extracted | None]:
    """Return what each text comes to, all in the one kind in which most of them can be told.

    Args:
        texts: answers to the same question.
        kind: as of `extract`; None finds the kind.
        plain: as of `extract`.
    """
    if kind is None:
        alone = [extract(text, plain=plain) for text in texts]
        kinds = [each.kind for each in alone if each]
        if not kinds:
            return alone
        kind = Counter(kinds).most_common(1)[0][0]
    return [extract(text, kind, plain=plain) for text in texts]


def _number(text: str) -> str | None:
    if (marked := _marked_number(text)) is not None:
        return marked
    last = None
    for last in _VALUE.finditer(text):  # noqa: B007  (the last one is wanted)
        pass
    return _normal(last) if last else None


def _plain_number(text: str) -> str | None:
    if (marked := _marked_number(text)) is not None:
        return marked
    lines = text.strip().splitlines()
    found = _VALUE.search(lines[-1]) if lines else None
    alone = found and not re.search(r"\w{3,}", lines[-1].replace(found[0], ""))
    return _normal(found) if found and alone else None


def _marked_number(text: str) -> str | None:
    for places in ([found.end() for found in _BOXED.finditer(text)], [found.end() for found in _MARKED.finditer(text)]):
        if places and (found := _VALUE.search(text, places[-1])):
            return _normal(found)
    return None


def _normal(found: re.Match[str]) -> str | None:
    """Return a number in its one form: reduced, with no separators."""
    if len(found[0]) > _DIGITS:
        return None
    sign = 1
    if found["latex"]:
        sign = -1 if found["latex"].lstrip().startswith(("-", "−")) else 1
        parts = re.findall(_NUMBER, found["latex"].lstrip("-− "))
    elif found["fraction"]:
        parts = re.split(r"\s*/\s*", found["fraction"])
    else:
        parts = [found["number"]]
    try:
        values = [Fraction(Decimal(re.sub(r"[,\u202f\u00a0 ]", "", part).replace("−", "-"))) for part in parts]
        value = sign * (values[0] / values[1] if len(values) > 1 else values[0])
    except (InvalidOperation, ZeroDivisionError, ValueError):
        return None
    return f"{value}%" if found["percent"] else str(value)


def _choice(text: str) -> str | None:
    marked: list[str] = [next(filter(None, found.groups())) for found in _MARKED_CHOICE.finditer(text)]
    if marked:
        return marked[-1].upper()
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if lines and (found := _CHOICE_LINE.match(lines[-1])) and len(lines[-1].strip()) <= 120:  # noqa: PLR2004
        return str(found[1]) if found[1].isupper() else None
    return None


def _yes_or_no(text: str) -> str | None:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    for line in (lines[-1:] + lines[:1]) if lines else []:
        if found := _YES_OR_NO.match(line):
            return "yes" if found[1].casefold() in {"yes", "true"} else "no"
    return None

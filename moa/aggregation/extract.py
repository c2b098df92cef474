"""The answer in an answer: the number, the choice or the yes or no that a text comes to.

Two drafts may agree in every respect that matters and share no sentence. What they come to can be compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from moa.aggregation.number import VALUE, legible, normal

Kind = Literal["number", "choice", "yes or no", "boxed"]

READ = 4000
"""Characters at the end of a text that are looked at: conclusions stand there."""
_OPENING = 200
"""Characters at the start of a text that are looked at, for a yes or no."""
_NEAR = 120
"""Characters after “the answer is” within which the answer stands."""

_NOUN = (
    r"(?:answer|result|solution|antwort|ergebnis|lösung|réponse|résultat|respuesta|resultado|risposta|risultato"
    r"|resposta)"
)
_IS = r"(?:(?<!\w)(?:is|are|was|equals|ist|lautet|beträgt|est|es|è|é)\b|[:=])"
_MARK = re.compile(rf"####|\b{_NOUN}\b[^\n.:=]{{0,40}}?{_IS}", re.IGNORECASE)
"""What people and models write before the answer."""
_BOXED = re.compile(r"\\boxed\s*\{")
_WORDS = re.compile(r"[^\W\d_]{3,}")
_HARMLESS = {"about", "approximately", "around", "exactly", "only", "roughly", "simply", "therefore", "text", "thus"}
"""Words that may stand between “the answer is” and the number that is the answer."""

_LETTER = (
    r"(?:\(\s?([A-Ja-j])\s?\)|\*\*\(?([A-J])\)?[.):]?\*\*|([B-HJ])(?![\w'’-])"
    r"|([AI])(?=[).:,;*\"\]}!]|[ \t]*$|[ \t]+(?:because|since|as)\b))"  # otherwise “a”, or the writer
)
_CHOSEN = re.compile(
    rf"(?i:\b(?:{_NOUN}|choice|option|letter|correct)\b[^\n.:;]{{0,40}}?{_IS}"
    rf"|\b(?:choose|pick|select|go with|it['’]s|it is)\b"
    rf"|\\boxed\s?\{{(?:\s?\\text\s?\{{)?)\W{{0,6}}?(?i:option|choice|answer)?\W{{0,3}}?{_LETTER}"
    rf"|(?<!\w){_LETTER}\*{{0,2}}\s(?i:is\s(?:the\s)?(?:only\s|most\s)?(?:correct|right|best))",
    re.MULTILINE,
)
_EMPHASIS = '*_`"“” \n\r\t'
_LETTER_ALONE = re.compile(r"^\W{0,6}(?i:option|choice|answer)?\W{0,6}([A-J])\W{0,6}$")
_OPTION = re.compile(r"^\W{0,4}([A-F])\*{0,2}[.):]\*{0,2}\s{1,3}\S", re.MULTILINE)

_YES, _NO = {"yes", "true", "ja", "oui", "sí", "wahr", "vrai"}, {"no", "false", "nein", "non", "falsch", "faux"}
_WORD = rf"({'|'.join(sorted(_YES | _NO))})\b"
_SAYS = re.compile(
    r"^\W{0,6}(?:(?:so|thus|therefore|hence)\b\W{0,3})?(?:(?:it|this|that|the (?:statement|claim))\s(?:is|ist|est)\s)?"
    rf"\W{{0,4}}{_WORD}(?=\W{{0,6}}$|[*_\"'”)\]]{{0,3}}(?:[,.;:!—–]|\s[-—–])|\s(?:because|since|it|they|this|that|you)\b)",
    re.IGNORECASE,
)
_ANSWERS = re.compile(rf"\b{_NOUN}\b[*_\s]{{0,4}}{_IS}\W{{0,6}}{_WORD}(?!\s\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a text comes to, in a form in which equal answers are equal."""

    kind: Kind
    value: str
    """A number as a reduced fraction or an integer, a capital letter, `yes` or `no`, or what stands in the box."""


def extract(text: str, kind: Kind | None = None, *, plain: bool = False) -> Extracted | None:
    r"""Return what a text comes to, or None if that cannot be told.

    A number is the one in the last `\boxed{}`, else the one after the last mark of an answer (`####`, `the answer
    is`; after its last `=`, if it is an equation), else the last number of the text. See `moa.aggregation.number` for
    which are equal. A box that holds something else, such as `2\sqrt{3}`, is compared as it is written.

    Args:
        text: an answer.
        kind: what to look for; None takes a choice where one is plainly marked, else a yes or no that opens the first
            or last line or is marked, else a number.
        plain: take a number only where the text marks it as its answer, or where its last line holds nothing else.
            In prose, the last number is often a year.
    """
    end = text[-READ:]
    number = _plain_number if plain else _number
    ways: dict[Kind, Callable[[str], str | None]] = {
        "choice": _choice,
        "yes or no": lambda end: _yes_or_no(text[:_OPENING], end),
        "number": lambda end: number(legible(end)),
        "boxed": _box,
    }
    for each, way in ways.items():
        if kind in {None, each} and (value := way(end)) is not None:
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
        kinds = Counter(each.kind for each in alone if each)
        if not kinds:
            return alone
        most = max(kinds.values())
        kind = min(each for each, times in kinds.items() if times == most)  # the same one in whatever order they stand
    return [extract(text, kind, plain=plain) for text in texts]


def conclusion(text: str) -> str:
    r"""Return the words that a text comes to: its last `\boxed{}`, what its last mark says, or its last line.

    What a mark says goes to the end of its line, or stands on the next line with words if nothing follows it. Marks of
    emphasis around it, and a full stop at its end, are left out. Empty only for an empty text.
    """
    end = text[-READ:].strip()
    if (box := _box(end)) is not None:
        return box
    marks = list(_MARK.finditer(end))
    after = _bare(end[marks[-1].end() :]) if marks else ""
    return _bare((after or end).splitlines()[0 if after else -1]) if end else ""


def _bare(text: str) -> str:
    inside = text.strip().lstrip(":=").strip(_EMPHASIS)
    return re.sub(r"(?<=[^.])\.$", "", inside).strip(_EMPHASIS)


def _number(text: str) -> str | None:
    if (box := _box(text)) is not None:
        return _number_in_box(box)
    for mark in reversed(list(_MARK.finditer(text))):
        if (value := _stated(text[mark.end() : mark.end() + _NEAR])) is not None:
            return value
    found = list(VALUE.finditer(text))
    return normal(found[-1]) if found else None


def _plain_number(text: str) -> str | None:
    if (box := _box(text)) is not None:
        return _number_in_box(box)
    marks = list(_MARK.finditer(text))
    if marks:
        after = text[marks[-1].end() : marks[-1].end() + _NEAR]
        found = VALUE.search(after)
        if found and not set(map(str.casefold, _WORDS.findall(after[: found.start()]))) - _HARMLESS:
            return _stated(after)
        return None
    line = (text.strip().splitlines() or [""])[-1]
    several = len(VALUE.findall(line)) > 1 and "=" not in line
    return None if several or _WORDS.search(VALUE.sub("", line)) else _stated(line)


def _stated(text: str) -> str | None:
    """Return the number that the first line with one comes to: the first, or what an equation ends with."""
    for line in text.splitlines():
        if first := VALUE.search(line):
            after = line.rpartition("=")[2] if "=" in line[first.start() :] else ""
            return normal(VALUE.search(after) or first)
    return None


def _box(text: str) -> str | None:
    r"""Return what stands in the last `\boxed{}`, without spaces and without what is only there for looks."""
    boxes = list(_BOXED.finditer(text))
    if not boxes:
        return None
    start, depth = boxes[-1].end(), 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            inside = re.sub(r"\\(?:left|right)\b", "", legible(text[start:place]))
            inside = re.sub(r"^\s*\\(?:text|mathrm|textbf)\s?\{([^{}]*)\}\s*$", r"\1", inside)
            return re.sub(r"\s+", " ", inside).strip(" $.") or None
    return None


def _number_in_box(box: str) -> str | None:
    r"""Return a number with at most a name before and a unit after it; None for `2x`, `3\pi` or `(1, 2)`."""
    box = re.sub(r"\\(?:text|mathrm|textbf)\s?\{([^{}]*)\}|\^?\{?\\(?:circ|degree)\}?", r" \1", box.rpartition("=")[2])
    found = VALUE.search(box)
    if (
        found is None
        or re.search(r"[\d\\^*+(]", VALUE.sub("", box, count=1))
        or re.match(r"[^\W\d_]", box[found.end() :])
    ):
        return None
    return normal(found)


def _choice(text: str) -> str | None:
    marked = list(_CHOSEN.finditer(text))
    if marked:
        return next(letter for letter in marked[-1].groups() if letter).upper()
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    if found := _LETTER_ALONE.match(lines[-1]):
        return found[1]
    options = set(_OPTION.findall(text))
    opened = _OPTION.match(lines[-1]) or _OPTION.match(lines[0])
    return opened[1] if opened and len(options) == 1 else None  # several are the list of what there was to choose from


def _yes_or_no(start: str, end: str) -> str | None:
    opening, closing = start.strip().splitlines(), end.strip().splitlines()
    said = list(_ANSWERS.finditer(end))[-1:]
    said += [found for line in closing[-1:] + opening[:1] if (found := _SAYS.match(line))]
    return None if not said else "yes" if said[0][1].casefold() in _YES else "no"

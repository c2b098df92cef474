"""What tools put around a question: found by its form, and taken off, so that it does not decide the route.

Templates, benchmarks and other programs wrap what is asked: they say how to answer, label its parts, put tags around
it, and open with who the assistant is. To an encoder all this is text like any other, and there is often more of it
than of the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from moa.routing.fields import field_of
from moa.routing.transcript import last_turns
from moa.routing.wrapper_words import BESIDE, HEADINGS, LABELS, NOTHING, SPOKEN_OF, TALK

SIGNS = 2
"""Words about asking and answering that a sentence needs, at least, to be about nothing else."""
SHARE = 0.8
"""Share of a sentence's words that may stand in any sentence about answering, at least: there are always synonyms."""
SLIPS = 3
"""Words a slip of the keyboard away from those of instructions, from which a line is taken to be full of slips: other
lines have one by chance, hardly ever three."""
CORE = 2
"""Words that must be left for a question to be there at all."""
_READ = 3000
"""Characters looked at from either end of a text: no wrapper is longer, and a question may be a whole book."""

SHORTEST, LONGEST = 5, 20
"""Letters of a word that may be a slip: of short words, everything is one slip away from something."""
_GLANCE = 400
"""Characters of a line in which slips are looked for."""

_Reading = Callable[[str], list[str]]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ENDS = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
_TURN_MARK = re.compile(r"<\|[^|<>\n]{1,40}\|>(?:(?:user|human|system)\n)?|\[/?INST\]|<</?SYS>>|</?s>")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z _-]{0,30})>")
_LABEL = re.compile(r"[ \t]*(?:#{1,6}[ \t]*)?[*_]{0,2}([A-Za-z][A-Za-z -]{0,30}?)[*_]{0,2}[ \t]*:[*_]{0,2}(?!//)[ \t]*")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]*([A-Za-z][A-Za-z -]{0,40}?)[ \t]*:?[ \t]*$")
_BOX = re.compile(r"\\?\bboxed\s*\{[^\n]{0,12}?\}+")
"""Where an answer is to be put."""
_FILLER = re.compile(r"\{+\w{0,12}\}+|\[\w{1,12}\]|\"[^\"\n]{1,12}\"")
"""What may stand there: in braces, in brackets, in quotation marks."""
_CODE = re.compile(r" {4}|\t|\s*(?:def |class |import |from \w+ import|return\b|assert |>>>|//|/\*)|.*[;{}]\s*$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_CUE = re.compile(r"[\n:<\[]|[.!?]\s")
"""A text without any of these is one bare sentence."""


def core(text: str) -> str:
    r"""Return what is asked, without what tools put around it; a text without a wrapper is returned as it is.

    What goes: sentences that have no word about any subject, only such as ask for an answer or say what it should look
    like (`Keep the explanation within three sentences.`); the labels of parts (`Question:`), and parts that are empty
    (`Context: None`); headings, tags and turn marks of prompt templates. Of a transcript of a chat the user's last
    turn is left, with those that it leans on. Code is never touched. Nothing is taken off where hardly anything would
    be left: then the wrapper is the question.

    Example:
        >>> core("Please answer the following question.\n\nQuestion: Who wrote Emma?\n\nAnswer in one word.")
        'Who wrote Emma?'
        >>> core("What is the answer to life?")
        'What is the answer to life?'
    """
    if not _CUE.search(text):
        return text
    if len(text) <= 2 * _READ:
        return _unwrapped(text, _untagged(text))
    head, middle, tail = text[:_READ], text[_READ:-_READ], text[-_READ:]
    return _unwrapped(head, head) + middle + _unwrapped(tail, tail)


def _untagged(text: str) -> str:
    """Take off turn marks and tags that are named like parts of a prompt, and all but the last turn of a transcript."""
    if "<" in text or "[" in text:
        text = _TAG.sub(_label_for_tag, _TURN_MARK.sub("\n", text))
    return last_turns(text) or text


def _label_for_tag(found: re.Match[str]) -> str:
    if not _is_label(found[2], _as_written):
        return found[0]
    return "\n" if found[1] else f"\n{found[2]}: "


def _unwrapped(text: str, bare: str) -> str:
    lines = bare.split("\n")
    read = _as_meant if any(map(_is_full_of_slips, lines)) else _as_written
    kept = [line for line in _kept_lines(lines, read) if line is not None]
    if kept == lines and bare == text:
        return text
    found = "\n".join(kept).strip()
    words = _WORD.findall(found.lower())
    return found if len(words) >= CORE and not TALK.issuperset(words) else text


def _kept_lines(lines: Sequence[str], read: _Reading) -> Iterator[str | None]:
    """Yield every line as it is kept; None where nothing of it is."""
    fenced = False
    for line in lines:
        fence = _FENCE.match(line) is not None
        fenced ^= fence
        yield line if fenced or fence or not line.strip() or _CODE.match(line) else _kept(line, read)


def _kept(line: str, read: _Reading) -> str | None:
    if (heading := _HEADING.match(line)) and _is_label(heading[1], read, HEADINGS):
        return None
    if label := _LABEL.match(line):
        rest, named = line[label.end() :], _is_label(label[1], read)
        if rest.strip(" \t.*_()[]-").lower() in NOTHING or (named and not rest.strip()):
            return None
        line = rest if named else line
    if "boxed" not in line and SPOKEN_OF.isdisjoint(read(line)):
        return line
    sentences = _sentences(line)
    wanted = [sentence for sentence in sentences if not speaks_of_answering(sentence, read)]
    return line if len(wanted) == len(sentences) else "".join(wanted).rstrip() or None


def _sentences(line: str) -> list[str]:
    cuts = [0, *(found.end() for found in _ENDS.finditer(line)), len(line)]
    return [line[start:end] for start, end in pairwise(cuts) if end > start]


def _is_label(name: str, read: _Reading, labels: frozenset[str] = LABELS) -> bool:
    words = [part for word in read(name) for part in word.split("_")]
    return not labels.isdisjoint(words) and all(word in labels or word in TALK for word in words)


def _as_written(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def speaks_of_answering(sentence: str, read: _Reading = _as_written) -> bool:
    """Whether a sentence only asks for an answer, or says what it should look like, whatever the question is.

    Args:
        sentence: any text.
        read: gives its words, in lower case.

    Example:
        >>> speaks_of_answering("Choose the right letter, and explain your choice in a few words.")
        True
        >>> speaks_of_answering("Explain the choice of judges in a few words.")
        False
    """
    boxed = _BOX.search(sentence) is not None
    bare = _FILLER.sub(" ", _BOX.sub(" ", sentence))
    words = read(bare)
    spoken = 2 * boxed + sum(word in SPOKEN_OF for word in words)
    if not spoken or spoken + sum(word in BESIDE for word in words) + (len(bare) < len(sentence)) < SIGNS:
        return False
    others = [word for word in words if word not in TALK and len(word) > 1 and not word.isdecimal()]
    return len(others) <= (1 - SHARE) * len(words) and not any(map(field_of, others))


def _as_meant(text: str) -> list[str]:
    return [_meant(word) or word for word in _as_written(text)]


def _is_full_of_slips(line: str) -> bool:
    meant = [word for word in map(_meant, set(_as_written(line[:_GLANCE]))) if word]
    return len(meant) >= SLIPS and not SPOKEN_OF.isdisjoint(meant)


def _meant(word: str) -> str | None:
    """Return the word of instructions that another one is a slip away from: one letter off, or two swapped."""
    if word in TALK or not SHORTEST <= len(word) <= LONGEST:
        return None
    slips = _slips()
    if word in slips:
        return slips[word]
    for place in range(len(word)):
        fewer = word[:place] + word[place + 1 :]
        if fewer in TALK:
            return fewer
        if fewer in slips:
            return slips[fewer]
    return None


@cache
def _slips() -> dict[str, str]:
    """Return each word of instructions by what is left of it without one of its letters.

    Two words that have such a rest in common are a slip apart (as in SymSpell, Garbe, 2012).
    """
    long = sorted(word for word in TALK if len(word) >= SHORTEST)
    return {word[:place] + word[place + 1 :]: word for word in long for place in range(len(word))}

r"""Numbers in prose, brought to one form in which equal ones are equal.

`1,000`, `1000.0`, `$1000` and `1 000` are equal, and so are `1/2`, `0.5`, `0,5` and `\frac{1}{2}`; `50%` stays apart
from `0.5`, because people mean different things by them. A single separator that could be either, as in `1,234` and
`1.234`, is read as in English.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction

_LONGEST = 60
"""Characters; a longer number is an identifier, and costs time to compare."""

_SIGN = r"(?:(?<![\w)\]}])[-−+])?"
_CURRENCY = r"(?:[$€£¥]\s?)?"
_DIGITS = (
    r"(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d,]\d)"  # 1,234.5
    r"|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}(?!\d)"  # 1.234,5 and 1.234.567
    r"|[1-9]\d{0,2}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?:[.,]\d+)?(?![\d-])"  # 1 234,5 and 1'234.5
    r"|(?<!\d,)(?:0,\d+|\d+,(?!\d{3}(?!\d))\d+)(?!\d|,\d)"  # 12,5, but not the 1,2 of 1,2,3
    r"|\d+(?:\.\d+)?|(?<![\w.])\.\d+)"
)
_POWER = r"(?:[eE][-+]?\d{1,3}(?!\w)|\s?(?:×|x|\*|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?\{?[-−+]?\d{1,3}\}?)?"
_ONE = rf"{_SIGN}{_CURRENCY}{_SIGN}{_DIGITS}{_POWER}"
VALUE = re.compile(
    r"(?P<joined>\d+(?::\d+)+|\d+(?:/\d+){2,}|\d{4}-\d\d-\d\d)"  # 10:30, 3:2, 1/2/2024: not several numbers
    rf"|(?P<minus>(?<![\w)])[-−])?(?P<whole>\d+\s{{0,2}})?\\frac\{{\s?(?P<over>{_ONE})\s?\}}\{{\s?(?P<under>{_ONE})\s?\}}"
    rf"|(?P<mixed>{_SIGN}\d+)\s(?P<part>\d+)\s?/\s?(?P<of>\d+)"
    rf"|(?P<numerator>{_ONE})\s?/\s?(?P<denominator>{_ONE})"
    rf"|(?P<number>{_ONE})(?P<percent>\s?(?:%|percent\b|per cent\b|Prozent\b|pour cent\b))?"
)
"""A number, a fraction, a time, a ratio or a date, in a text made `legible`."""

_CALCULATION = re.compile(r"<<[^<>\n]*>>")
_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")
_SPACE_IN_FRACTION = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")


def legible(text: str) -> str:
    r"""Return text without what is only there for the typesetter: `{,}`, `\,`, `\%`, `\$`, `\dfrac`, `<<2+2=4>>`."""
    text = _CALCULATION.sub("", text)
    for mark, plain in (("{,}", ","), ("\\,", ""), ("\\!", ""), ("\\%", "%"), ("\\$", "$"), ("\\ ", " ")):
        text = text.replace(mark, plain)
    return _SPACE_IN_FRACTION.sub(r"\\frac{\1}{\2}", _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text))


def normal(found: re.Match[str]) -> str | None:
    """Return what `VALUE` found in its one form, a reduced fraction or an integer; None if it is no number after all.

    Times, ratios of `:` and dates stay as they are written.
    """
    if len(found[0]) > _LONGEST:
        return None
    if found["joined"]:
        return found["joined"]
    try:
        value = _fraction(found)
    except (InvalidOperation, ZeroDivisionError, ValueError):
        return None
    return f"{value}%" if found["percent"] else str(value)


def _fraction(found: re.Match[str]) -> Fraction:
    if found["over"]:
        size = Fraction((found["whole"] or "0").strip()) + _read(found["over"]) / _read(found["under"])
        return -size if found["minus"] else size
    if found["mixed"]:
        whole, part = _read(found["mixed"]), Fraction(int(found["part"]), int(found["of"]))
        return whole - part if found["mixed"][0] in "-−" else whole + part
    if found["numerator"]:
        return _read(found["numerator"]) / _read(found["denominator"])
    return _read(found["number"])


def _read(written: str) -> Fraction:
    """Return the value of a single number, with its sign, currency, separators and power of ten."""
    plain = re.sub(r"[$€£¥\s\u00a0\u202f\u2009'’{}]", "", written.replace("−", "-"))
    digits, _, power = re.sub(r"(?:×|x|\*|\\times|\\cdot)10(?:\^|\*\*)", "e", plain).partition("e")
    if "," in digits and "." in digits:
        thousands = "," if digits.rfind(".") > digits.rfind(",") else "."
        digits = digits.replace(thousands, "")
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+|[-+]?\d{1,3}(?:\.\d{3}){2,}", digits):
        digits = re.sub("[.,]", "", digits)
    return Fraction(Decimal(digits.replace(",", ".") + (f"e{power}" if power else "")))

"""Texts -> numbers: decimal comma or point, thousands marks, percent, currency and unit signs."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from plotline.intake.words import CURRENCY_CODES, CURRENCY_SIGNS

_SPACE = " \u00a0\u202f\u2009"
_MONEY = rf"[{CURRENCY_SIGNS}]|(?:{CURRENCY_CODES})\.?"
_UNIT = r"%|‰|[a-zA-Zµμ°Ωµ²³][\w°/²³·^-]{0,9}\.?"
_SHAPE = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+−–])?[{_SPACE}]?(?P<before>{_MONEY})?[{_SPACE}]?(?P<sign2>[-+−])?"
    rf"(?P<body>\d[\d.,'’{_SPACE}]*|[.,]\d+)(?P<exp>[eE][-+]?\d{{1,3}})?"
    rf"[{_SPACE}]?(?P<after>{_MONEY}|{_UNIT})?(?P<close>\))?(?P<trail>-)?"
)
PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_POINT = re.compile(r"(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3})?(?:\.\d*)?")
_COMMA = re.compile(r"(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)?(?:,\d*)?")
# No thousands begin with a zero: 0.123 has a decimal point.
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_MAX_CHARACTERS = 400
"""Longer texts are no numbers: the largest float has 309 digits."""
ID_LENGTH = 16
"""Digits from which a float64 no longer holds every integer: card and account numbers, kept as text."""


@dataclass(frozen=True)
class Shape:
    """A text that reads as a number: its digits with marks, sign, exponent and unit."""

    body: str
    negative: bool
    exponent: str
    unit: str | None


def shape_of(text: str) -> Shape | None:
    """The number in `text`, marks unresolved; None where it is not one."""
    found = _SHAPE.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
    if not found or bool(found["open"]) != bool(found["close"]):
        return None
    body = re.sub(rf"(?<=\d)[{_SPACE}'’](?=\d{{3}}(?!\d))", "", found["body"].rstrip(_SPACE))
    if re.search(rf"[{_SPACE}'’]", body):
        return None
    signs = [found["sign"], found["sign2"], "-" if found["open"] else None, found["trail"]]
    minus = [sign for sign in signs if sign and sign != "+"]
    if len(minus) > 1:
        return None
    before, after = found["before"], found["after"]
    if before and after and before != after:
        return None
    unit = before or after
    return Shape(body, bool(minus), found["exp"] or "", unit.rstrip(".") if unit else None)


def convention_votes(bodies: Iterable[str]) -> Counter[str]:
    """How many bodies can only be read with a decimal `point`, only with a decimal `comma`, `both` (1.234), or neither."""
    votes: Counter[str] = Counter()
    for body in bodies:
        if body.isdigit():
            votes["plain"] += 1
            continue
        point, comma = bool(_POINT.fullmatch(body)), bool(_COMMA.fullmatch(body))
        if point and comma:
            votes["both-point" if "." in body else "both-comma"] += 1
        elif point:
            # 1.5 speaks for a decimal point; 1,234 alone was counted above.
            votes["point"] += 1
        elif comma:
            votes["comma"] += 1
        else:
            votes["neither"] += 1
    return votes


def decide_convention(votes: Counter[str], table_convention: str | None) -> tuple[str, bool]:
    """`point` or `comma`, and whether another reading of the column was possible."""
    point, comma = votes["point"], votes["comma"]
    if point or comma:
        return ("point" if point >= comma else "comma"), False
    if table_convention:
        return table_convention, False
    if votes["both-point"]:
        return "point", True  # 1.234 as a decimal
    if votes["both-comma"]:
        return "point", True  # 1,234 as thousands
    return "point", False


def is_ambiguous(body: str) -> bool:
    return bool(_EITHER.fullmatch(body))


def number_of(shape: Shape, convention: str) -> int | float | None:
    """The value under one convention; None where the marks do not fit it."""
    body = shape.body
    pattern = _POINT if convention == "point" else _COMMA
    if not body.isdigit():
        if not pattern.fullmatch(body):
            return None
        body = body.replace(",", "") if convention == "point" else body.replace(".", "").replace(",", ".")
    sign = "-" if shape.negative else ""
    if body.isdigit() and not shape.exponent:
        return int(sign + body)
    try:
        value = float(sign + body + shape.exponent)
    except ValueError:
        return None
    return value if value - value == 0 else None


def is_id(text: str) -> bool:
    """Whether digits name something instead of counting it: leading zeros, 16 or more digits, a dialled number."""
    if text[:1] == "+" and text[1:].isdigit():
        return len(text) >= 9
    digits = text[1:] if text[:1] == "-" else text
    return digits.isdigit() and (len(digits) >= ID_LENGTH or (len(digits) > 1 and digits[0] == "0"))

"""Numbers written unlike the others of a large column: a comma among points may be a decimal mark as well as a thousands mark.

Columns whose texts are at hand are looked at by `checks/odd_forms`; here stand the few texts that reading from bytes left over.
"""

import re

import numpy as np

from plotline.intake.column import rows_of
from plotline.intake.numbers import Shape

_MIN_VALUES = 10
_FEW_SHARE = 0.03
_FEW = 2
_GROUPING = {"point": re.compile(r"\d[,'’ \u00a0\u202f\u2009]\d"), "comma": re.compile(r"\d[.'’ \u00a0\u202f\u2009]\d")}


def is_few(number: int, total: int) -> bool:
    """Whether so many of a column's values are exceptions in it."""
    return total >= _MIN_VALUES and 0 < number <= max(_FEW, _FEW_SHARE * total)


def odd_notations(codes: np.ndarray, counts: np.ndarray, numbers: dict[int, tuple[str, Shape]], unit: str | None, convention: str, total: int) -> list[tuple[str, str, list[int]]]:
    """Notes (code, message, rows) on notations that few of the numbers have. `numbers` are the distinct values by code,
    `convention` is how they were read: with a decimal `point` or `comma`, `total` the number of the column's values."""
    grouping = _GROUPING[convention]
    notes = []
    for words, has in (
        ("with marks between thousands", lambda text, shape: bool(grouping.search(text))),
        ("with an exponent", lambda text, shape: bool(shape.exponent)),
        ("in brackets or with the sign behind", lambda text, shape: text.startswith("(") or text.endswith("-")),
        ("with a plus sign", lambda text, shape: text.startswith("+")),
        ("without the unit of the others", lambda text, shape: unit is not None and shape.unit is None),
    ):
        odd = [index for index, (text, shape) in numbers.items() if has(text, shape)]
        number = int(sum(counts[index] for index in odd))
        if is_few(number, total):
            first = numbers[odd[0]][0]
            notes.append(("odd-number-format", f"{number} number(s) are written {words}, unlike the others, such as “{first}”.", rows_of(codes, odd)))
    return notes

"""Plain numbers (`-12`, `3.50`, `1,234.5`) read from bytes, a whole column at once.

A decimal of at most 15 digits is its digits as an integer, divided by a power of ten: both are exact in 64-bit floats, so
the quotient is the float nearest to what was written (Clinger 1990), the same that Python's `float` gives.
"""

from dataclasses import dataclass, fields

import numpy as np

from plotline.intake.text_column import PIECE, Spans

_MAX_DIGITS = 15
_MAX_CHARACTERS = 22
_MINUS, _ZERO, _NINE = 45, 48, 57
_MARKS = {"point": (46, 44), "comma": (44, 46)}
"""Decimal mark and thousands mark of the two conventions."""


@dataclass(frozen=True)
class PlainNumbers:
    """`known[i]`: cell i is a number that names nothing (no leading zeros). `decimals[i]`: digits after its decimal mark,
    -1 without one. `grouped[i]`: it has thousands marks. `ambiguous[i]`: 1.234 or 1,234, which the other convention reads
    as another number."""

    known: np.ndarray
    values: np.ndarray
    decimals: np.ndarray
    grouped: np.ndarray
    ambiguous: np.ndarray


def plain_numbers(spans: Spans, convention: str = "point") -> PlainNumbers:
    """The numbers among the cells under a convention, `point` or `comma`; whatever else is in them stays unknown."""
    if len(spans) > PIECE:
        found = [plain_numbers(piece, convention) for _, piece in spans.pieces()]
        return PlainNumbers(*(np.concatenate([getattr(part, name.name) for part in found]) for name in fields(PlainNumbers)))
    decimal_mark, group_mark = _MARKS[convention]
    count = len(spans)
    known = (spans.lengths > 0) & (spans.lengths <= _MAX_CHARACTERS)
    mantissa = np.zeros(count, dtype=np.int64)
    digits = np.zeros(count, dtype=np.int8)
    decimals = np.full(count, -1, dtype=np.int8)
    groups = np.zeros(count, dtype=np.int8)
    since = np.zeros(count, dtype=np.int8)
    negative = np.zeros(count, dtype=bool)
    leading_zero = np.zeros(count, dtype=bool)
    longest = int(spans.lengths[known].max(initial=0))
    active = np.flatnonzero(known)
    words = np.empty(0, dtype=np.uint64)
    for offset in range(longest):
        if offset % 8 == 0:
            words = spans.buffer.word(spans.starts[active] + offset)
        going = spans.lengths[active] > offset
        if not going.all():
            active, words = active[going], words[going]
        signs = (words & np.uint64(255)).astype(np.int16)
        words = words >> np.uint64(8)
        is_digit = (signs >= _ZERO) & (signs <= _NINE)
        if offset:
            # A zero before another digit, ahead of the decimal mark: a name, not a number.
            leading_zero[active] |= is_digit & (digits[active] == 1) & (mantissa[active] == 0) & (decimals[active] < 0)
        all_digits = bool(is_digit.all())
        at = active if all_digits else active[is_digit]
        mantissa[at] = mantissa[at] * 10 + ((signs if all_digits else signs[is_digit]) - _ZERO)
        digits[at] += 1
        since[at] += 1
        decimals[at] += decimals[at] >= 0
        if all_digits:
            continue
        minus = (signs == _MINUS) & (offset == 0)
        negative[active] |= minus
        mark = (signs == decimal_mark) & (decimals[active] < 0) & (digits[active] > 0) & ((groups[active] == 0) | (since[active] == 3))
        group = (signs == group_mark) & (decimals[active] < 0) & np.where(groups[active] == 0, (since[active] > 0) & (since[active] <= 3), since[active] == 3)
        decimals[active[mark]] = 0
        groups[active[group]] += 1
        since[active[group]] = 0
        bad = ~(is_digit | minus | mark | group)
        if bad.any():
            known[active[bad]] = False
            active, words = active[~bad], words[~bad]
    known &= (digits > 0) & (digits <= _MAX_DIGITS) & ~leading_zero & (decimals != 0) & ((groups == 0) | (since == 3) | (decimals > 0))
    values = np.where(negative, -mantissa, mantissa).astype(np.float64)
    scaled = decimals > 0
    values[scaled] /= 10.0 ** decimals[scaled]
    whole_digits = digits - np.maximum(decimals, 0)
    ambiguous = ((decimals == 3) & (whole_digits <= 3) & (groups == 0)) | ((groups == 1) & (decimals < 0))
    return PlainNumbers(known, values, decimals, groups > 0, ambiguous)

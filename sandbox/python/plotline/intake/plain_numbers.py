"""Plain numbers (`-12`, `3.50`) read from bytes, a whole column at once.

A decimal of at most 15 digits is its digits as an integer, divided by a power of ten: both are exact in 64-bit floats, so
the quotient is the float nearest to what was written (Clinger 1990), the same that Python's `float` gives.
"""

from dataclasses import dataclass

import numpy as np

from plotline.intake.text_column import Spans

_MAX_DIGITS = 15
_MAX_CHARACTERS = 17
_MINUS, _POINT, _ZERO, _NINE = 45, 46, 48, 57


@dataclass(frozen=True)
class PlainNumbers:
    """`known[i]`: cell i is a plain number that names nothing (no leading zeros). `decimals[i]`: digits after its point,
    -1 without one. `ambiguous[i]`: 1.234, which may mean thousands."""

    known: np.ndarray
    values: np.ndarray
    decimals: np.ndarray
    ambiguous: np.ndarray


def plain_numbers(spans: Spans) -> PlainNumbers:
    """The plain numbers among the cells; whatever else is in them stays unknown."""
    count = len(spans)
    known = (spans.lengths > 0) & (spans.lengths <= _MAX_CHARACTERS)
    mantissa = np.zeros(count, dtype=np.int64)
    digits = np.zeros(count, dtype=np.int8)
    decimals = np.full(count, -1, dtype=np.int8)
    negative = np.zeros(count, dtype=bool)
    leading_zero = np.zeros(count, dtype=bool)
    longest = int(spans.lengths[known].max(initial=0))
    active = np.flatnonzero(known)
    for offset in range(longest):
        if offset % 8 == 0:
            words = spans.buffer.word(spans.starts[active] + offset)
        going = spans.lengths[active] > offset
        if not going.all():
            active, words = active[going], words[going]
        signs = (words & np.uint64(255)).astype(np.int16)
        words = words >> np.uint64(8)
        is_digit = (signs >= _ZERO) & (signs <= _NINE)
        if offset == 0:
            minus = signs == _MINUS
            negative[active] = minus
            bad = ~is_digit & ~minus
        else:
            point = (signs == _POINT) & (decimals[active] < 0) & (digits[active] > 0)
            bad = ~is_digit & ~point
            # A zero before another digit, ahead of the point: a name, not a number.
            leading_zero[active] |= is_digit & (digits[active] == 1) & (mantissa[active] == 0) & (decimals[active] < 0)
        if is_digit.all():
            mantissa[active] = mantissa[active] * 10 + (signs - _ZERO)
            digits[active] += 1
            inside = decimals[active]
            decimals[active] = np.where(inside >= 0, inside + 1, inside)
            continue
        at = active[is_digit]
        mantissa[at] = mantissa[at] * 10 + (signs[is_digit] - _ZERO)
        digits[at] += 1
        fraction = at[decimals[at] >= 0]
        decimals[fraction] += 1
        if offset:
            decimals[active[point]] = 0
        if bad.any():
            known[active[bad]] = False
            active, words = active[~bad], words[~bad]
    known &= (digits > 0) & (digits <= _MAX_DIGITS) & ~leading_zero & (decimals != 0)
    values = np.where(negative, -mantissa, mantissa).astype(np.float64)
    scaled = decimals > 0
    values[scaled] /= 10.0 ** decimals[scaled]
    whole_digits = digits - np.maximum(decimals, 0)
    return PlainNumbers(known, values, decimals, (decimals == 3) & (whole_digits <= 3))

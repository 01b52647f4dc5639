"""ISO dates and moments (`2024-03-31`, `2024-03-31 08:15:00`) read from bytes, a whole column at once."""

import numpy as np

from plotline.intake.text_column import PIECE, Spans

_FORMS = {10: "dddd-dd-dd", 16: "dddd-dd-dd dd:dd", 19: "dddd-dd-dd dd:dd:dd"}
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_ZERO, _BLANK, _T = 48, 32, 84
_FIRST_YEAR, _LAST_YEAR = 1678, 2261
"""What 64-bit nanoseconds can hold."""


def plain_dates(spans: Spans) -> np.ndarray:
    """The moments as datetime64[ns]; NaT where a cell is written in another form or names no day."""
    if len(spans) > PIECE:
        return np.concatenate([plain_dates(piece) for _, piece in spans.pieces()])
    out = np.full(len(spans), np.datetime64("NaT"), dtype="datetime64[ns]")
    for length, form in _FORMS.items():
        rows = np.flatnonzero(spans.lengths == length)
        if len(rows):
            moments, known = _read(spans, rows, form)
            out[rows[known]] = moments[known]
    return out


def _read(spans: Spans, rows: np.ndarray, form: str) -> tuple[np.ndarray, np.ndarray]:
    known = np.ones(len(rows), dtype=bool)
    parts: list[np.ndarray] = []
    number: np.ndarray | None = None
    words = np.empty(0, dtype=np.uint64)
    for offset, sign in enumerate(form):
        if offset % 8 == 0:
            words = spans.buffer.word(spans.starts[rows] + offset)
        found = (words & np.uint64(255)).astype(np.int32)
        words = words >> np.uint64(8)
        if sign == "d":
            digit = found - _ZERO
            known &= (digit >= 0) & (digit <= 9)
            number = digit if number is None else number * 10 + digit
            continue
        known &= (found == _BLANK) | (found == _T) if sign == " " else found == ord(sign)
        assert number is not None
        parts.append(number)
        number = None
    assert number is not None
    parts.append(number)
    year, month, day = parts[:3]
    known &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)) & (month == 2)
    known &= day <= _DAYS[np.clip(month, 1, 12) - 1] + leap
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    moments = months.astype("datetime64[D]").astype("datetime64[ns]") + (day - 1).astype("timedelta64[D]")
    for value, unit, top in zip(parts[3:], ("h", "m", "s"), (23, 59, 59)):
        known &= (value >= 0) & (value <= top)
        moments = moments + value.astype(f"timedelta64[{unit}]")
    return moments, known

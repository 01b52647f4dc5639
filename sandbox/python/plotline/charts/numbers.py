"""Numbers and dates as words in a sentence."""

import calendar
import math
import re
from collections.abc import Callable, Sequence

from plotline.charts.model import Value

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def spoken(value: Value) -> str:
    """A value in a sentence: `12,345`, `1.23 million`, `0.046`, dates and names as they are."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return value if len(value) <= 60 else value[:59] + "…"
    size = abs(value)
    for unit, word in _UNITS:
        if size >= unit:
            return f"{_digits(value / unit, 3)} {word}"
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return _digits(value, 3)


def places(values: Sequence[Value], label: str) -> Callable[[Value], str]:
    """How to say positions on an axis: years without a separator, and dates only as exact as they all need."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) > 1 and len(texts) == len(values) and all(_DATE.fullmatch(text) for text in texts):
        if all(text.endswith("-01-01") for text in texts):
            return lambda value: str(value)[:4]
        if all(text.endswith("-01") for text in texts):
            return _month
        return str
    return lambda value: _place(value, label)


def _month(value: Value) -> str:
    year, month, _ = str(value).split("-")
    return f"{calendar.month_name[int(month)]} {year}"


def _place(value: Value, label: str) -> str:
    if isinstance(value, (int, float)) and value == int(value) and (1500 <= value <= 2200 or "year" in label.lower()):
        return str(int(value))
    return spoken(value)


def percent(share: float) -> str:
    """`share` of 1 as a percentage."""
    points = share * 100
    return f"{points:,.0f}%" if abs(points) >= 10 or points == int(points) else f"{points:.1f}%"


def _digits(value: float, count: int) -> str:
    if value == 0:
        return "0"
    decimals = max(0, count - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

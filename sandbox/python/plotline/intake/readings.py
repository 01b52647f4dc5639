"""The two readings of a column whose values allow both: 03/04/2025 as April or March, 1.234 as 1234 or 1.234."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake import numbers
from plotline.intake.dates import read_dates

_EXAMPLES = 3


def date_readings(texts: list[str]) -> list[dict[str, Any]]:
    """`{reading, min, max, examples}` with the day first, then with the month first. Dates are ISO 8601 text."""
    read = {order: found.values for order in ("day-first", "month-first") if (found := read_dates(texts, order))}
    if len(read) < 2 or any(np.isnat(values).all() for values in read.values()):
        return []
    # 02/02/2025 shows no difference.
    telling = np.flatnonzero(read["day-first"] != read["month-first"])[:_EXAMPLES]
    out = []
    for order, values in read.items():
        known = values[~np.isnat(values)]
        shown = [None if np.isnat(values[index]) else _day(values[index]) for index in telling]
        out.append(_reading(order, _day(known.min()), _day(known.max()), [texts[index] for index in telling], shown))
    return out


def number_readings(texts: Sequence[str], shapes: Sequence[numbers.Shape]) -> list[dict[str, Any]]:
    """The same with the mark as decimal point (or comma), then as thousands mark. `shapes[i]` is that of `texts[i]`."""
    mark = next(("." if "." in shape.body else "," for shape in shapes if numbers.is_ambiguous(shape.body)), None)
    if mark is None:
        return []
    conventions = {"decimal": "point", "thousands": "comma"} if mark == "." else {"decimal": "comma", "thousands": "point"}
    out = []
    for reading, convention in conventions.items():
        values = [numbers.number_of(shape, convention) for shape in shapes]
        known = [value for value in values if value is not None]
        # The examples are of values with the mark: 950 says nothing.
        shown = [index for index, shape in enumerate(shapes) if mark in shape.body][:_EXAMPLES]
        out.append(_reading(reading, min(known), max(known), [texts[index] for index in shown], [values[index] for index in shown]))
    return out


def _reading(reading: str, low: Any, high: Any, texts: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    examples = [f"{text} = {value}" for text, value in zip(texts, values) if value is not None]
    return {"reading": reading, "min": low, "max": high, "examples": examples}


def _day(value: Any) -> str:
    stamp = pd.Timestamp(value)
    return stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat(timespec="seconds")

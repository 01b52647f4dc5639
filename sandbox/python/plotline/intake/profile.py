"""What the card says about one column: type, unit, missing, distinct, range, frequent values, examples."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.column_view import ColumnView, TableView

_ALL_VALUES_UP_TO = 50
_TOP = 10
_EXAMPLES = 3
_MAX_TEXT = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def safe_text(value: Any, most: int = _MAX_TEXT) -> str:
    """Text for JSON and for people: no control or direction characters, at most `most` characters."""
    text = _CONTROL.sub("", str(value))
    text = re.sub(r"[\r\n\t]+", " ", text)
    return text if len(text) <= most else text[: most - 1] + "…"


def safe_number(value: Any) -> int | float | None:
    """The number as JSON can hold it; None for NaN and infinities."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float):
        return None if math.isnan(number) or math.isinf(number) else int(number) if number.is_integer() and abs(number) < 2**53 else number
    return int(number)


def columns_info(view: TableView, most: int) -> list[dict[str, Any]]:
    """The `columns_info` of the card for the first `most` columns of the table."""
    found = [_column(column) for column in view.columns[:most]]
    for index, entry in enumerate(found):
        levels = [row[index] for row in view.raw.header_cells if index < len(row)]
        if levels:
            entry["header"] = [safe_text(level) for level in levels]
    return found


def _column(column: ColumnView) -> dict[str, Any]:
    if column.type == "empty":
        found = {"missing": column.rows, "distinct": 0, "min": None, "max": None, "top": [], "examples": []}
    elif column.type in ("integer", "number", "date"):
        found = _measured(column)
    elif column.has_texts and column.type != "boolean":
        found = _counted(column)
    else:
        found = _booleans(column.series)
    out = {"name": safe_text(column.name), "type": column.type, "unit": safe_text(column.unit) if column.unit else None, **found}
    if column.column.readings:
        out["readings"] = [_safe_reading(reading) for reading in column.column.readings]
    return out


def _measured(column: ColumnView) -> dict[str, Any]:
    kind = column.type
    values = column.series.to_numpy() if kind == "date" else column.numbers
    gone = np.isnat(values) if kind == "date" else np.isnan(values)
    known = values[~gone] if gone.any() else values
    low: Any = None
    high: Any = None
    if len(known):
        # Integers beyond 2**53 are exact in the column, not in its floats.
        whole = column.series.dropna() if kind == "integer" and np.abs(known).max() >= 2**53 else known
        low, high = (_date(known.min()), _date(known.max())) if kind == "date" else (safe_number(whole.min()), safe_number(whole.max()))
    return {
        "missing": column.rows - len(known),
        "distinct": column.distinct_numbers(known),
        "min": low,
        "max": high,
        "top": [],
        "examples": [_date(value) if kind == "date" else str(safe_number(value)) for value in known[:_EXAMPLES]],
    }


def _counted(column: ColumnView) -> dict[str, Any]:
    distinct = len(column.present)
    counts = column.counts[column.present]
    shown = min(distinct, _ALL_VALUES_UP_TO if distinct <= _ALL_VALUES_UP_TO else _TOP)
    most = _most_frequent(counts, shown)
    values = column.series.to_numpy(dtype=object)[column.first_rows[column.present[most]]]
    top = [{"value": safe_text(value), "count": int(counts[index])} for value, index in zip(values, most)]
    return {
        "missing": column.rows - column.filled,
        "distinct": distinct,
        "min": None,
        "max": None,
        # Ids that are many say nothing by the one that happens to be first.
        "top": top if column.type != "id" or distinct <= _ALL_VALUES_UP_TO else [],
        "examples": [safe_text(value) for value in values[:_EXAMPLES]],
    }


def _most_frequent(counts: np.ndarray, most: int) -> np.ndarray:
    """Positions of the largest counts, largest first, equal ones in the order in which they occur."""
    if len(counts) > 10 * most:
        threshold = np.partition(counts, len(counts) - most)[len(counts) - most]
        some = np.flatnonzero(counts >= threshold)
        if len(some) > 10 * most:
            some = np.concatenate((np.flatnonzero(counts > threshold), np.flatnonzero(counts == threshold)[:most]))
            some.sort()
    else:
        some = np.arange(len(counts))
    return some[np.argsort(-counts[some], kind="stable")][:most]


def _booleans(series: pd.Series) -> dict[str, Any]:
    counted = series.value_counts(dropna=True)
    top = [{"value": safe_text(value), "count": int(count)} for value, count in counted.items()]
    examples = [entry["value"] for entry in top[:_EXAMPLES]]
    return {"missing": len(series) - int(counted.sum()), "distinct": len(counted), "min": None, "max": None, "top": top, "examples": examples}


def _safe_reading(reading: dict[str, Any]) -> dict[str, Any]:
    low, high = (value if isinstance(value, str) else safe_number(value) for value in (reading["min"], reading["max"]))
    return {"reading": reading["reading"], "min": low, "max": high, "examples": [safe_text(example) for example in reading["examples"]]}


def _date(value: Any) -> str:
    stamp = pd.Timestamp(value)
    return stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat(timespec="seconds")

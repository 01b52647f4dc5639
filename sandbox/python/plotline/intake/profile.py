"""What the card says about one column: type, unit, missing, distinct, range, frequent values, examples."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.frame import TypedTable

_ALL_VALUES_UP_TO = 50
_TOP = 10
_EXAMPLES = 3
_MAX_TEXT = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def safe_text(value: Any) -> str:
    """Text for JSON and for people: no control or direction characters, at most 200 characters."""
    text = _CONTROL.sub("", str(value))
    text = re.sub(r"[\r\n\t]+", " ", text)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def safe_number(value: Any) -> int | float | None:
    """The number as JSON can hold it; None for NaN and infinities."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float):
        return None if math.isnan(number) or math.isinf(number) else int(number) if number.is_integer() and abs(number) < 2**53 else number
    return int(number)


def columns_info(table: TypedTable) -> list[dict[str, Any]]:
    """The `columns_info` of the card for every column of the table."""
    return [_column(table.frame.iloc[:, index], column.type, column.unit, name) for index, (name, column) in enumerate(zip(table.raw.header, table.columns))]


def _column(series: pd.Series, kind: str, unit: str | None, name: str) -> dict[str, Any]:
    rows = len(series)
    low: Any = None
    high: Any = None
    top: list[dict[str, Any]] = []
    if kind in ("integer", "number", "date"):
        values = series.to_numpy(dtype="float64", na_value=np.nan) if kind == "integer" else series.to_numpy()
        gone = np.isnat(values) if kind == "date" else np.isnan(values)
        missing = int(gone.sum())
        known = values[~gone] if missing else values
        distinct = len(pd.unique(known))
        if len(known):
            if kind == "date":
                low, high = _date(known.min()), _date(known.max())
            else:
                present = series.dropna() if kind == "integer" else known
                low, high = safe_number(present.min()), safe_number(present.max())
        examples = [_shown(value, kind) for value in known[:_EXAMPLES]]
    else:
        counted = series.value_counts(dropna=True)
        missing = rows - int(counted.sum())
        distinct = len(counted)
        examples = [safe_text(value) for value in counted.index[:_EXAMPLES]]
        shown = counted if distinct <= _ALL_VALUES_UP_TO else counted.head(_TOP)
        if kind != "id" or distinct <= _ALL_VALUES_UP_TO:
            top = [{"value": safe_text(value), "count": int(count)} for value, count in shown.items()]
    return {
        "name": safe_text(name),
        "type": kind,
        "unit": safe_text(unit) if unit else None,
        "missing": missing,
        "distinct": distinct,
        "min": low,
        "max": high,
        "top": top,
        "examples": examples,
    }


def _date(value: Any) -> str:
    stamp = pd.Timestamp(value)
    return stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat(timespec="seconds")


def _shown(value: Any, kind: str) -> str:
    return _date(value) if kind == "date" else str(safe_number(value))

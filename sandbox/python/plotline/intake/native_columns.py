"""Columns whose cells bring their types: of workbooks and of JSON."""

import datetime
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake import numbers
from plotline.intake.cell_text import native_text
from plotline.intake.column import Column, Hints, cells, fits, take
from plotline.intake.model import CellError
from plotline.intake.words import NA_WORDS, NA_WORDS_AMONG_NUMBERS, SPREADSHEET_ERRORS


def native_column(
    codes: np.ndarray, distinct: list[Any], counts: np.ndarray, hints: Hints, as_texts: Callable[[np.ndarray, list[Any], np.ndarray], Column]
) -> Column:
    """A column of a workbook or of JSON: values bring their types, texts alone are typed by `as_texts` like those of a text file."""
    kinds: Counter[str] = Counter()
    for value, count in zip(distinct, counts):
        kinds[_native_kind(value)] += int(count)
    filled = sum(kinds.values()) - kinds["empty"]
    if not filled:
        return Column(np.full(len(codes), None, dtype=object), "empty")
    errors = {index: f"is the spreadsheet error {value}" for index, value in enumerate(distinct) if isinstance(value, CellError)}
    shown = [native_text(value) for value in distinct]
    if kinds["text"] and not (kinds["number"] or kinds["date"] or kinds["boolean"]):
        texts = ["" if index in errors else text for index, text in enumerate(shown)]
        column = as_texts(codes, texts, counts)
        column.unusable += cells(codes, shown, errors)
        if column.type in ("integer", "number"):
            column.notes.append(("numbers-as-text", "The numbers of this column are stored as text.", None))
        return column
    main = max(("number", "date", "boolean"), key=lambda kind: kinds[kind])
    table: list[Any] = [None] * len(distinct)
    reasons = dict(errors)
    as_text = 0
    for index, value in enumerate(distinct):
        kind = _native_kind(value)
        if kind == "empty" or index in errors:
            continue
        if kind == main:
            table[index] = value
        elif kind == "text" and value.strip().lower() in NA_WORDS_AMONG_NUMBERS:
            continue
        elif kind == "text" and main == "number" and not numbers.is_id(value.strip()) and (shape := numbers.shape_of(value.strip())) and not shape.unit:
            table[index] = numbers.number_of(shape, hints.convention or "point")
            as_text += int(counts[index])
            if table[index] is None:
                reasons[index] = "is not a number"
        else:
            reasons[index] = f"is not a {main}"
    unfit = sum(int(counts[index]) for index in reasons if index not in errors)
    if not fits(filled - unfit, filled):
        column = Column(take([None if _native_kind(value) == "empty" or index in errors else text for index, (value, text) in enumerate(zip(distinct, shown))], codes), "mixed")
        column.unusable = cells(codes, shown, errors)
        words = f"The column mixes {', '.join(f'{count} {kind}' for kind, count in kinds.most_common() if kind != 'empty')} cells; it stays text."
        column.notes.append(("mixed-types", words, None))
        return column
    column = _native_column(main, table, codes)
    column.unusable = cells(codes, shown, reasons)
    if as_text:
        column.notes.append(("numbers-as-text", f"{as_text} number(s) are stored as text.", None))
    return column


def _native_column(kind: str, table: list[Any], codes: np.ndarray) -> Column:
    if kind == "boolean":
        return Column(pd.array(take(table, codes), dtype="boolean"), "boolean")
    if kind == "date":
        known = [value for value in table if value is not None]
        if any(isinstance(value, (datetime.time, datetime.timedelta)) for value in known):
            return Column(take([None if value is None else native_text(value) for value in table], codes), "text")
        converted = pd.to_datetime(pd.Series(table, dtype=object), errors="coerce").to_numpy(dtype="datetime64[ns]")
        return Column(converted[codes], "date")
    known = [value for value in table if value is not None]
    if all(isinstance(value, int) or value.is_integer() for value in known) and all(abs(value) < 2**53 for value in known):
        return Column(pd.array(take([pd.NA if value is None else int(value) for value in table], codes), dtype="Int64"), "integer")
    if any(isinstance(value, int) and abs(value) >= 10**15 for value in known):
        return Column(take([None if value is None else str(value) for value in table], codes), "id")
    return Column(np.array([np.nan if value is None else float(value) for value in table])[codes], "number")


def _native_kind(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "empty"
    if isinstance(value, CellError):
        return "empty" if value.code.lower() == "#n/a" else "error"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return "date"
    return "empty" if str(value).strip().lower() in NA_WORDS and str(value).strip().lower() not in SPREADSHEET_ERRORS else "text"

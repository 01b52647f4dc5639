"""Rows that add up the others: computing over them counts everything twice."""

import math
import re
from typing import Any

import pandas as pd

_WORD = r"(?:(?:grand |sub-?)?totals?|sum|summe|gesamt(?:summe)?|insgesamt|total général|всего|итого|合計|总计|overall)"
_BEGINS = re.compile(rf"{_WORD}(?!\w)", re.IGNORECASE)
_ALONE = re.compile(rf"{_WORD}\s*[:=.]?", re.IGNORECASE)
_WHOLE_ROWS = 5000
_TAIL_ROWS = 3
"""In a table of more than `_WHOLE_ROWS` rows only its last rows are looked at."""


def totals_rows(table: Any) -> list[int]:
    """
    Positions of the rows of a `TypedTable` that are totals: a row whose label begins with the word and that has a number which
    adds up the rows before it. Where nothing adds up (averages, lost rows), the label must be nothing but the word and stand
    alone beside the numbers, so that a shop named Total and the word "sum" among words are rows like others.
    """
    count = table.raw.row_count
    start = max(0, count - _TAIL_ROWS) if count > _WHOLE_ROWS else 0
    for index, column in enumerate(table.columns):
        if column.type not in ("text", "mixed", "id") and not column.unusable:
            continue
        labels = _labels(table, index, start)
        rows = [row for row, label in labels.items() if _BEGINS.match(label)]
        if not rows or len(rows) > max(1, count // 2):
            continue
        return [row for row in rows if _adds_up(table, row, rows) or (_ALONE.fullmatch(labels[row]) and _stands_alone(table, row, index))]
    return []


def _labels(table: Any, index: int, start: int) -> dict[int, str]:
    """Texts by row, also those that typing left out as unusable: `Total` under a column of dates."""
    values = enumerate(table.series(index).iloc[start:].tolist(), start)
    labels = {row: value.strip() for row, value in values if isinstance(value, str)}
    return labels | {int(row): value.strip() for row, value, _ in table.columns[index].unusable if row >= start}


def _stands_alone(table: Any, row: int, label: int) -> bool:
    """Whether the row's first value is its label and all others are numbers, at least one."""
    unusable = {index for index, column in enumerate(table.columns) if any(place == row for place, _, _ in column.unusable)}
    filled = [index for index in range(len(table.columns)) if index in unusable or not pd.isna(table.series(index).iat[row])]
    others = [table.columns[index].type for index in filled if index != label]
    return filled[:1] == [label] and bool(others) and all(kind in ("integer", "number", "mixed") for kind in others)


def _adds_up(table: Any, row: int, rows: list[int]) -> bool:
    before = [other for other in rows if other < row]
    parts = [other for other in range(row) if other not in before]
    since = [other for other in parts if not before or other > before[-1]]
    for index, column in enumerate(table.columns):
        if column.type not in ("integer", "number", "mixed"):
            continue
        values = pd.to_numeric(table.series(index), errors="coerce")
        total = values.iloc[row]
        if pd.isna(total) or total == 0:
            continue
        if any(len(group) > 1 and math.isclose(values.iloc[group].sum(), total, rel_tol=1e-6) for group in (parts, since)):
            return True
    return False

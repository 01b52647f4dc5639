"""Rows that add up the others: computing over them counts everything twice."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd

_WORD = r"(?:(?:grand |sub-?)?totals?|sum|summe|gesamt(?:summe)?|insgesamt|total général|всего|итого|合計|总计|overall)"
_BEGINS = re.compile(rf"{_WORD}(?!\w)", re.IGNORECASE)
_ALONE = re.compile(rf"{_WORD}\s*[:=.]?", re.IGNORECASE)
_WHOLE_ROWS = 5000
_FEW = 3
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
        rows = sorted(row for row, label in labels.items() if _BEGINS.match(label))
        if not rows or len(rows) > max(1, count // 2):
            continue
        adding = _adding_up(table, rows)
        # Where many rows are called so and hardly one adds up, it is the name of something.
        if len(rows) > _FEW and len(adding) * 2 < len(rows):
            continue
        alone = [row for row in rows if _ALONE.fullmatch(labels[row])]
        return [row for row in rows if row in adding or (row in alone and _stands_alone(table, row, index))]
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


def _adding_up(table: Any, rows: list[int]) -> set[int]:
    """Those of `rows` (ascending) in which a number is the sum of all rows before that are no totals, or of those since the
    last total; of at least two rows."""
    found: set[int] = set()
    is_part = np.ones(table.raw.row_count, dtype=bool)
    is_part[rows] = False
    parts_before = np.concatenate(([0], np.cumsum(is_part)))
    last = np.array([0, *(row + 1 for row in rows[:-1])])
    for index, column in enumerate(table.columns):
        if column.type not in ("integer", "number", "mixed"):
            continue
        values = pd.to_numeric(table.series(index), errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        sums = np.concatenate(([0.0], np.cumsum(np.where(is_part & ~np.isnan(values), values, 0.0))))
        for row, since in zip(rows, last.tolist()):
            total = values[row]
            if row in found or np.isnan(total) or total == 0:
                continue
            for begin in (0, since):
                if parts_before[row] - parts_before[begin] > 1 and math.isclose(sums[row] - sums[begin], total, rel_tol=1e-6):
                    found.add(row)
    return found

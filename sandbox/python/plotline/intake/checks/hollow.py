"""Tables without rows and columns that say nothing."""

from collections.abc import Iterator

import numpy as np

from plotline.intake.checks.findings import counted, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note


def no_rows(view: TableView) -> Iterator[Note]:
    if view.rows == 0 and view.raw.header:
        yield Note("no-rows", f"The table {view.name} has a header ({counted(len(view.columns), 'column')}) but no rows.", view.name)


def hollow_columns(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Columns without a value, or with the same one in every row."""
    if column.type == "empty":
        yield Note("empty-column", f"{column.name} has no values.", view.name)
    elif view.rows > 2 and _is_constant(column):
        yield Note("constant-column", f"{column.name} is {quoted(column.series.iloc[0])} in every row.", view.name)


def _is_constant(column: ColumnView) -> bool:
    values = column.series
    if values.iloc[:50].nunique(dropna=False) != 1:
        return False
    if column.type in ("integer", "number"):
        return bool(np.all(column.numbers == column.numbers[0]))
    if column.type in ("text", "mixed", "id"):
        return len(column.present) == 1 and column.filled == column.rows
    return values.nunique(dropna=False) == 1

"""Values far outside the middle half, and the few that are negative."""

from collections.abc import Iterator

import numpy as np

from plotline.intake.checks.findings import counted, on_rows
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_ENOUGH = 20
_FAR = 10
"""In interquartile ranges: skewed data passes, slipped digits do not."""


def outliers(view: TableView, column: ColumnView) -> Iterator[Note]:
    if column.type not in ("integer", "number"):
        return
    values = column.numbers
    known = values[~np.isnan(values)]
    if len(known) < _ENOUGH:
        return
    low, middle, high = np.percentile(known, (25, 50, 75))
    spread = high - low
    if spread <= 0:
        return
    far = np.setdiff1d(np.flatnonzero(np.abs(values - middle) > _FAR * spread), view.totals)
    if not 0 < len(far) <= max(2, 0.002 * len(known)):
        return
    row = int(far[np.argmax(np.abs(values[far] - middle))])
    example = f"{_shown(values[row])} on {view.at(row)}"
    words = f"{column.name}: {example} lies far from the others (median {_shown(middle)})."
    if len(far) > 1:
        words = f"{column.name}: {counted(len(far), 'value')} lie far from the others, such as {example} (median {_shown(middle)})."
    yield from on_rows(view, "outliers", words, far.tolist())


def odd_signs(view: TableView, column: ColumnView) -> Iterator[Note]:
    """One or two negative numbers where all others are positive: slipped minus signs, or refunds among orders."""
    if column.type not in ("integer", "number"):
        return
    below = np.setdiff1d(np.flatnonzero(column.numbers < 0), view.totals)
    if not 0 < len(below) <= 2 or np.count_nonzero(column.numbers > 0) < _ENOUGH:
        return
    row = int(below[0])
    is_negative = "1 value is negative" if len(below) == 1 else f"{len(below)} values are negative"
    words = f"{column.name}: {is_negative} where all others are positive, {_shown(column.numbers[row])} on {view.at(row)}."
    yield from on_rows(view, "odd-sign", words, below.tolist())


def _shown(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:,.6g}"

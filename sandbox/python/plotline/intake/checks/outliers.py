"""Values far outside the middle half."""

from collections.abc import Iterator

import numpy as np

from plotline.intake.checks.findings import counted, on_rows
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_FAR = 10
"""In interquartile ranges: skewed data passes, slipped digits do not."""


def outliers(view: TableView, column: ColumnView) -> Iterator[Note]:
    if column.type not in ("integer", "number"):
        return
    values = column.numbers
    known = values[~np.isnan(values)]
    if len(known) < 20:
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


def _shown(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:,.6g}"

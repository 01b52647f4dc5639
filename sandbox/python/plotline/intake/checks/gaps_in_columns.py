"""Values that are missing or shorter in a row or two of a column that is whole and even everywhere else."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from plotline.intake.checks.findings import counted, few, on_rows, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_LEAST_ROWS = 20
_MOST = 2
_MOST_SHARE = 0.005
_FRACTION = re.compile(r"[-+]?\d[\d,'’ ]*\.(\d+)|[-+]?\d[\d.'’ ]*,(\d+)")


def few_missing(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Missing values in a column that has nearly all: a row that lost a field, or whose fields moved."""
    if view.rows < _LEAST_ROWS or column.type == "empty" or column.filled == column.rows:
        return
    count = column.rows - column.filled
    said = {row for row, _, _ in column.column.unusable} | set(view.totals)
    if count > max(_MOST, _MOST_SHARE * view.rows) + len(said):
        return
    rows = [row for row in np.flatnonzero(column.series.isna().to_numpy()).tolist() if row not in said]
    if not rows or len(rows) > max(_MOST, _MOST_SHARE * view.rows):
        return
    words = f"{column.name} is missing in {counted(len(rows), 'row')} ({view.where(rows)}) and given in all others."
    yield from on_rows(view, "few-missing", words, rows)


def blank_cells(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Cells of nothing but blanks where others are empty or filled."""
    source = column.column.source
    if source is None or not column.has_texts:
        return
    blank = [code for code, text in enumerate(source.distinct) if text and text.isspace()]
    rows = np.flatnonzero(np.isin(source.codes, blank)).tolist() if blank else []
    if not few(len(rows), view.rows):
        return
    holds = "holds" if len(rows) == 1 else "hold"
    words = f"{column.name}: {counted(len(rows), 'cell')} {holds} nothing but blanks and count as missing ({view.where(rows)})."
    yield from on_rows(view, "blank-cells", words.replace("and count", "and counts") if len(rows) == 1 else words, rows)


def odd_decimals(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Numbers with fewer or more decimals than all others have, as a number that was cut has."""
    if column.type != "number" or not column.has_texts or column.filled < _LEAST_ROWS:
        return
    seen: Counter[int] = Counter()
    decimals = [_decimals(text.strip()) for text in column.texts]
    for size, count in zip(decimals, column.counts[column.present].tolist()):
        seen[size] += count
    usual, times = seen.most_common(1)[0]
    if usual < 2 or not 0 < column.filled - times <= max(_MOST, _MOST_SHARE * column.filled):
        return
    odd = [index for index, size in enumerate(decimals) if size != usual]
    rows = column.rows_of(odd).tolist()
    has = "has" if len(rows) == 1 else "have"
    words = f"{column.name}: {counted(len(rows), 'number')} {has} not the {usual} decimals of all others, such as {quoted(column.texts[odd[0]])} ({view.where(rows)})."
    yield from on_rows(view, "odd-decimals", words, rows)


def _decimals(text: str) -> int:
    found = _FRACTION.search(text)
    return len(found[1] or found[2]) if found else 0

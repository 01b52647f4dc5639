"""Rows that occur more than once, and keys that do."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from plotline.intake.checks.findings import counted, on_rows, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_KEY_NAME = re.compile(
    r"(?:^|[\s_#-])(?i:id|key|uuid|guid|code|sku|no|nr|number|ref|reference|isbn|ean|iban)\.?$|[a-z](?:Id|ID|Key|No|Nr|Code|Number)$"
)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_KEY_ROWS = 10
_MOST_REPEATED = 0.05
"""Share of a key's values that may repeat; where more do, it is no key."""


def duplicates(view: TableView) -> Iterator[Note]:
    """Rows that are written like an earlier one in every column, and keys that occur more than once beside those."""
    repeated = _repeated(view)
    if len(repeated):
        yield from _duplicate_rows(view, repeated)
    yield from _duplicate_keys(view, len(repeated))


def _duplicate_rows(view: TableView, repeated: np.ndarray) -> Iterator[Note]:
    repeats = "repeats" if len(repeated) == 1 else "repeat"
    words = f"{counted(len(repeated), 'row')} {repeats} an earlier row in every column ({view.where(repeated)})."
    yield from on_rows(view, "duplicate-rows", words, repeated.tolist())


def _repeated(view: TableView) -> np.ndarray:
    nothing = np.empty(0, dtype=int)
    if view.rows < 2 or len(view.columns) < 2 or any(_all_distinct(column) for column in view.columns):
        return nothing
    mixed = np.zeros(view.rows, dtype=np.uint64)
    for column in view.columns:
        mixed = (mixed ^ _row_hashes(column)) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return np.flatnonzero(pd.Series(mixed).duplicated().to_numpy())


def _all_distinct(column: ColumnView) -> bool:
    return column.has_texts and len(column.counts) == column.rows


def _row_hashes(column: ColumnView) -> np.ndarray:
    """A number for each row, the same for the same value."""
    if column.has_texts:
        return column.codes.astype(np.uint64) + np.uint64(1)
    values = column.series
    if column.type == "integer":
        return values.to_numpy(dtype="int64", na_value=np.iinfo(np.int64).min).view(np.uint64)
    if column.type in ("number", "date"):
        plain = values.to_numpy()
        return plain.view(np.uint64) if column.type == "date" else np.where(np.isnan(plain), np.nan, plain + 0.0).view(np.uint64)
    return pd.util.hash_pandas_object(values, index=False).to_numpy()


def _duplicate_keys(view: TableView, whole_rows: int) -> Iterator[Note]:
    """Columns that tell the rows apart, but for a few: by their name, or because nearly all their values differ."""
    if view.rows < _KEY_ROWS:
        return
    unique_key = False
    for column in view.columns:
        if column.type not in ("integer", "id", "text"):
            continue
        named = _KEY_NAME.search(column.name) is not None
        doubled = _doubled(column)
        unique_key = unique_key or (named and doubled == 0)
        if not whole_rows < doubled <= max(1, _MOST_REPEATED * column.filled) or column.filled < _KEY_ROWS:
            continue
        # Beside a key that is whole, one that repeats now and then refers to another table.
        if (unique_key and doubled > max(3, 0.01 * column.filled)) or not (named or _looks_like_keys(column)):
            continue
        rows = _later_rows(column)
        occur = "occurs" if doubled == 1 else "occur"
        words = f"{column.name} looks like a key, but {doubled:,} of its values {occur} more than once, such as {quoted(column.series.iloc[rows[0]])} ({view.where(rows)})."
        yield from on_rows(view, "duplicate-keys", words, rows.tolist())


def _doubled(column: ColumnView) -> int:
    if column.has_texts:
        return column.filled - len(column.present)
    known = column.numbers[~np.isnan(column.numbers)]
    if len(known) > 1 and (np.diff(known) > 0).all():
        return 0
    return len(known) - len(pd.unique(known))


def _looks_like_keys(column: ColumnView) -> bool:
    """Codes of one shape with digits in them, or numbers that count the rows."""
    if column.type == "integer":
        known = column.numbers[~np.isnan(column.numbers)]
        return len(known) >= 20 and known.max() - known.min() < 1.1 * len(known)
    if len(column.present) < 20:
        return False
    sample = column.texts[:: max(1, len(column.texts) // 200)]
    with_digits = sum(len(text) <= 40 and any(map(str.isdigit, text)) and " " not in text.strip() for text in sample)
    return with_digits >= 0.95 * len(sample)


def _later_rows(column: ColumnView) -> np.ndarray:
    values = pd.Series(column.codes) if column.has_texts else column.series
    again = values.duplicated().to_numpy() & column.series.notna().to_numpy()
    return np.flatnonzero(again)

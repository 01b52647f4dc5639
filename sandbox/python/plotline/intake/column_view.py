"""A typed table as the profile and the checks look at it: each column folded into its distinct values once, on demand."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.frame import TypedTable
from plotline.intake.line_notes import listed

_TEXT_TYPES = ("text", "mixed", "id")


class Joined:
    """The texts of a column as one string, so that a search is one call and not one for each value."""

    def __init__(self, texts: list[str]) -> None:
        self.text = "\n".join(texts)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.starts = np.concatenate(([0], np.cumsum(lengths + 1)[:-1])) if len(texts) else np.zeros(0, dtype=np.int64)

    def owners(self, positions: Any) -> np.ndarray:
        """For each position in `text` the index of the value it lies in."""
        return np.searchsorted(self.starts, np.asarray(positions, dtype=np.int64), side="right") - 1


class ColumnView:
    """One column. Nothing is computed before it is asked for; `forget` lets go of what takes memory."""

    def __init__(self, table: TypedTable, index: int) -> None:
        self.name = table.raw.header[index]
        self.column = table.columns[index]
        self.type = self.column.type
        self.unit = self.column.unit
        self.rows = table.raw.row_count
        self._table = table
        self._index = index

    @property
    def series(self) -> pd.Series:
        return self._table.series(self._index)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The values of an integer or number column as float64, NaN where there is none."""
        return self.series.to_numpy(dtype="float64", na_value=np.nan)

    @cached_property
    def _folded(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Row -> code, and the distinct values; None for columns that no text stands behind."""
        column = self.column
        if column.source is not None and column.distinct_values is None:
            distinct = np.empty(column.source.distinct_count, dtype=object)
            distinct[:] = column.source.distinct
            return column.source.codes, distinct
        if self.type not in _TEXT_TYPES:
            return None
        codes, distinct = pd.factorize(self.series.to_numpy(dtype=object), use_na_sentinel=False)
        return codes, distinct

    @property
    def has_texts(self) -> bool:
        """Whether the values are at hand as they were written. Large columns of numbers are not made into texts again."""
        return self._folded is not None

    @property
    def codes(self) -> np.ndarray:
        """For each row the position of its value in `texts`. Only where `has_texts`."""
        assert self._folded is not None
        return self._folded[0]

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each of `texts` occurs."""
        return np.bincount(self.codes, minlength=len(self._folded[1])) if self._folded else np.zeros(0, dtype=int)

    @cached_property
    def first_rows(self) -> np.ndarray:
        """The first row of each of `texts`."""
        first = np.zeros(len(self.counts), dtype=np.int64)
        first[self.codes[::-1]] = np.arange(self.rows - 1, -1, -1)
        return first

    @cached_property
    def present(self) -> np.ndarray:
        """Positions in `texts` of the values that are not missing, in the order of the rows. In a column of numbers or
        dates a value that did not fit its type counts as missing here."""
        gone = pd.isna(self.series.to_numpy(dtype=object)[self.first_rows] if self.type in _TEXT_TYPES else self.series.iloc[self.first_rows]).astype(bool)
        return np.flatnonzero(~np.asarray(gone))

    @cached_property
    def texts(self) -> list[str]:
        """The present values as written: `texts[i]` belongs to code `present[i]`."""
        assert self._folded is not None
        values = self._folded[1][self.present].tolist()
        return values if self.column.source is not None else [value if isinstance(value, str) else "" for value in values]

    def distinct_numbers(self, known: np.ndarray) -> int:
        """How many different values the `known` ones of a column of numbers or dates are."""
        values = self.column.distinct_values
        if values is None:
            return len(pd.unique(known))
        return len(pd.unique(values[~pd.isna(values)]))

    @cached_property
    def joined(self) -> Joined:
        return Joined(self.texts)

    @cached_property
    def filled(self) -> int:
        """Rows with a value."""
        return int(self.counts[self.present].sum()) if self.has_texts else int(self.series.notna().sum())

    def rows_of(self, which: Any) -> np.ndarray:
        """The rows that hold one of `texts[i]` for i in `which`, in order."""
        wanted = np.zeros(len(self.counts), dtype=bool)
        wanted[self.present[np.asarray(which, dtype=np.int64)]] = True
        return np.flatnonzero(wanted[self.codes])

    def rows_with(self, which: Any) -> int:
        """How many rows hold one of `texts[i]` for i in `which`."""
        return int(self.counts[self.present[np.asarray(which, dtype=np.int64)]].sum())

    def forget(self) -> None:
        for name in ("joined", "texts", "numbers", "_folded", "first_rows"):
            self.__dict__.pop(name, None)
        if self.column.source is not None:
            self.column.source.forget()


class TableView:
    """The columns of one table, shared by the profile and all checks."""

    def __init__(self, table: TypedTable, encoding: str | None = None) -> None:
        """`encoding`: what the bytes of a text file were read as."""
        self.encoding = encoding
        self.table = table
        self.raw = table.raw
        self.name = table.raw.name
        self.rows = table.raw.row_count
        self.columns = [ColumnView(table, index) for index in range(len(table.columns))]

    @cached_property
    def totals(self) -> list[int]:
        """Rows that add up the others."""
        return self.table.totals

    @property
    def place(self) -> str:
        """What a line is called: the rows of a sheet are rows."""
        return self.raw.place

    def line(self, row: int) -> int:
        """The physical line of the file (the sheet's row) that a row starts on."""
        return int(self.raw.lines[row])

    def at(self, row: int) -> str:
        """`line 7`, or `row 7` of a sheet."""
        return f"{self.place} {self.line(row)}"

    def where(self, rows: Iterable[int]) -> str:
        """`line 3` or `lines 3, 9, 12 …`, for the end of a sentence."""
        return listed((self.line(row) for row in rows), self.place)

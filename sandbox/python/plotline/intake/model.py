"""The data that travels between the stages: a file's bytes -> `Reading` with `RawTable`s -> DataFrames and the card."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plotline.intake.cell_text import native_text
from plotline.intake.text_column import TextColumn

MAX_COLUMNS = 16_384
"""As many as Excel has: describing and holding each one costs time and memory, however little is in it."""
MAX_PLACES = 20_000_000
"""Rows times columns of one table: a few wide rows among many narrow ones must not fill the memory with empty cells."""


class Unreadable(Exception):
    """The file cannot be read as tables. The text is for the person who sent it: what happened and what to do next."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is written. `quote` and `escape` are None where the file does not use one.

    `escape` is how a quote is written inside a quoted field: the quote itself when doubled, or a backslash.
    """

    encoding: str
    delimiter: str
    quote: str | None
    escape: str | None


@dataclass(frozen=True)
class Note:
    """One warning. `line` is the physical line of the file from 1, in a workbook the sheet's row."""

    code: str
    message: str
    table: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Rejected:
    """A line that is not in the table, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class CellError:
    """A spreadsheet error such as #DIV/0! in place of a value."""

    code: str

    def __str__(self) -> str:
        return self.code


@dataclass
class RawTable:
    """A table before its columns have types.

    `columns[i]` holds the values of one column: text as written in the file (a `TextColumn` where the file is large), or
    the typed values of a workbook or JSON. `lines[r]` is the physical line (sheet row, item number) that row r starts on.
    """

    name: str
    header: list[str]
    header_rows: int
    columns: list[Sequence[Any]]
    lines: Sequence[int]
    hidden: bool = False
    range: str = ""
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    units: list[str | None] | None = None
    unread_lines: int = 0
    """Lines of the file after the part that was read, where it is too large to be read whole."""
    header_cells: list[list[str]] = field(default_factory=list)
    """The rows of a header that has several, as written: `header_cells[r][i]` went into the name of column i."""

    @property
    def row_count(self) -> int:
        return len(self.lines)

    @property
    def place(self) -> str:
        """What a line is called: the rows of a sheet are rows."""
        return "line" if self.range.startswith("line") or not self.range else "row"

    def texts(self, index: int) -> Sequence[str]:
        """The cells of a column as text: as written in the file, typed cells of a workbook or JSON as `native_text`."""
        column = self.columns[index]
        if isinstance(column, TextColumn):
            return column
        return [value if isinstance(value, str) else native_text(value) for value in column]


@dataclass
class Sheet:
    """A worksheet's grid. `rows[r][c]` counts from `first_row`/`first_column` (both from 1); None is an empty cell."""

    name: str
    hidden: bool
    rows: list[list[Any]]
    first_row: int = 1
    first_column: int = 1
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Merged ranges: first row, first column, last row, last column, from 1, inclusive."""
    named_tables: list[tuple[str, tuple[int, int, int, int], int]] = field(default_factory=list)
    """The workbook's own tables: name, range as above, number of header rows."""
    formulas_without_values: list[tuple[int, int]] = field(default_factory=list)
    """Row and column, from 1, of each."""
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    row_numbers: list[int] | None = None
    """The sheet's row of each of `rows` where empty ones were left out because the sheet spans too far; else None."""
    column_numbers: list[int] | None = None
    notes: list[Note] = field(default_factory=list)
    """What the reader of the file has to say about this sheet."""

    def row_number(self, index: int) -> int:
        """The sheet's row, from 1, of `rows[index]`."""
        return self.row_numbers[index] if self.row_numbers else self.first_row + index

    def column_number(self, index: int) -> int:
        """The sheet's column, from 1, of the cells at `index` of a row."""
        return self.column_numbers[index] if self.column_numbers else self.first_column + index


@dataclass
class Reading:
    """Everything one file gave."""

    kind: str
    tables: list[RawTable] = field(default_factory=list)
    dialect: Dialect | None = None
    notes: list[Note] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)


def check_size(rows: int, columns: int) -> None:
    """Raises `Unreadable` for a table that is too wide or has too many places to hold."""
    if columns > MAX_COLUMNS:
        raise Unreadable(f"A table of {columns:,} columns; I read at most {MAX_COLUMNS:,}. Please send the columns you need.")
    if rows * columns > MAX_PLACES:
        raise Unreadable(f"A table of {rows:,} rows and {columns:,} columns; I read at most {MAX_PLACES:,} cells. Please send the part you need.")

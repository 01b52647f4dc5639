"""The cells of one sheet while it is read, in whatever order the file holds them, and the `Sheet` they make."""

import re
from typing import Any

from plotline.intake.model import Note, Sheet, Unreadable

MAX_CELLS = 5_000_000
"""In all sheets of a workbook together: as many as 1 GB of memory can hold as a table."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Excel's own bounds."""
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_DENSE_UP_TO = 2_000_000
_DENSE_AT_MOST = 40_000_000
_FILL = 20
"""A grid with more than this many places for each cell leaves its empty rows and columns out."""
_MAX_LISTED = 20_000
"""Hidden rows, merged ranges and the like that are kept one by one."""


class Grid:
    """Cells by row and column, from 1. `put` keeps the last of several values for one cell and remembers that it did."""

    def __init__(self, name: str, hidden: bool = False, max_cells: int = MAX_CELLS) -> None:
        self.name, self.hidden, self.max_cells = name, hidden, max_cells
        self.rows: dict[int, dict[int, Any]] = {}
        self.merges: list[tuple[int, int, int, int]] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[int] = []
        self.formulas_without_values: list[tuple[int, int]] = []
        self.notes: list[Note] = []
        self.cells = 0
        self.texts_lost: list[tuple[int, int]] = []
        self.twice: list[tuple[int, int]] = []
        self.in_order = True

    def put(self, row: int, column: int, value: Any) -> None:
        """Sets one cell; None clears it. Raises `Unreadable` where the workbook has more cells than can be held."""
        cells = self.rows.get(row)
        if cells is None:
            cells = self.rows[row] = {}
        if value is None:
            cells.pop(column, None)
            return
        if column in cells:
            self.twice.append((row, column))
        elif cells and column < next(reversed(cells)):
            self.in_order = False
        cells[column] = value
        self.count(1)

    def count(self, cells: int) -> None:
        """Counts cells that are about to be held."""
        self.cells += cells
        if self.cells > self.max_cells:
            raise Unreadable(f"The workbook has more than {MAX_CELLS:,} cells. Please send the sheet you need as CSV.")

    def hide_columns(self, first: int, last: int) -> None:
        """Columns to the far end of the sheet are hidden to tidy up; only those up to column ZZ are listed."""
        self.hidden_columns += [column for column in range(max(1, first), min(last, 702) + 1)]

    def hide_row(self, row: int) -> None:
        if len(self.hidden_rows) < LAST_ROW:
            self.hidden_rows.append(row)

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        if (bottom > top or right > left) and len(self.merges) < _MAX_LISTED:
            self.merges.append((top, left, bottom, right))

    def sheet(self) -> Sheet:
        """The grid from the first to the last used row and column."""
        out = Sheet(self.name, self.hidden, [], merges=self.merges, formulas_without_values=self.formulas_without_values, notes=self.notes)
        numbers = sorted(row for row, cells in self.rows.items() if cells)
        self._say_what_is_wrong()
        if not numbers:
            return out
        top, bottom = numbers[0], numbers[-1]
        left = min(min(self.rows[row]) for row in numbers)
        right = max(max(self.rows[row]) for row in numbers)
        out.first_row, out.first_column = top, left
        out.hidden_rows = [row for row in self.hidden_rows if top <= row <= bottom]
        out.hidden_columns = sorted({column for column in self.hidden_columns if left <= column <= right})
        if bottom > LAST_ROW or right > LAST_COLUMN:
            self.notes.append(Note("beyond-the-sheet", f"{self.name} has cells beyond the last row or column of Excel, up to {cell_name(bottom, right)}; they were read.", self.name, bottom))
        width = right - left + 1
        if width > LAST_COLUMN or (bottom - top + 1) * width > max(_DENSE_UP_TO, min(_DENSE_AT_MOST, _FILL * self.cells)):
            self._sparse(out, numbers)
            return out
        columns = range(left, right + 1)
        for row in range(top, bottom + 1):
            cells = self.rows.pop(row, None)
            if not cells:
                out.rows.append([None] * width)
            elif len(cells) == width and self.in_order:
                out.rows.append(list(cells.values()))
            else:
                out.rows.append([cells.get(column) for column in columns])
        return out

    def _sparse(self, out: Sheet, numbers: list[int]) -> None:
        """A few cells at the far end of a sheet would make a grid of billions: only rows and columns that hold something."""
        columns = sorted({column for row in numbers for column in self.rows[row]})
        if len(columns) * len(numbers) > _DENSE_AT_MOST:
            raise Unreadable(f"The sheet {self.name} spans {len(numbers):,} rows and {len(columns):,} columns with few cells in them. Please send the part you need.")
        out.rows = [[self.rows[row].get(column) for column in columns] for row in numbers]
        out.row_numbers, out.column_numbers = numbers, columns
        words = f"{self.name} reaches to row {numbers[-1]:,} and column {column_letters(columns[-1])} with {self.cells:,} cells; empty rows and columns between were left out."
        self.notes.append(Note("far-cells", words, self.name, numbers[-1]))

    def _say_what_is_wrong(self) -> None:
        if self.texts_lost:
            row, column = self.texts_lost[0]
            words = f"{len(self.texts_lost)} cell(s) of {self.name} refer to a text that is not in the workbook, such as {cell_name(row, column)}; they are empty."
            self.notes.append(Note("texts-lost", words, self.name, row))
        if self.twice:
            row, column = self.twice[0]
            words = f"{len(self.twice)} cell(s) of {self.name} are in the file twice, such as {cell_name(row, column)}; the later value counts."
            self.notes.append(Note("cells-twice", words, self.name, row))


def parse_cell(text: str) -> tuple[int, int] | None:
    """`B7` -> (7, 2)."""
    found = _REFERENCE.fullmatch(text)
    return (int(found[2]), column_number(found[1])) if found else None


def parse_range(text: str) -> tuple[int, int, int, int] | None:
    """`B2:D9` -> (2, 2, 9, 4): first row, first column, last row, last column, from 1."""
    found = _REFERENCE.findall(text)
    if not found:
        return None
    (first_column, first_row), (last_column, last_row) = found[0], found[-1]
    return int(first_row), column_number(first_column), int(last_row), column_number(last_column)


def column_number(letters: str) -> int:
    """A -> 1, AA -> 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 -> A, 27 -> AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_name(row: int, column: int) -> str:
    """(7, 2) -> `B7`."""
    return f"{column_letters(column)}{row}"

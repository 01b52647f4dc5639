"""What is not in the loaded table as it stands in the file: lines, cells, and rows that must not be added up."""

from collections.abc import Iterator

import numpy as np

from plotline.intake.checks.findings import counted, on_rows, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.line_notes import listed
from plotline.intake.model import Note
from plotline.intake.words import SPREADSHEET_ERRORS


def rejected_lines(view: TableView) -> Iterator[Note]:
    """The lines themselves are named in the card's `rejected`."""
    found = view.raw.rejected
    if found:
        first = found[0]
        where = listed((rejected.line for rejected in found), view.place)
        yield Note("rejected-lines", f"{counted(len(found), 'line')} could not be loaded: {where}. {view.place.capitalize()} {first.line} {first.reason}.", view.name, first.line)


def unusable_values(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Cells that do not fit the type of their column; each is missing in the table. The word of a totals row is said there."""
    cells = [cell for cell in column.column.unusable if cell[0] not in view.totals]
    if not cells:
        return
    row, value, reason = cells[0]
    many = counted(len(cells), "value")
    words = f"{column.name}: {many} left out as missing ({view.where(row for row, _, _ in cells)}), such as {quoted(value)} ({reason})."
    if len(cells) == 1:
        words = f"{column.name}: {quoted(value)} on {view.at(row)} {reason} and was left out as missing."
    yield from on_rows(view, "unusable-values", words, (row for row, _, _ in cells))


def spreadsheet_errors(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Errors of a spreadsheet program in a text file, such as #REF!; in a workbook its reader names them."""
    if not column.has_texts or column.column.source is None:
        return
    distinct = column.column.source.distinct
    codes = [code for code, text in enumerate(distinct) if text and text[:1] == "#" and text.strip().lower() in SPREADSHEET_ERRORS]
    if not codes:
        return
    rows = np.flatnonzero(np.isin(column.codes, codes)).tolist()
    holds = "holds" if len(rows) == 1 else "hold"
    words = f"{column.name}: {counted(len(rows), 'cell')} {holds} a spreadsheet error such as {distinct[codes[0]].strip()} ({view.where(rows)})."
    yield from on_rows(view, "spreadsheet-errors", words, rows)


def totals(view: TableView) -> Iterator[Note]:
    """Rows that add up the others: computing over them counts everything twice."""
    rows = view.totals
    if not rows:
        return
    where = view.where(rows)
    looks, them = ("looks like a total", "it") if len(rows) == 1 else ("look like totals", "them")
    yield from on_rows(view, "totals-row", f"{counted(len(rows), 'row')} {looks} of the others ({where}); leave {them} out of sums.", rows)

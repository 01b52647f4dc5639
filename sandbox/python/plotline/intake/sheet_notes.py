"""What is to be said about a sheet as a whole: merged, hidden, failed and unfinished cells, each with its place."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from plotline.intake.grid import cell_name, column_letters
from plotline.intake.model import CellError, Note, Sheet

_SHOWN = 5


def words_of(rows: Iterable[Iterable[Any]], limit: int = 120) -> str:
    """The texts of some cells in one line."""
    words = " · ".join(str(value).strip() for row in rows for value in row if value is not None and str(value).strip())
    return words if len(words) <= limit else f"{words[:limit]}…"


def sheet_notes(sheet: Sheet) -> list[Note]:
    """The notes of one sheet, those of its reader first."""
    return [*sheet.notes, *_merged(sheet), *_errors(sheet), *_formulas(sheet), *_hidden(sheet)]


def _merged(sheet: Sheet) -> list[Note]:
    if not sheet.merges:
        return []
    places = [f"{cell_name(top, left)}:{cell_name(bottom, right)}" for top, left, bottom, right in sheet.merges]
    words = f"The sheet {sheet.name} has {len(places)} merged range(s): {_some(places)}; only the first cell of each holds a value."
    return [Note("merged-cells", words, sheet.name, sheet.merges[0][0])]


def _errors(sheet: Sheet) -> list[Note]:
    found = [
        (sheet.row_number(index), sheet.column_number(column), value)
        for index, row in enumerate(sheet.rows)
        for column, value in enumerate(row)
        if value.__class__ is CellError
    ]
    if not found:
        return []
    kinds = Counter(str(value) for _, _, value in found)
    listed = ", ".join(f"{kind} in {_some([cell_name(row, column) for row, column, value in found if str(value) == kind], 3)}" for kind, _ in kinds.most_common(4))
    return [Note("spreadsheet-errors", f"{len(found)} cell(s) of {sheet.name} hold an error: {listed}.", sheet.name, found[0][0])]


def _formulas(sheet: Sheet) -> list[Note]:
    found = sheet.formulas_without_values
    if not found:
        return []
    places = _some([cell_name(row, column) for row, column in found[: _SHOWN + 1]], more=len(found) > _SHOWN)
    words = f"{len(found)} formula(s) of {sheet.name} have no stored value and are missing: {places}. Open the file in Excel and save it once."
    return [Note("formulas-without-values", words, sheet.name, found[0][0])]


def _hidden(sheet: Sheet) -> list[Note]:
    parts = []
    if sheet.hidden_rows:
        parts.append(f"row(s) {_spans(sheet.hidden_rows, str)}")
    if sheet.hidden_columns:
        parts.append(f"column(s) {_spans(sheet.hidden_columns, column_letters)}")
    if not parts:
        return []
    return [Note("hidden-rows-or-columns", f"Hidden in {sheet.name}: {' and '.join(parts)}; they are part of the table.", sheet.name, min(sheet.hidden_rows, default=None))]


def _spans(numbers: list[int], shown: Any) -> str:
    """4, 7–9: numbers in order, runs joined."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return _some([shown(first) if first == last else f"{shown(first)}–{shown(last)}" for first, last in runs], 8)


def _some(items: list[str], limit: int = _SHOWN, more: bool = False) -> str:
    return ", ".join(items[:limit]) + (" …" if more or len(items) > limit else "")

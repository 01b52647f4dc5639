"""A sheet's grid -> its tables: the workbook's own tables, else blocks of cells that blank rows or columns separate."""

from typing import Any

from plotline.intake.header import count_header_rows, header_names
from plotline.intake.model import CellError, Note, RawTable, Reading, Sheet


def add_sheets(reading: Reading, sheets: list[Sheet]) -> None:
    """Puts the sheets and the tables found in them into `reading`, with what is to be said about each sheet."""
    reading.sheets = sheets
    hidden = [sheet.name for sheet in sheets if sheet.hidden]
    if hidden:
        reading.notes.append(Note("hidden-sheets", f"Hidden sheet(s): {', '.join(hidden[:10])}."))
    for sheet in sheets:
        found = tables_of(sheet)
        reading.tables += found
        reading.notes += _sheet_notes(sheet)
        if not found:
            reading.tables.append(RawTable(sheet.name, [], 0, [], [], sheet.hidden))
            reading.notes.append(Note("empty-sheet", f"The sheet {sheet.name} is empty.", sheet.name))


def tables_of(sheet: Sheet) -> list[RawTable]:
    """The tables of one sheet. A single one has the sheet's name, several are numbered."""
    if not any(any(_filled(value) for value in row) for row in sheet.rows):
        return []
    named = [_named(sheet, *table) for table in sheet.named_tables]
    named = [table for table in named if table]
    if named:
        if len(named) == 1:
            named[0].name = sheet.name
        return named
    blocks = _blocks(sheet)
    tables = [_block_table(sheet, block) for block in blocks]
    for number, table in enumerate(tables, 1):
        table.name = sheet.name if len(tables) == 1 else f"{sheet.name} {number}"
        for index, note in enumerate(table.notes):
            table.notes[index] = Note(note.code, note.message, table.name, note.line)
    return tables


def _filled(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _named(sheet: Sheet, name: str, area: tuple[int, int, int, int], header_rows: int) -> RawTable | None:
    top, left, bottom, right = (area[0] - sheet.first_row, area[1] - sheet.first_column, area[2] - sheet.first_row, area[3] - sheet.first_column)
    if top < 0 or left < 0 or top >= len(sheet.rows):
        return None
    rows = [[row[column] if column < len(row) else None for column in range(left, right + 1)] for row in sheet.rows[top : bottom + 1]]
    outside = sum(
        _filled(value)
        for index, row in enumerate(sheet.rows)
        for column, value in enumerate(row)
        if not (top <= index <= bottom and left <= column <= right)
    )
    inside = sum(_filled(value) for row in rows for value in row)
    if outside > inside:
        return None
    table = _table(sheet, rows, top, left, min(header_rows, len(rows)))
    table.name = name
    if outside:
        table.notes.append(Note("cells-outside", f"{outside} cell(s) of the sheet {sheet.name} lie outside its table {name}.", name))
    return table


def _blocks(sheet: Sheet) -> list[tuple[int, int, int, int]]:
    """Rectangles (top, left, bottom, right; from 0, inclusive) that blank rows, then blank columns separate. Only when
    at least two of them are tables of their own; else the whole used area is one."""
    used = [index for index, row in enumerate(sheet.rows) if any(map(_filled, row))]
    columns = [index for row in sheet.rows for index, value in enumerate(row) if _filled(value)]
    whole = (used[0], min(columns), used[-1], max(columns))
    found: list[tuple[int, int, int, int]] = []
    for top, bottom in _runs(used):
        filled = sorted({index for row in sheet.rows[top : bottom + 1] for index, value in enumerate(row) if _filled(value)})
        for left, right in _runs(filled):
            found.append((top, left, bottom, right))
    tables = [area for area in found if area[2] - area[0] >= 2 and area[3] > area[1] and _has_header(sheet, area)]
    if len(tables) < 2:
        return [whole]
    # A title above a table belongs to it; other cells must not be lost, so they are tables too.
    rest = [area for area in found if area not in tables and not _is_title(area, tables)]
    if len(rest) > len(tables):
        return [whole]
    return sorted(tables + rest)


def _runs(indexes: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _has_header(sheet: Sheet, area: tuple[int, int, int, int]) -> bool:
    rows = _cut(sheet, area)
    start = next((index for index, row in enumerate(rows) if sum(map(_filled, row)) >= 2), 0)
    return count_header_rows(rows[start:]) > 0


def _is_title(area: tuple[int, int, int, int], tables: list[tuple[int, int, int, int]]) -> bool:
    return any(area[2] < table[0] and area[2] - area[0] <= 2 and area[3] - area[1] <= 1 for table in tables)


def _cut(sheet: Sheet, area: tuple[int, int, int, int]) -> list[list[Any]]:
    top, left, bottom, right = area
    return [[row[column] if column < len(row) else None for column in range(left, right + 1)] for row in sheet.rows[top : bottom + 1]]


def _block_table(sheet: Sheet, area: tuple[int, int, int, int]) -> RawTable:
    rows = _cut(sheet, area)
    start = _title_rows(rows)
    table = _table(sheet, rows[start:], area[0] + start, area[1], None)
    if start:
        first, last = area[0] + sheet.first_row, area[0] + start - 1 + sheet.first_row
        where = f"row {first}" if first == last else f"rows {first} to {last}"
        words = " ".join(str(value) for row in rows[:start] for value in row if _filled(value))[:80]
        table.notes.append(Note("preamble", f"The table begins on row {last + 1}; {where} above it hold a title: {words}", sheet.name, first))
    return table


def _title_rows(rows: list[list[Any]]) -> int:
    """Rows at the top with far fewer cells than the table has: titles, dates of export, blank rows."""
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0
    counts = [sum(map(_filled, row)) for row in rows[:60]]
    body = sorted(count for count in counts if count)
    typical = body[len(body) // 2] if body else 0
    if typical < 2:
        typical = max(counts, default=0)
    start = 0
    while start < len(counts) - 1 and counts[start] < max(2, typical * 0.5):
        start += 1
    if start >= len(counts) - 1 or start > 30:
        return 0
    return start


def _table(sheet: Sheet, rows: list[list[Any]], top: int, left: int, header_rows: int | None) -> RawTable:
    width = max((len(row) for row in rows), default=0)
    count = count_header_rows(rows[:210]) if header_rows is None else header_rows
    head = [_unmerged(sheet, row, top + index, left) for index, row in enumerate(rows[:count])]
    names, units = header_names(head, width)
    body = rows[count:]
    kept = [index for index, row in enumerate(body) if any(map(_filled, row))]
    first_line = sheet.first_row + top + count
    columns = [[_value(body[index][column]) for index in kept] for column in range(width)]
    used = [column for column in range(width) if (column < len(names) and any(row[column] is not None for row in head)) or any(map(_filled, columns[column]))]
    last_row = sheet.first_row + top + len(rows) - 1
    area = f"{column_letters(sheet.first_column + left)}{sheet.first_row + top}:{column_letters(sheet.first_column + left + width - 1)}{last_row}"
    return RawTable(
        sheet.name,
        [names[column] for column in used],
        count,
        [columns[column] for column in used],
        [first_line + index for index in kept],
        sheet.hidden,
        area,
        units=[units[column] for column in used],
    )


def _value(value: Any) -> Any:
    return value if _filled(value) else None


def _unmerged(sheet: Sheet, row: list[Any], index: int, left: int) -> list[Any]:
    """A header row with each merged cell's value in all the columns it spans."""
    out = list(row)
    line = sheet.first_row + index
    for top, first, bottom, last in sheet.merges:
        if top <= line <= bottom:
            start = first - sheet.first_column - left
            if 0 <= start < len(out) and top == line:
                for column in range(start, min(len(out), last - sheet.first_column - left + 1)):
                    out[column] = row[start]
    return out


def column_letters(number: int) -> str:
    """1 -> A, 27 -> AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _sheet_notes(sheet: Sheet) -> list[Note]:
    notes = []
    if sheet.merges:
        notes.append(Note("merged-cells", f"The sheet {sheet.name} has {len(sheet.merges)} merged range(s); only the first cell of each holds a value.", sheet.name, sheet.merges[0][0]))
    errors = [(index, value) for index, row in enumerate(sheet.rows) for value in row if isinstance(value, CellError)]
    if errors:
        line = sheet.first_row + errors[0][0]
        notes.append(Note("spreadsheet-errors", f"{len(errors)} cell(s) of {sheet.name} hold an error such as {errors[0][1]} (row {line}).", sheet.name, line))
    if sheet.formulas_without_values:
        words = f"{sheet.formulas_without_values} formula(s) of {sheet.name} have no stored value and are missing; open the file in Excel and save it once."
        notes.append(Note("formulas-without-values", words, sheet.name))
    if sheet.hidden_rows or sheet.hidden_columns:
        notes.append(Note("hidden-rows-or-columns", f"{sheet.name} has {sheet.hidden_rows} hidden row(s) and {sheet.hidden_columns} hidden column(s); they are part of the table.", sheet.name))
    return notes

"""A sheet's grid -> its tables: the workbook's own tables, else blocks of cells that blank rows and columns separate.

No cell is lost in silence: each is in a table, or in a note that names its row.
"""

from typing import Any

from plotline.intake.grid import column_letters
from plotline.intake.header import count_header_rows, header_names, kind_of, several_rows
from plotline.intake.model import Note, RawTable, Reading, Sheet, check_size
from plotline.intake.sheet_layout import Area, count_filled, cut, find_areas, note_rows, title_rows, without_blanks
from plotline.intake.sheet_notes import sheet_notes, words_of

_HEAD_ROWS = 64
_MAX_GROUP_ROWS = 3
_Spans = dict[int, list[tuple[int, int]]]


def add_sheets(reading: Reading, sheets: list[Sheet]) -> None:
    """Puts the sheets and the tables found in them into `reading`, with what is to be said about each sheet."""
    reading.sheets = sheets
    hidden = [sheet.name for sheet in sheets if sheet.hidden]
    if hidden:
        reading.notes.append(Note("hidden-sheets", f"Hidden sheet(s): {', '.join(hidden[:10])}."))
    for sheet in sheets:
        found = tables_of(sheet)
        reading.tables += found
        reading.notes += sheet_notes(sheet)
        if not found:
            reading.tables.append(RawTable(sheet.name, [], 0, [], [], sheet.hidden))
            reading.notes.append(Note("empty-sheet", f"The sheet {sheet.name} is empty.", sheet.name))


def tables_of(sheet: Sheet) -> list[RawTable]:
    """The tables of one sheet. A single one has the sheet's name, several have their own or are numbered."""
    rows = without_blanks(sheet.rows)
    spans = _spans(sheet)
    named: list[tuple[Area, RawTable]] = []
    for name, area, header_rows in sheet.named_tables:
        table = _named(sheet, rows, spans, name, area, header_rows)
        if table:
            named.append(table)
    if named:
        rows = [list(row) for row in rows]
        for (top, left, bottom, right), _ in named:
            for row in rows[top : bottom + 1]:
                row[left : right + 1] = [None] * len(row[left : right + 1])
    areas, beside = find_areas(sheet, rows)
    if named and len(areas) == 1 and not _is_table(rows, areas[0]):
        areas, beside = [], areas
    blocks = [(area, _block_table(sheet, rows, spans, area)) for area in areas]
    found = sorted(named + blocks, key=lambda item: item[0])
    if len(found) == 1:
        _rename(found[0][1], sheet.name)
    else:
        own = {id(table) for _, table in named}
        for number, (_, table) in enumerate(found, 1):
            if id(table) not in own:
                _rename(table, f"{sheet.name} {number}")
    for area in beside:
        _say_beside(sheet, rows, area, found)
    return [table for _, table in found]


def _is_table(rows: list[list[Any]], area: Area) -> bool:
    return area[2] - area[0] >= 2 and area[3] > area[1] and sum(map(count_filled, cut(rows, area))) >= 6


def _rename(table: RawTable, name: str) -> None:
    table.notes = [Note(note.code, note.message, name, note.line) for note in table.notes]
    table.name = name


def _named(sheet: Sheet, rows: list[list[Any]], spans: _Spans, name: str, place: Area, header_rows: int) -> tuple[Area, RawTable] | None:
    """One of the workbook's own tables; None where its range holds no cells."""
    if sheet.row_numbers or sheet.column_numbers:
        return None
    height, width = len(rows), max(map(len, rows), default=0)
    top, left = max(0, place[0] - sheet.first_row), max(0, place[1] - sheet.first_column)
    bottom, right = min(height - 1, place[2] - sheet.first_row), min(width - 1, place[3] - sheet.first_column)
    if top > bottom or left > right:
        return None
    area = (top, left, bottom, right)
    table = _table(sheet, cut(rows, area), spans, area, min(header_rows, bottom - top + 1))
    _rename(table, name)
    return area, table


def _say_beside(sheet: Sheet, rows: list[list[Any]], area: Area, found: list[tuple[Area, RawTable]]) -> None:
    """Names cells that are in no table: with the table right below them, else with the sheet."""
    first, last = sheet.row_number(area[0]), sheet.row_number(area[2])
    where = f"row {first}" if first == last else f"rows {first} to {last}"
    words = words_of(cut(rows, area))
    below = [table for place, table in found if place[0] > area[2] and place[1] <= area[3] and area[1] <= place[3]]
    if below and area[2] - area[0] <= 2:
        table = below[0]
        table.notes.append(Note("preamble", f"Above the table, {where}: {words}", table.name, first))
    else:
        name = found[0][1].name if len(found) == 1 else sheet.name
        found[0][1].notes.append(Note("cells-outside", f"In no table of {sheet.name}, {where}: {words}", name, first))


def _block_table(sheet: Sheet, rows: list[list[Any]], spans: _Spans, area: Area) -> RawTable:
    cells = cut(rows, area)
    top, left, _, right = area
    heads = [_unmerged(sheet, spans, row, top + index, left) for index, row in enumerate(cells[:_HEAD_ROWS])]
    start = title_rows(cells, heads)
    header = _header_rows(cells, heads, start)
    below = note_rows(cells[start:], header)
    end = len(cells) - below
    while below and not count_filled(cells[end - 1]):
        end -= 1
    table = _table(sheet, cells[start:end], spans, (top + start, left, top + end - 1, right), header)
    if start:
        first, last = sheet.row_number(top), sheet.row_number(top + start - 1)
        where = f"row {first}" if first == last else f"rows {first} to {last}"
        table.notes.append(Note("preamble", f"The table begins on row {sheet.row_number(top + start)}; {where} above it hold a title: {words_of(cells[:start])}", sheet.name, first))
    if below:
        lines = [index for index in range(len(cells) - below, len(cells)) if count_filled(cells[index])]
        first, last = sheet.row_number(top + lines[0]), sheet.row_number(top + lines[-1])
        where = f"Row {first} below the table holds a note" if first == last else f"Rows {first} to {last} below the table hold notes"
        table.notes.append(Note("footer", f"{where} and are not part of it: {words_of(cells[-below:])}" if first != last else f"{where} and is not part of it: {words_of(cells[-below:])}", sheet.name, first))
    return table


def _header_rows(cells: list[list[Any]], heads: list[list[Any]], start: int) -> int:
    """How many rows from `start` on are header. Rows merged over columns above a row of texts are groups of its names."""
    end = start
    while end < min(start + _MAX_GROUP_ROWS, len(heads)) and heads[end] is not cells[end]:
        end += 1
    if start < end < len(cells) - 1:
        names = [value for value in cells[end] if value is not None]
        below = [value for value in cells[end + 1] if value is not None]
        if len(names) >= 2 and all(kind_of(value) == "text" for value in names) and any(kind_of(value) != "text" for value in below):
            return end - start + 1
    return count_header_rows([heads[index] if index < start + 3 and index < len(heads) else cells[index] for index in range(start, min(len(cells), start + 210))])


def _table(sheet: Sheet, rows: list[list[Any]], spans: _Spans, area: Area, count: int) -> RawTable:
    """The table of the cells `rows`, which stand at `area`; the first `count` of them are its header."""
    top, left, bottom, right = area
    width = right - left + 1
    check_size(len(rows), width)
    head = [_unmerged(sheet, spans, row, top + index, left) for index, row in enumerate(rows[:count])]
    names, units = header_names(head, width)
    body = rows[count:]
    kept = [index for index, row in enumerate(body) if count_filled(row)]
    columns = [list(column) for column in zip(*(body[index] for index in kept))] if kept else [[] for _ in range(width)]
    used = [column for column in range(width) if any(row[column] is not None for row in head) or any(value is not None for value in columns[column])]
    place = f"{column_letters(sheet.column_number(left))}{sheet.row_number(top)}:{column_letters(sheet.column_number(right))}{sheet.row_number(bottom)}"
    table = RawTable(
        sheet.name,
        [names[column] for column in used],
        count,
        [columns[column] for column in used],
        [sheet.row_number(top + count + index) for index in kept],
        sheet.hidden,
        place,
        units=[units[column] for column in used],
        header_cells=several_rows(head, used),
    )
    if count > 1:
        joined = next((names[column] for column in used if " / " in names[column]), None)
        first = sheet.row_number(top)
        if joined:
            words = f"The header has {count} rows ({first} to {first + count - 1}); their names are joined, such as “{joined}”."
            table.notes.append(Note("header-rows", words, sheet.name, first))
    return table


def _spans(sheet: Sheet) -> _Spans:
    """Row, from 1 -> first and last column, from 1, of the merged ranges that begin on it and span several columns."""
    out: _Spans = {}
    for top, left, _, right in sheet.merges:
        if right > left:
            out.setdefault(top, []).append((left, right))
    return out


def _unmerged(sheet: Sheet, spans: _Spans, row: list[Any], index: int, left: int) -> list[Any]:
    """A row with each merged cell's value in all the columns it spans."""
    found = spans.get(sheet.row_number(index))
    if not found or sheet.column_numbers:
        return row
    out = list(row)
    for first, last in found:
        start = first - sheet.first_column - left
        if 0 <= start < len(out):
            for column in range(start + 1, min(len(out), last - sheet.first_column - left + 1)):
                out[column] = row[start] if out[column] is None else out[column]
    return out

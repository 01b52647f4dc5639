"""XLS (BIFF 2 to 8), and the OLE containers that turn out to be something else."""

import io
import struct
from pathlib import Path
from typing import Any

from plotline.intake.biff import ERRORS, Encrypted, read_biff
from plotline.intake.biff_records import whole
from plotline.intake.grid import MAX_CELLS, Grid
from plotline.intake.model import CellError, Note, Reading, Sheet, Unreadable
from plotline.intake.ole import SIGNATURE, Compound
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.unlocking import unlocked
from plotline.intake.xlsx import PROTECTED
from plotline.intake.xlsx_parts import DateStyles

_DAMAGED = "The workbook is damaged: its container cannot be read. Please save it again as .xlsx and send it once more."


def read_xls(path: Path) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    data = path.read_bytes()
    if not data.startswith(SIGNATURE):
        return _reading(data, path.stem)
    try:
        container = Compound(data)
        if "encryptedpackage" in container.names:
            return _package(data, path)
        return _reading(_workbook_stream(container), path.stem)
    except (ValueError, struct.error):
        raise Unreadable(_DAMAGED) from None
    except Encrypted:
        return _reading(_workbook_stream(Compound(_unlocked(data))), path.stem)


def _unlocked(data: bytes) -> bytes:
    opened = unlocked(data)
    if opened is None:
        raise Unreadable(PROTECTED)
    return opened


def _package(data: bytes, path: Path) -> Reading:
    """An encrypted XLSX. Excel encrypts workbooks that only forbid changes with a password that everyone knows."""
    from plotline.intake.archive import read_zip

    return read_zip(io.BytesIO(_unlocked(data)), 0, path)


def _workbook_stream(container: Compound) -> bytes:
    """The workbook inside an OLE container. Taken out here because xlrd does not end on containers that run in circles."""
    for name in ("workbook", "book"):
        if name in container.names:
            return container.read(name)
    if container.names & {"worddocument", "powerpoint document"}:
        raise Unreadable("A text document or presentation, not a table. Please send its tables as .xlsx or .csv.")
    raise Unreadable("An Office container without a workbook. Please send its tables as .xlsx or .csv.")


def _reading(data: bytes, name: str) -> Reading:
    """Through xlrd, which has seen most files; what stops it, and what is older than Excel 5, goes through our own reader."""
    found = _with_xlrd(data) if data[:2] == b"\x09\x08" else None
    notes: list[Note] = []
    if found is None:
        sheets, date1904, notes = read_biff(data, name[:31])
    else:
        sheets, date1904 = found
    reading = Reading("xls", notes=notes)
    if date1904:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, sheets)
    return reading


def _with_xlrd(data: bytes) -> tuple[list[Sheet], bool] | None:
    """The worksheets, and whether days count from 1904; None where xlrd cannot read the workbook. Raises `Encrypted`."""
    import xlrd

    # Notes beside cells hold nothing that a table needs, and odd ones stop xlrd from reading the sheet.
    xlrd.sheet.Sheet.handle_note = lambda *_: None
    for formatting in (True, False):
        try:
            book = xlrd.open_workbook(file_contents=data, formatting_info=formatting, logfile=io.StringIO(), ignore_workbook_corruption=True)
            dates = DateStyles(bool(book.datemode), _formats(book))
            total, sheets = 0, []
            for index in range(book.nsheets):
                grid = _grid(book.sheet_by_index(index), dates, MAX_CELLS - total)
                total += grid.cells
                sheets.append(grid.sheet())
            return sheets, bool(book.datemode)
        except Unreadable:
            raise
        except Exception as fault:  # noqa: BLE001 - damaged workbooks raise whatever struct, index or codec error comes first
            if "encrypted" in str(fault).lower() or "password" in str(fault).lower():
                raise Encrypted from None
    return None


def _formats(book: Any) -> list[tuple[int, str | None]]:
    out = []
    for style in book.xf_list:
        found = book.format_map.get(style.format_key)
        out.append((style.format_key if style.format_key < 164 else 0, found.format_str if found else None))
    return out


def _grid(sheet: Any, dates: DateStyles, max_cells: int) -> Grid:
    grid = Grid(sheet.name, sheet.visibility != 0, max_cells)
    for row in range(sheet.nrows):
        kinds, values = sheet.row_types(row), sheet.row_values(row)
        styles = sheet._cell_xf_indexes[row] if sheet.formatting_info else [-1] * len(kinds)  # noqa: SLF001 - cell_xf_index checks bounds per call
        cells = {}
        for column, (kind, value, style) in enumerate(zip(kinds, values, styles), 1):
            found = _value(kind, value, style, dates)
            if found is not None:
                cells[column] = found
        if cells:
            grid.rows[row + 1] = cells
            grid.count(len(cells))
    for top, bottom, left, right in sheet.merged_cells:
        grid.merge(top + 1, left + 1, bottom, right)
    for row, info in sheet.rowinfo_map.items():
        if info.hidden:
            grid.hide_row(row + 1)
    for column, info in sheet.colinfo_map.items():
        if info.hidden:
            grid.hide_columns(column + 1, column + 1)
    return grid


def _value(kind: int, value: Any, style: int, dates: DateStyles) -> Any:
    """xlrd's cell types: 0 and 6 empty, 1 text, 2 number, 3 date, 4 boolean, 5 error."""
    match kind:
        case 1:
            return value or None
        case 2 | 3:
            return dates.value(whole(value), style)
        case 4:
            return bool(value)
        case 5:
            return CellError(ERRORS.get(value, "#ERROR!"))
        case _:
            return None

"""XLS (BIFF 2 to 8) through xlrd, and the OLE containers that turn out to be something else."""

import datetime
import io
import struct
from pathlib import Path
from typing import Any

from plotline.intake.model import CellError, Note, Reading, Sheet, Unreadable
from plotline.intake.ole import SIGNATURE, Compound
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx import serial_date
from plotline.intake.xlsx_parts import format_kind

_PROTECTED = "The workbook is password-protected; remove the password in Excel (File > Info > Protect) and send it again."


def read_xls(path: Path) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    import xlrd

    # Notes beside cells hold nothing that a table needs, and odd ones stop xlrd from reading the sheet.
    xlrd.sheet.Sheet.handle_note = lambda *_: None
    data = path.read_bytes()
    if data.startswith(SIGNATURE):
        data = _workbook_stream(data)
    log = io.StringIO()
    book = None
    reason = ""
    for formatting in (True, False):
        try:
            book = xlrd.open_workbook(file_contents=data, formatting_info=formatting, logfile=log, ignore_workbook_corruption=True)
            break
        except xlrd.XLRDError as fault:
            reason = str(fault)
            if "encrypted" in reason.lower() or "password" in reason.lower():
                raise Unreadable(_PROTECTED) from None
        except Exception as fault:  # noqa: BLE001 - damaged workbooks raise whatever struct, index or codec error comes first
            reason = f"{type(fault).__name__}: {fault}"
    if book is None:
        raise Unreadable(f"The workbook cannot be opened: it is damaged or not an Excel file ({reason[:120]}). Please save it again as .xlsx and send it once more.")
    sheets = [_sheet(book, book.sheet_by_index(index)) for index in range(book.nsheets)]
    reading = Reading("xls")
    if book.datemode:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, sheets)
    return reading


def _workbook_stream(data: bytes) -> bytes:
    """The workbook inside an OLE container. Taken out here because xlrd does not end on containers that run in circles."""
    try:
        container = Compound(data)
    except (ValueError, struct.error):
        raise Unreadable("The workbook is damaged: its container cannot be read. Please save it again as .xlsx and send it once more.") from None
    if "encryptedpackage" in container.names:
        raise Unreadable(_PROTECTED)
    for name in ("workbook", "book"):
        if name in container.names:
            return container.read(name)
    if container.names & {"worddocument", "powerpoint document"}:
        raise Unreadable("A text document or presentation, not a table. Please send its tables as .xlsx or .csv.")
    raise Unreadable("An Office container without a workbook. Please send its tables as .xlsx or .csv.")


def _sheet(book: Any, sheet: Any) -> Sheet:
    epoch = datetime.datetime(1904, 1, 1) if book.datemode else datetime.datetime(1899, 12, 30)
    kinds = _style_kinds(book)
    rows: list[list[Any]] = []
    for index in range(sheet.nrows):
        types, values = sheet.row_types(index), sheet.row_values(index)
        styles = sheet._cell_xf_indexes[index] if sheet.formatting_info else [None] * len(types)  # noqa: SLF001 - cell_xf_index checks bounds per call
        rows.append([_value(kind, value, kinds.get(style, "number"), epoch, bool(book.datemode)) for kind, value, style in zip(types, values, styles)])
    width = max(map(len, rows), default=0)
    rows = [row + [None] * (width - len(row)) for row in rows]
    merges = [(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells]
    hidden_rows = sum(1 for info in sheet.rowinfo_map.values() if info.hidden)
    hidden_columns = sum(1 for info in sheet.colinfo_map.values() if info.hidden)
    return Sheet(sheet.name, sheet.visibility != 0, rows, 1, 1, merges, [], 0, hidden_rows, hidden_columns)


def _style_kinds(book: Any) -> dict[int, str]:
    kinds = {}
    for index, style in enumerate(book.xf_list):
        found = book.format_map.get(style.format_key)
        kind = format_kind(style.format_key if style.format_key < 164 else 0, found.format_str if found else None)
        if kind != "number":
            kinds[index] = kind
    return kinds


def _value(kind: int, value: Any, style: str, epoch: datetime.datetime, date1904: bool) -> Any:
    """xlrd's cell types: 0 and 6 empty, 1 text, 2 number, 3 date, 4 boolean, 5 error."""
    import xlrd

    match kind:
        case 1:
            return value or None
        case 2 | 3:
            if style == "number" and kind == 2:
                return int(value) if float(value).is_integer() and abs(value) < 2**53 else value
            return serial_date(value, "time" if style == "time" else "date", epoch, date1904)
        case 4:
            return bool(value)
        case 5:
            return CellError(xlrd.error_text_from_code.get(value, "#ERROR!"))
        case _:
            return None

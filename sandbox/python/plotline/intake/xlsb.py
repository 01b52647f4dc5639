"""XLSB, Excel's binary workbook: the parts of XLSX as records (BIFF 12) instead of XML."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from plotline.intake.biff import ERRORS
from plotline.intake.biff_records import rk_number, whole
from plotline.intake.grid import MAX_CELLS, Grid
from plotline.intake.model import CellError, Note, Reading, Unreadable
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx import PROTECTED, part_reader, relations
from plotline.intake.xlsx_parts import DateStyles

_ROW, _CELL_FIRST, _CELL_LAST, _STRING_ITEM, _FORMAT, _XF, _XFS_BEGIN, _XFS_END = 0, 1, 11, 19, 44, 47, 617, 618
_SHEET, _WORKBOOK_PROPERTIES, _COLUMN, _MERGE = 156, 153, 60, 176
_DAMAGE = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError, NotImplementedError, RuntimeError, LookupError, struct.error)


def read_xlsb(archive: zipfile.ZipFile) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    try:
        return _read(archive)
    except _DAMAGE as fault:
        if "encrypted" in str(fault) or "password" in str(fault):
            raise Unreadable(PROTECTED) from None
        raise Unreadable("The workbook is damaged. Please open it in Excel, save it again as .xlsx and send it once more.") from None


def _read(archive: zipfile.ZipFile) -> Reading:
    part, _ = part_reader(archive)
    main = next((target for kind, target in relations(part, "").values() if kind.endswith("/officeDocument")), "xl/workbook.bin")
    content = part(main)
    if content is None:
        raise Unreadable("The workbook is incomplete: its list of sheets is missing. Please save it again and send it once more.")
    links = relations(part, main)
    by_type = {kind.rsplit("/", 1)[-1]: target for kind, target in links.values()}
    date1904, listed = False, []
    for kind, body in records(content):
        if kind == _WORKBOOK_PROPERTIES:
            date1904 = bool(body[0] & 1)
        elif kind == _SHEET:
            state, = struct.unpack_from("<I", body)
            link, at = _text(body, 8)
            listed.append((_text(body, at)[0], link, state != 0))
    strings = [_text(body, 1)[0] for kind, body in records(part(by_type.get("sharedStrings", "")) or b"") if kind == _STRING_ITEM]
    styles = DateStyles(date1904, _formats(part(by_type.get("styles", "")) or b""))
    reading, sheets, skipped, total = Reading("xlsb"), [], [], 0
    for name, link, hidden in listed:
        sort, target = links.get(link, ("", ""))
        if not sort.endswith("/worksheet"):
            skipped.append(name)
            continue
        grid = Grid(name, hidden, MAX_CELLS - total)
        data = part(target)
        if data is None:
            grid.notes.append(Note("missing-sheet", f"The sheet {name} is listed in the workbook but its content is missing.", name))
        else:
            _sheet(data, grid, strings, styles)
        total += grid.cells
        sheets.append(grid.sheet())
    if skipped:
        reading.notes.append(Note("sheets-without-cells", f"Sheet(s) that hold no table: {', '.join(skipped[:10])}."))
    if date1904:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, sheets)
    return reading


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, body) of every record. The kind has one or two bytes, the size up to four, seven bits each."""
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind & 0x80 and at < end:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size = shift = 0
        while at < end and shift < 28:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield kind, data[at : at + size]
        at += size


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A text and the place after it; its length in characters stands before it."""
    length, = struct.unpack_from("<I", body, at)
    if length == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + length * 2
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _formats(data: bytes) -> list[tuple[int, str | None]]:
    codes: dict[int, str] = {}
    styles: list[int] = []
    inside = False
    for kind, body in records(data):
        if kind == _FORMAT:
            codes[struct.unpack_from("<H", body)[0]] = _text(body, 2)[0]
        elif kind in (_XFS_BEGIN, _XFS_END):
            inside = kind == _XFS_BEGIN
        elif kind == _XF and inside:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    return [(number, codes.get(number)) for number in styles]


def _sheet(data: bytes, grid: Grid, strings: list[str], styles: DateStyles) -> None:
    row = damaged = 0
    for kind, body in records(data):
        try:
            if kind == _ROW:
                row = struct.unpack_from("<I", body)[0] + 1
                if len(body) > 12 and body[11] & 0x10:
                    grid.hide_row(row)
            elif _CELL_FIRST <= kind <= _CELL_LAST:
                column, style = struct.unpack_from("<II", body)
                value = _value(kind, body, strings, styles, style & 0xFFFFFF)
                if value is not None:
                    grid.put(row, column + 1, value if value != "" else None)
                elif kind == 7:
                    grid.texts_lost.append((row, column + 1))
            elif kind == _COLUMN:
                first, last = struct.unpack_from("<II", body)
                if body[16] & 1:
                    grid.hide_columns(first + 1, last + 1)
            elif kind == _MERGE:
                top, bottom, left, right = struct.unpack_from("<IIII", body)
                grid.merge(top + 1, left + 1, bottom + 1, right + 1)
        except (struct.error, IndexError):
            damaged += 1
    if damaged:
        grid.notes.append(Note("damaged-sheet", f"{damaged} damaged record(s) in the sheet {grid.name}, the last one after row {row}; their cells could not be read.", grid.name, row or None))


def _value(kind: int, body: bytes, strings: list[str], styles: DateStyles, style: int) -> Any:
    """1 blank, 2 packed number, 3 and 11 error, 4 and 10 boolean, 5 and 9 number, 6 and 8 text, 7 shared text."""
    match kind:
        case 2:
            return styles.value(rk_number(struct.unpack_from("<I", body, 8)[0]), style)
        case 3 | 11:
            return CellError(ERRORS.get(body[8], "#ERROR!"))
        case 4 | 10:
            return bool(body[8])
        case 5 | 9:
            return styles.value(whole(struct.unpack_from("<d", body, 8)[0]), style)
        case 6 | 8:
            return _text(body, 8)[0] or None
        case 7:
            index, = struct.unpack_from("<I", body, 8)
            return strings[index] if index < len(strings) else None
        case _:
            return None

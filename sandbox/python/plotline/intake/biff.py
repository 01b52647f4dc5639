"""XLS workbooks of Excel 2 to 2003 record by record.

Not through xlrd, which refuses workbooks that Excel opens. A record too short for its kind is passed over and counted; a chart inside a sheet is skipped with its own records.
"""

import struct
from typing import Any

from plotline.intake.biff_records import byte_text, code_page, records, rk_number, shared_texts, unicode_text, whole
from plotline.intake.grid import MAX_CELLS, Grid
from plotline.intake.model import CellError, Note, Sheet, Unreadable
from plotline.intake.xlsx_parts import DateStyles

ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A", 43: "#GETTING_DATA"}
_BOF = {0x009: 2, 0x209: 3, 0x409: 4, 0x809: 5}
_EOF, _FILEPASS, _CODEPAGE, _DATEMODE, _BOUNDSHEET, _SST = 0x0A, 0x2F, 0x42, 0x22, 0x85, 0xFC
_FORMATS, _STYLES = (0x1E, 0x41E), {0x43: 2, 0x243: 3, 0x443: 4, 0xE0: 5}
_WORKSHEET, _GLOBALS, _WORKSPACE = 0x10, 0x05, 0x100
_KINDS = {1: "macro", 2: "chart", 6: "macro"}
_MAX_SHEETS = 2000


class Encrypted(Exception):
    """The workbook's records are encrypted."""


def read_biff(data: bytes, name: str) -> tuple[list[Sheet], bool, list[Note]]:
    """
    The worksheets of a workbook stream, whether it counts days from 1904, and notes. `name` is for the one sheet of a file
    older than Excel 5. Raises `Encrypted`, and `Unreadable` where there is no sheet.
    """
    book = _Book(name)
    book.read(data)
    if not book.grids:
        raise Unreadable("The workbook holds no sheet that could be read. Please save it again as .xlsx and send it once more.")
    notes = list(book.notes)
    skipped = [f"{sheet} ({kind})" for sheet, kind in book.skipped]
    if skipped:
        notes.append(Note("sheets-without-cells", f"Sheet(s) that hold no table: {', '.join(skipped[:10])}."))
    return [grid.sheet() for grid in book.grids], book.date1904, notes


class _Book:
    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 8
        self.encoding = "cp1252"
        self.date1904 = False
        self.listed: list[tuple[int, str, bool, int]] = []
        self.formats: dict[int, str] = {}
        self.styles: list[int] = []
        self.texts: list[str] = []
        self.dates: DateStyles | None = None
        self.grids: list[Grid] = []
        self.skipped: list[tuple[str, str]] = []
        self.notes: list[Note] = []
        self.cells = 0

    def read(self, data: bytes) -> None:
        depth = 0
        starts: list[tuple[int, int]] = []
        places: set[int] = set()
        for kind, offset, pieces in records(data):
            body = pieces[0]
            if kind in _BOF and len(body) >= 4:
                depth += 1
                places.add(offset)
                if depth > 1 and starts and starts[-1][1] == _GLOBALS:
                    depth = 1  # the globals have no end of their own
                if depth == 1:
                    version, stream = struct.unpack_from("<HH", body)
                    self.version = 8 if _BOF[kind] == 5 and version >= 0x600 else _BOF[kind]
                    starts.append((offset, stream))
            elif kind == _EOF:
                depth = max(0, depth - 1)
            elif depth == 1 and (not starts or starts[-1][1] in (_GLOBALS, _WORKSPACE) or self.version < 5):
                self._global(kind, pieces)
        self.dates = DateStyles(self.date1904, [(style if style not in self.formats else 0, self.formats.get(style)) for style in self.styles])
        self._sheets(data, starts, places)

    def _global(self, kind: int, pieces: list[bytes]) -> None:
        body = pieces[0]
        try:
            if kind == _FILEPASS:
                raise Encrypted
            if kind == _CODEPAGE:
                self.encoding = code_page(struct.unpack_from("<H", body)[0])
            elif kind == _DATEMODE:
                self.date1904 = struct.unpack_from("<H", body)[0] == 1
            elif kind == _BOUNDSHEET and len(self.listed) < _MAX_SHEETS:
                offset, state, sort = struct.unpack_from("<IBB", body)
                name = unicode_text(pieces, 6, "B") if self.version == 8 else byte_text(body, 6, "B", self.encoding)
                self.listed.append((offset, name, bool(state & 3), sort))
            elif kind == _SST:
                self.texts = shared_texts(pieces)
            elif kind in _FORMATS:
                self._format(kind, pieces)
            elif kind in _STYLES:
                if kind == 0xE0:
                    self.styles.append(struct.unpack_from("<H", body, 2)[0])
                else:
                    self.styles.append(body[1] if kind != 0x43 else body[2] & 0x3F)
        except (struct.error, EOFError, IndexError):
            pass  # a record that is cut short says nothing

    def _format(self, kind: int, pieces: list[bytes]) -> None:
        body = pieces[0]
        if kind == 0x1E:
            self.formats[len(self.formats)] = byte_text(body, 0, "B", self.encoding)
        elif self.version == 8:
            self.formats[struct.unpack_from("<H", body)[0]] = unicode_text(pieces, 2)
        elif self.version == 5:
            self.formats[struct.unpack_from("<H", body)[0]] = byte_text(body, 2, "B", self.encoding)
        else:
            self.formats[len(self.formats)] = byte_text(body, 2, "B", self.encoding)

    def _sheets(self, data: bytes, starts: list[tuple[int, int]], places: set[int]) -> None:
        own = [(offset, stream) for offset, stream in starts if stream not in (_GLOBALS, _WORKSPACE)]
        listed = self.listed or [(offset, self.name if number == 0 else f"{self.name} {number + 1}", False, 0 if stream == _WORKSHEET else 2) for number, (offset, stream) in enumerate(own)]
        for number, (offset, name, hidden, sort) in enumerate(listed):
            if sort:
                self.skipped.append((name, _KINDS.get(sort, "other")))
                continue
            grid = Grid(name, hidden, MAX_CELLS - self.cells)
            self.grids.append(grid)
            if offset not in places:
                if number >= len(own):
                    grid.notes.append(Note("missing-sheet", f"The sheet {name} is listed in the workbook but its content is missing.", name))
                    continue
                offset = own[number][0]
            assert self.dates
            _SheetRecords(self, grid, self.dates).read(data, offset)
            self.cells += grid.cells


class _SheetRecords:
    def __init__(self, book: _Book, grid: Grid, dates: DateStyles) -> None:
        self.book, self.grid, self.dates = book, grid, dates
        self.waiting: tuple[int, int] | None = None
        self.style_of_next: int | None = None
        self.damaged = 0
        self.last_row = 0

    def read(self, data: bytes, offset: int) -> None:
        depth = 0
        for kind, _, pieces in records(data, offset):
            if kind in _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    break
            elif depth == 1:
                try:
                    self._record(kind, pieces)
                except (struct.error, EOFError, IndexError):
                    self.damaged += 1
        self._say_missing()
        if self.damaged:
            words = f"{self.damaged} damaged record(s) in the sheet {self.grid.name}, the last one after row {self.last_row}; their cells could not be read."
            self.grid.notes.append(Note("damaged-sheet", words, self.grid.name, self.last_row or None))

    def _record(self, kind: int, pieces: list[bytes]) -> None:
        body, old = pieces[0], self.book.version == 2
        match kind:
            case 0x27E:
                row, column, style, value = struct.unpack_from("<HHHI", body)
                self._number(row, column, style, rk_number(value))
            case 0xFD:
                row, column, _, index = struct.unpack_from("<HHHI", body)
                if index < len(self.book.texts):
                    self._put(row, column, self.book.texts[index] or None)
                else:
                    self.grid.texts_lost.append((row + 1, column + 1))
            case 0xBD:
                row, first = struct.unpack_from("<HH", body)
                for index in range((len(body) - 6) // 6):
                    style, value = struct.unpack_from("<HI", body, 4 + index * 6)
                    self._number(row, first + index, style, rk_number(value))
            case 0x203 | 0x03:
                row, column, style = self._cell(body)
                self._number(row, column, style, whole(struct.unpack_from("<d", body, 7 if old else 6)[0]))
            case 0x02 if old:
                row, column, style = self._cell(body)
                self._number(row, column, style, struct.unpack_from("<H", body, 7)[0])
            case 0x204 | 0x04 | 0xD6:
                row, column, _ = self._cell(body)
                self._put(row, column, self._text(pieces, 7 if old else 6, "B" if old else "H") or None)
            case 0x205 | 0x05:
                row, column, _ = self._cell(body)
                value, is_error = struct.unpack_from("<BB", body, 7 if old else 6)
                self._put(row, column, CellError(ERRORS.get(value, "#ERROR!")) if is_error else bool(value))
            case 0x06 | 0x206 | 0x406:
                self._formula(body, old)
            case 0x207 | 0x07:
                if self.waiting:
                    self._put(*self.waiting, self._text(pieces, 0, "B" if old else "H") or None)
                    self.waiting = None
            case 0x44 if old:
                self.style_of_next = struct.unpack_from("<H", body)[0]
            case 0x208:
                row, options = struct.unpack_from("<H", body)[0], struct.unpack_from("<H", body, 12)[0]
                if options & 0x20:
                    self.grid.hide_row(row + 1)
            case 0x7D:
                first, last, _, _, options = struct.unpack_from("<HHHHH", body)
                if options & 1:
                    self.grid.hide_columns(first + 1, last + 1)
            case 0xE5:
                for index in range(min(struct.unpack_from("<H", body)[0], (len(body) - 2) // 8)):
                    top, bottom, left, right = struct.unpack_from("<HHHH", body, 2 + index * 8)
                    self.grid.merge(top + 1, left + 1, bottom + 1, right + 1)

    def _cell(self, body: bytes) -> tuple[int, int, int]:
        row, column, style = struct.unpack_from("<HHH", body)
        if self.book.version == 2:
            style = body[4] & 0x3F
            if style == 0x3F and self.style_of_next is not None:
                style = self.style_of_next
            self.style_of_next = None
        return row, column, style

    def _text(self, pieces: list[bytes], at: int, form: str) -> str:
        return unicode_text(pieces, at, form) if self.book.version == 8 else byte_text(b"".join(pieces), at, form, self.book.encoding)

    def _formula(self, body: bytes, old: bool) -> None:
        row, column, style = self._cell(body)
        result = body[7:15] if old else body[6:14]
        self._say_missing()
        if result[6:8] != b"\xff\xff":
            self._number(row, column, style, whole(struct.unpack("<d", result)[0]))
        elif result[0] == 0:
            self.waiting = (row, column)
        elif result[0] == 1:
            self._put(row, column, bool(result[2]))
        elif result[0] == 2:
            self._put(row, column, CellError(ERRORS.get(result[2], "#ERROR!")))

    def _say_missing(self) -> None:
        """A formula's text that has not come by the next formula is not in the file."""
        if self.waiting and self.book.version == 8:
            self.grid.formulas_without_values.append((self.waiting[0] + 1, self.waiting[1] + 1))
        self.waiting = None

    def _number(self, row: int, column: int, style: int, value: int | float) -> None:
        self._put(row, column, self.dates.value(value, style))

    def _put(self, row: int, column: int, value: Any) -> None:
        self.last_row = row + 1
        self.grid.put(row + 1, column + 1, value)

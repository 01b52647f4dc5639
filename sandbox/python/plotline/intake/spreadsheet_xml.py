"""Excel's XML of 2003 ("XML Spreadsheet"), also what many programs write under the name .xls: sheets, types, dates."""

import datetime
from typing import Any
from xml.parsers import expat

from plotline.intake.grid import MAX_CELLS, Grid
from plotline.intake.model import CellError, Note, Reading, Unreadable
from plotline.intake.number_formats import serial_date
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx_parts import DateStyles, parse
from plotline.intake.xlsx_sheet import number_of

_NAMED_FORMATS = {
    "general date": "m/d/yyyy h:mm", "long date": "dddd, mmmm d, yyyy", "medium date": "d-mmm-yy", "short date": "m/d/yyyy",
    "long time": "h:mm:ss", "medium time": "h:mm AM/PM", "short time": "h:mm",
}  # fmt: skip
_MAX_FAR = 1_100_000


def read_spreadsheet_xml(data: bytes) -> Reading:
    """Every worksheet. Raises `Unreadable`."""
    reader = _Reader()
    reading = Reading("xml-spreadsheet")
    try:
        reader.read(data)
    except (expat.ExpatError, LookupError, ValueError) as fault:
        if not reader.grids:
            raise Unreadable(f"The workbook is damaged ({fault}). Please save it again as .xlsx and send it once more.") from None
        sheet = reader.grids[-1].name
        reading.notes.append(Note("damaged-sheet", f"The workbook is damaged after row {reader.row} of {sheet} ({fault}); what comes after it could not be read.", sheet, reader.row or None))
    if not reader.grids:
        raise Unreadable("The XML workbook holds no sheet. Please save it again as .xlsx and send it once more.")
    if reader.date1904:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, [grid.sheet() for grid in reader.grids])
    return reading


class _Reader:
    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.grid: Grid | None = None
        self.row = self.column = 0
        self.date1904 = False
        self.formats: dict[str, str] = {}
        self.style = ""
        self.cell: dict[str, str] | None = None
        self.type = ""
        self.text: list[str] | None = None
        self.comment = 0
        self.spanned = 0
        self.value: Any = None

    def read(self, data: bytes) -> None:
        parse(data, self._start, self._end, self._characters)

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _start(self, tag: str, raw: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        get = {key.rsplit(" ", 1)[-1]: value for key, value in raw.items()}
        match name:
            case "Style":
                self.style = get.get("ID", "")
            case "NumberFormat":
                code = get.get("Format", "")
                self.formats[self.style] = _NAMED_FORMATS.get(code.lower(), code)
            case "Worksheet":
                total = sum(grid.cells for grid in self.grids)
                self.grid = Grid(get.get("Name", f"Sheet{len(self.grids) + 1}"), False, MAX_CELLS - total)
                self.grids.append(self.grid)
                self.row = self.column = 0
            case "Table":
                self.row = 0
            case "Column" if self.grid:
                first = _number(get.get("Index"), self.column + 1)
                self.column = first + _number(get.get("Span"), 0)
                if get.get("Hidden") == "1":
                    self.grid.hide_columns(first, self.column)
            case "Row" if self.grid:
                self.row = _number(get.get("Index"), self.row + self.spanned + 1)
                self.column, self.spanned = 0, _number(get.get("Span"), 0)
                if get.get("Hidden") == "1":
                    for row in range(self.row, min(self.row + self.spanned, self.row + 1000) + 1):
                        self.grid.hide_row(row)
            case "Cell" if self.grid:
                self.column = _number(get.get("Index"), self.column + 1)
                across, down = _number(get.get("MergeAcross"), 0), _number(get.get("MergeDown"), 0)
                if across or down:
                    self.grid.merge(self.row, self.column, self.row + down, self.column + across)
                self.cell, self.value = get | {"across": str(across)}, None
            case "Comment":
                self.comment += 1
            case "Data" if self.cell is not None and not self.comment:
                self.type, self.text = get.get("Type", "String"), []
            case "Visible" | "Date1904":
                self.text = []
                self.date1904 = self.date1904 or name == "Date1904"

    def _end(self, tag: str) -> None:
        name = tag.rsplit(" ", 1)[-1]
        match name:
            case "Comment":
                self.comment -= 1
            case "Data" if self.text is not None and self.cell is not None and not self.comment:
                self.value = self._value("".join(self.text))
                self.text = None
            case "Cell" if self.cell is not None and self.grid:
                if self.value is not None:
                    self.grid.put(self.row, self.column, self.value)
                elif self.cell.get("Formula"):
                    self.grid.formulas_without_values.append((self.row, self.column))
                self.column += int(self.cell["across"])
                self.cell = None
            case "Visible" if self.text is not None:
                if self.grid and "".join(self.text).strip().lower() in ("sheethidden", "sheetveryhidden"):
                    self.grid.hidden = True
                self.text = None
            case "Worksheet":
                self.grid = None

    def _value(self, text: str) -> Any:
        assert self.cell is not None
        match self.type:
            case "Number":
                number = number_of(text)
                if number is None:
                    return text or None
                code = self.formats.get(self.cell.get("StyleID", ""), "")
                return DateStyles(self.date1904, [(0, code)]).value(number, 0)
            case "DateTime":
                try:
                    moment = datetime.datetime.fromisoformat(text.strip())
                except ValueError:
                    return text or None
                return self._moment(moment)
            case "Boolean":
                return text.strip() in ("1", "true", "True")
            case "Error":
                return CellError(text.strip())
            case _:
                return text or None

    def _moment(self, moment: datetime.datetime) -> Any:
        """A time of day is written as a moment of the day before the calendar begins, a length of time as a later one."""
        assert self.cell is not None
        code = self.formats.get(self.cell.get("StyleID", ""), "")
        if "[h" in code.lower() or "[m" in code.lower():
            return serial_date((moment - datetime.datetime(1899, 12, 31)) / datetime.timedelta(days=1), "elapsed")
        return moment.time() if moment.date() == datetime.date(1899, 12, 31) else moment


def _number(text: str | None, otherwise: int) -> int:
    return min(int(text), _MAX_FAR) if text and text.isdigit() else otherwise

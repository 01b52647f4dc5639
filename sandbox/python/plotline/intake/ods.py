"""OpenDocument spreadsheets, read from content.xml."""

import datetime
import re
import zipfile
import zlib
from typing import Any
from xml.parsers import expat

from plotline.intake.archive import part_bytes
from plotline.intake.model import CellError, Reading, Sheet, Unreadable
from plotline.intake.sheet_tables import add_sheets

_MAX_CELLS = 20_000_000
_MAX_REPEAT = 1_100_000


def read_ods(archive: zipfile.ZipFile) -> Reading:
    """Every sheet. Raises `Unreadable`."""
    name = next(name for name in archive.namelist() if name.lower() == "content.xml")
    try:
        manifest = part_bytes(archive, "META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.namelist() else b""
        if b"encryption-data" in manifest:
            raise Unreadable("The spreadsheet is password-protected; save it without a password and send it again.")
        reader = _Reader()
        reader.read(part_bytes(archive, name))
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as fault:
        raise Unreadable(f"The spreadsheet is damaged ({fault}). Please save it again and send it once more.") from None
    if not reader.sheets:
        raise Unreadable("An OpenDocument file without a sheet. Please send its tables as .ods, .xlsx or .csv.")
    reading = Reading("ods")
    add_sheets(reading, reader.sheets)
    return reading


class _Reader:
    """One pass over content.xml. Repeated empty rows and cells at the end are not unrolled."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.hidden_styles: set[str] = set()
        self.style = ""
        self.rows: list[list[Any]] = []
        self.row: list[Any] = []
        self.row_repeat = self.cell_repeat = 1
        self.pending_rows = 0
        self.pending_cells = 0
        self.cell: dict[str, str] = {}
        self.paragraphs: list[str] = []
        self.depth = 0
        self.annotation = 0
        self.in_paragraph = 0
        self.cells = 0
        self.hidden_rows: list[int] = []

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(data, True)

    def _characters(self, text: str) -> None:
        if self.in_paragraph and not self.annotation:
            self.paragraphs[-1] += text

    def _start(self, tag: str, raw: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        get = {key.rsplit(" ", 1)[-1]: value for key, value in raw.items()}
        match name:
            case "style":
                self.style = get.get("name", "")
            case "table-properties":
                if get.get("display") == "false":
                    self.hidden_styles.add(self.style)
            case "table" if not self.depth:
                self.depth = 1
                self.rows, self.pending_rows, self.hidden_rows = [], 0, []
                self.sheets.append(Sheet(get.get("name", f"Sheet{len(self.sheets) + 1}"), get.get("style-name", "") in self.hidden_styles, []))
            case "table-row":
                self.row, self.pending_cells = [], 0
                self.row_repeat = _repeat(get.get("number-rows-repeated"))
            case "table-cell" | "covered-table-cell":
                self.cell, self.paragraphs = get, []
                self.cell_repeat = _repeat(get.get("number-columns-repeated"))
                across, down = _repeat(get.get("number-columns-spanned")), _repeat(get.get("number-rows-spanned"))
                if self.sheets and (across > 1 or down > 1):
                    top, left = len(self.rows) + self.pending_rows + 1, len(self.row) + self.pending_cells + 1
                    self.sheets[-1].merges.append((top, left, top + down - 1, left + across - 1))
            case "annotation":
                self.annotation += 1
            case "p" | "h":
                if not self.annotation:
                    self.in_paragraph += 1
                    self.paragraphs.append("")
            case "s" if self.in_paragraph and not self.annotation:
                self.paragraphs[-1] += " " * min(1000, _repeat(get.get("c")))
            case "tab" if self.in_paragraph and not self.annotation:
                self.paragraphs[-1] += "\t"
            case "line-break" if self.in_paragraph and not self.annotation:
                self.paragraphs[-1] += "\n"

    def _end(self, tag: str) -> None:
        name = tag.rsplit(" ", 1)[-1]
        match name:
            case "p" | "h":
                if not self.annotation and self.in_paragraph:
                    self.in_paragraph -= 1
            case "annotation":
                self.annotation -= 1
            case "table-cell" | "covered-table-cell":
                value = self._value()
                if value is None:
                    self.pending_cells += self.cell_repeat
                    return
                self.row += [None] * self.pending_cells + [value] * self.cell_repeat
                self.pending_cells = 0
            case "table-row":
                if not self.row:
                    self.pending_rows += self.row_repeat
                    return
                self.cells += len(self.row) * self.row_repeat
                if self.cells + self.pending_rows > _MAX_CELLS:
                    raise Unreadable(f"The spreadsheet has more than {_MAX_CELLS:,} cells. Please send the sheet you need as CSV.")
                self.rows += [[] for _ in range(self.pending_rows)]
                self.rows += [list(self.row) for _ in range(self.row_repeat)]
                self.pending_rows = 0
            case "table" if self.depth:
                self.depth = 0
                width = max(map(len, self.rows), default=0)
                self.sheets[-1].rows = [row + [None] * (width - len(row)) for row in self.rows]
                self.sheets[-1].hidden_rows = self.hidden_rows

    def _value(self) -> Any:
        get = self.cell.get
        text = "\n".join(self.paragraphs)
        if text.startswith("#") and text.lower() in ("#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!", "#n/a"):
            return CellError(text)
        match get("value-type"):
            case "float" | "currency" | "percentage":
                try:
                    number = float(get("value", ""))
                except ValueError:
                    return text or None
                return int(number) if number.is_integer() and abs(number) < 2**53 else number
            case "date":
                try:
                    return datetime.datetime.fromisoformat(get("date-value", ""))
                except ValueError:
                    return text or None
            case "boolean":
                return get("boolean-value") == "true"
            case "time":
                found = re.fullmatch(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S", get("time-value", ""))
                return datetime.time(int(found[1]), int(found[2]), int(found[3])) if found and int(found[1]) < 24 else text or None
            case _:
                return text or get("string-value") or None


def _repeat(text: str | None) -> int:
    return min(_MAX_REPEAT, int(text)) if text and text.isdigit() and int(text) > 0 else 1

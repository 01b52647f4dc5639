"""XLSX and XLSM, read from their XML: every sheet, hidden ones too, with what a table reader needs to know about it.

Read directly and not through a workbook library because real files break libraries that also load styles, charts and
links; cells, merges, tables and visibility come in one pass over each sheet.
"""

import datetime
import posixpath
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any
from xml.parsers import expat

from plotline.intake.archive import part_bytes
from plotline.intake.model import CellError, Note, Reading, Sheet, Unreadable
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx_parts import DateStyles, parse_tree, shared_strings

_MAX_CELLS = 20_000_000
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def read_xlsx(archive: zipfile.ZipFile, path: Path) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    names = {name.replace("\\", "/").lstrip("/").lower(): name for name in archive.namelist()}

    def part(name: str) -> bytes | None:
        actual = names.get(name.lstrip("/").lower())
        return part_bytes(archive, actual) if actual else None

    try:
        return _read(part, path)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError, NotImplementedError, RuntimeError) as fault:
        if "encrypted" in str(fault) or "password" in str(fault):
            raise Unreadable("The workbook is password-protected; remove the password in Excel (File > Info > Protect) and send it again.") from None
        raise Unreadable(f"The workbook is damaged ({fault}). Please open it in Excel, save it again and send it once more.") from None


def _read(part: Any, path: Path) -> Reading:
    main = _target(part, "", "/officeDocument") or "xl/workbook.xml"
    content = part(main)
    if content is None:
        raise Unreadable("The workbook is incomplete: its list of sheets is missing. Please save it again and send it once more.")
    workbook = parse_tree(content)
    relations = _relations(part, main)
    by_type = {kind.rsplit("/", 1)[-1]: target for kind, target in relations.values()}
    strings = shared_strings(part(by_type.get("sharedStrings", "xl/sharedStrings.xml")))
    properties = workbook.find("workbookPr")
    date1904 = properties is not None and properties.get("date1904", "0") in ("1", "true")
    styles = DateStyles(part(by_type.get("styles", "xl/styles.xml")))
    reading = Reading("xlsm" if path.suffix.lower() == ".xlsm" else "xlsx")
    sheets = []
    total = 0
    for node in workbook.all("sheet"):
        kind, target = relations.get(node.get("id", ""), ("", ""))
        hidden = node.get("state", "visible") != "visible"
        if kind.endswith(("/chartsheet", "/dialogsheet", "/xlMacrosheet")):
            continue
        name = _unescape(node.get("name", "Sheet"))
        data = part(target) if target else None
        if data is None:
            reading.notes.append(Note("missing-sheet", f"The sheet {name} is listed in the workbook but its content is missing.", name))
            sheets.append(Sheet(name, hidden, []))
            continue
        found = _SheetReader(strings, styles, date1904, name, _MAX_CELLS - total)
        try:
            found.read(data)
        except expat.ExpatError as fault:
            line = found.last_row
            reading.notes.append(Note("damaged-sheet", f"The sheet {name} is damaged after row {line} ({fault}); rows after it could not be read.", name, line))
        total += found.cells
        sheet = found.sheet(hidden)
        sheet.named_tables = _named_tables(part, target)
        sheets.append(sheet)
    if date1904:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, sheets)
    return reading


def _target(part: Any, of: str, kind: str) -> str | None:
    return next((target for found, target in _relations(part, of).values() if found.endswith(kind)), None)


def _relations(part: Any, of: str) -> dict[str, tuple[str, str]]:
    """Relation id -> (type, path of the part inside the archive)."""
    folder, name = posixpath.split(of)
    content = part(posixpath.join(folder, "_rels", f"{name}.rels"))
    if content is None:
        return {}
    out = {}
    for node in parse_tree(content).all("Relationship"):
        target = node.get("Target", "").replace("\\", "/")
        full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        out[node.get("Id", "")] = (node.get("Type", ""), full)
    return out


def _named_tables(part: Any, of: str) -> list[tuple[str, tuple[int, int, int, int], int]]:
    out = []
    for kind, target in _relations(part, of).values():
        content = part(target) if kind.endswith("/table") else None
        if content is None:
            continue
        node = parse_tree(content)
        node = node if node.name == "table" else node.find("table") or node
        area = parse_range(node.get("ref", ""))
        if area:
            bottom = area[2] - int(node.get("totalsRowCount", "0") or 0)
            out.append((node.get("displayName", node.get("name", "Table")), (area[0], area[1], bottom, area[3]), int(node.get("headerRowCount", "1") or 0)))
    return sorted(out, key=lambda table: table[1])


def parse_range(text: str) -> tuple[int, int, int, int] | None:
    """`B2:D9` -> (2, 2, 9, 4): first row, first column, last row, last column, from 1."""
    found = _REFERENCE.findall(text)
    if not found:
        return None
    (first_column, first_row), (last_column, last_row) = found[0], found[-1]
    return int(first_row), column_number(first_column), int(last_row), column_number(last_column)


def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _SheetReader:
    """One pass over a sheet's XML. A parser with call-backs: a tree of a large sheet would need ten times its size."""

    def __init__(self, strings: list[str], styles: DateStyles, date1904: bool, name: str, max_cells: int) -> None:
        self.strings, self.styles, self.name, self.max_cells = strings, styles, name, max_cells
        self.epoch = datetime.datetime(1904, 1, 1) if date1904 else datetime.datetime(1899, 12, 30)
        self.date1904 = date1904
        self.grid: dict[int, dict[int, Any]] = {}
        self.merges: list[tuple[int, int, int, int]] = []
        self.hidden_rows = self.hidden_columns = self.formulas = self.cells = 0
        self.last_row = self.column = 0
        self.row: dict[int, Any] = {}
        self.cell_type = self.style = ""
        self.text: list[str] | None = None
        self.value: str | None = None
        self.inline: list[str] = []
        self.has_formula = self.in_phonetic = False

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.Parse(data, True)

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rsplit(" ", 1)[-1]
        if tag == "c":
            self.cell_type, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.value, self.inline, self.has_formula = None, [], False
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self.column = column_number(found[1]) if found else self.column + 1
        elif tag == "v" or (tag == "t" and not self.in_phonetic):
            self.text = []
        elif tag == "f":
            self.has_formula = True
        elif tag == "rPh":
            self.in_phonetic = True
        elif tag == "row":
            number = attributes.get("r", "")
            self.last_row = int(number) if number.isdigit() else self.last_row + 1
            self.row = self.grid.setdefault(self.last_row, {})
            self.column = 0
            self.hidden_rows += attributes.get("hidden") in ("1", "true")
        elif tag == "mergeCell":
            area = parse_range(attributes.get("ref", ""))
            if area:
                self.merges.append(area)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.hidden_columns += min(last, 1000) - first + 1

    def _end(self, tag: str) -> None:
        tag = tag.rsplit(" ", 1)[-1]
        if tag == "v":
            self.value = "".join(self.text or [])
            self.text = None
        elif tag == "t" and self.text is not None:
            self.inline.append("".join(self.text))
            self.text = None
        elif tag == "rPh":
            self.in_phonetic = False
        elif tag == "c":
            value = self._cell()
            if value is not None:
                self.row[self.column] = value
                self.cells += 1
                if self.cells > self.max_cells:
                    raise Unreadable(f"The workbook has more than {_MAX_CELLS:,} cells. Please send the sheet you need as CSV.")
            elif self.has_formula and self.cell_type != "str":
                self.formulas += 1

    def _cell(self) -> Any:
        kind, raw = self.cell_type, self.value
        if kind == "inlineStr":
            return _unescape("".join(self.inline)) or None
        if raw is None or raw == "":
            return _unescape("".join(self.inline)) or None
        if kind == "s":
            index = int(raw) if raw.strip().isdigit() else -1
            return (self.strings[index] or None) if 0 <= index < len(self.strings) else None
        if kind == "str":
            return _unescape(raw)
        if kind == "b":
            return raw.strip() in ("1", "true")
        if kind == "e":
            return CellError(raw.strip())
        if kind == "d":
            try:
                return datetime.datetime.fromisoformat(raw.strip()).replace(tzinfo=None)
            except ValueError:
                return raw
        return number_or_date(raw, self.styles.kind(self.style), self.epoch, self.date1904)

    def sheet(self, hidden: bool) -> Sheet:
        rows = [row for row in self.grid if self.grid[row]]
        if not rows:
            return Sheet(self.name, hidden, [], merges=self.merges, formulas_without_values=self.formulas)
        top, bottom = min(rows), max(rows)
        left = min(min(self.grid[row]) for row in rows)
        right = max(max(self.grid[row]) for row in rows)
        if (bottom - top + 1) * (right - left + 1) > max(2_000_000, 60 * self.cells):
            # A few cells at the far end of the sheet would make a grid of billions: keep the rows that hold something.
            return self._sparse(hidden, sorted(rows), left, right)
        empty: dict[int, Any] = {}
        grid = [[found.get(column) for column in range(left, right + 1)] if (found := self.grid.get(row, empty)) else [] for row in range(top, bottom + 1)]
        return Sheet(self.name, hidden, grid, top, left, self.merges, [], self.formulas, self.hidden_rows, self.hidden_columns)

    def _sparse(self, hidden: bool, rows: list[int], left: int, right: int) -> Sheet:
        used = sorted({column for row in rows for column in self.grid[row]})[:2_000]
        grid = [[self.grid[row].get(column) for column in used] for row in rows]
        return Sheet(self.name, hidden, grid, rows[0], left, [], [], self.formulas, self.hidden_rows, self.hidden_columns)


def _no_doctype(*_: Any) -> None:
    raise Unreadable("The workbook's XML declares a document type, as attacks do; it was not opened.")


def number_or_date(raw: str, kind: str, epoch: datetime.datetime, date1904: bool = False) -> Any:
    """A stored number as int, float, or what its number format makes of it: `date`, `time`."""
    try:
        number = int(raw) if raw.lstrip("-").isdigit() else float(raw)
    except ValueError:
        return raw
    if number != number or number in (float("inf"), float("-inf")):
        return None
    if kind == "number":
        return number
    return serial_date(number, kind, epoch, date1904)


def serial_date(number: float, kind: str, epoch: datetime.datetime, date1904: bool = False) -> Any:
    """A day count as date or time of day; the number itself where it is outside the calendar of Excel."""
    if kind == "time" or (0 <= number < 1 and not date1904):
        if 0 <= number < 1:
            seconds = round(number * 86_400)
            return (datetime.datetime.min + datetime.timedelta(seconds=seconds % 86_400)).time()
        return number
    if not 0 <= number < 2_958_466:
        return number
    days = number + 1 if number < 60 and not date1904 else number  # Excel counts a 29 February 1900 that never was
    moment = epoch + datetime.timedelta(days=int(days), milliseconds=round((days - int(days)) * 86_400_000))
    return moment if moment.microsecond < 999_000 else moment + datetime.timedelta(microseconds=1_000_000 - moment.microsecond)



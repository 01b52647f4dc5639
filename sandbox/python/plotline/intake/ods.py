"""OpenDocument spreadsheets: content.xml of a package, or a flat file that is all in one."""

import re
import zipfile
import zlib
from typing import Any
from xml.parsers import expat

from plotline.intake.archive import part_bytes
from plotline.intake.grid import MAX_CELLS, Grid
from plotline.intake.model import Note, Reading, Unreadable
from plotline.intake.ods_values import cell_value
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx_parts import parse

_MAX_REPEAT = 1_100_000
_MAX_UNROLLED = 100_000
"""A value repeated over more cells than this fills the sheet to its edge and is said instead."""
_DAMAGE = (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, LookupError, RuntimeError, NotImplementedError)


def read_ods(archive: zipfile.ZipFile) -> Reading:
    """Every sheet. Raises `Unreadable`."""
    name = next(name for name in archive.namelist() if name.lower() == "content.xml")
    try:
        manifest = next((part_bytes(archive, name) for name in archive.namelist() if name.lower() == "meta-inf/manifest.xml"), b"")
        if b"encryption-data" in manifest:
            raise Unreadable("The spreadsheet is password-protected; save it without a password and send it again.")
        return read_flat_ods(part_bytes(archive, name), "ods")
    except _DAMAGE as fault:
        if "encrypted" in str(fault) or "password" in str(fault):
            raise Unreadable("The spreadsheet is password-protected; save it without a password and send it again.") from None
        raise Unreadable("The spreadsheet is damaged. Please save it again and send it once more.") from None


def read_flat_ods(data: bytes, kind: str = "fods") -> Reading:
    """The sheets of a document's XML. Raises `Unreadable`."""
    reader = _Reader()
    reading = Reading(kind)
    try:
        reader.read(data)
    except (expat.ExpatError, LookupError, ValueError):
        if not reader.grids:
            raise Unreadable("The spreadsheet is damaged. Please save it again and send it once more.") from None
        name = reader.grids[-1].name
        reading.notes.append(Note("damaged-sheet", f"The spreadsheet is damaged after row {reader.row} of {name}; what comes after it could not be read.", name, reader.row or None))
    if not reader.grids:
        raise Unreadable("An OpenDocument file without a sheet. Please send its tables as .ods, .xlsx or .csv.")
    add_sheets(reading, [grid.sheet() for grid in reader.grids])
    return reading


class _Reader:
    """One pass over the XML. Repeated empty rows and cells only move the place of the next cell."""

    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.hidden_styles: set[str] = set()
        self.style = ""
        self.depth = 0
        self.row = self.column = 0
        self.row_repeat = self.cell_repeat = 1
        self.header_column = 1
        self.cells: list[tuple[int, int, Any]] = []
        self.cell: dict[str, str] | None = None
        self.paragraphs: list[str] = []
        self.aside = 0
        self.in_paragraph = 0
        self.was_space = True

    def read(self, data: bytes) -> None:
        parse(data, self._start, self._end, self._characters)

    def _characters(self, text: str) -> None:
        if not self.in_paragraph or self.aside:
            return
        # White space of the XML is one blank, none at a paragraph's start; real ones are elements.
        text = re.sub(r"[ \t\r\n]+", " ", text)
        if self.was_space:
            text = text.removeprefix(" ")
        if text:
            self.was_space = text.endswith(" ")
            self.paragraphs[-1] += text

    def _start(self, tag: str, raw: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        if self.aside:
            self.aside += name in ("annotation", "shapes", "frame", "custom-shape", "tracked-changes")
            return
        get = {key.rsplit(" ", 1)[-1]: value for key, value in raw.items()}
        match name:
            case "annotation" | "shapes" | "frame" | "custom-shape" | "tracked-changes":
                self.aside = 1
            case "style":
                self.style = get.get("name", "")
            case "table-properties":
                if get.get("display") == "false":
                    self.hidden_styles.add(self.style)
            case "table":
                self.depth += 1
                if self.depth == 1:
                    total = sum(grid.cells for grid in self.grids)
                    hidden = get.get("style-name", "") in self.hidden_styles or get.get("display") == "false"
                    self.grids.append(Grid(get.get("name", f"Sheet{len(self.grids) + 1}"), hidden, MAX_CELLS - total))
                    self.row, self.header_column = 0, 1
            case "table-column" if self.depth == 1:
                count = _repeat(get.get("number-columns-repeated"))
                if get.get("visibility") in ("collapse", "filter"):
                    self.grids[-1].hide_columns(self.header_column, self.header_column + count - 1)
                self.header_column += count
            case "table-row" if self.depth == 1:
                self.row += 1
                self.column, self.cells = 0, []
                self.row_repeat = _repeat(get.get("number-rows-repeated"))
                if get.get("visibility") in ("collapse", "filter") and self.row_repeat < 10_000:
                    for row in range(self.row, self.row + self.row_repeat):
                        self.grids[-1].hide_row(row)
            case "table-cell" | "covered-table-cell" if self.depth == 1:
                self.cell, self.paragraphs = get, []
                self.column += 1
                self.cell_repeat = _repeat(get.get("number-columns-repeated"))
                across, down = _repeat(get.get("number-columns-spanned")), _repeat(get.get("number-rows-spanned"))
                self.grids[-1].merge(self.row, self.column, self.row + down - 1, self.column + across - 1)
            case "p" | "h" if self.cell is not None:
                self.in_paragraph += 1
                self.was_space = True
                self.paragraphs.append("")
            case "s" | "tab" | "line-break" if self.in_paragraph:
                self.was_space = False
                self.paragraphs[-1] += {"s": " " * min(1000, _repeat(get.get("c"))), "tab": "\t", "line-break": "\n"}[name]

    def _end(self, tag: str) -> None:
        name = tag.rsplit(" ", 1)[-1]
        if self.aside:
            self.aside -= name in ("annotation", "shapes", "frame", "custom-shape", "tracked-changes")
            return
        match name:
            case "p" | "h":
                self.in_paragraph = max(0, self.in_paragraph - 1)
            case "table-cell" | "covered-table-cell" if self.depth == 1 and self.cell is not None:
                value = cell_value(self.cell, "\n".join(self.paragraphs))
                if value is not None:
                    self.cells.append((self.column, self.cell_repeat, value))
                elif self.cell.get("formula") and not self.cell.get("value-type"):
                    self.grids[-1].formulas_without_values.append((self.row, self.column))
                self.column += self.cell_repeat - 1
                self.cell = None
            case "table-row" if self.depth == 1:
                self._row()
                self.row += self.row_repeat - 1
            case "table":
                self.depth = max(0, self.depth - 1)

    def _row(self) -> None:
        grid = self.grids[-1]
        size = sum(count for _, count, _ in self.cells) * self.row_repeat
        rows, cells = self.row_repeat, self.cells
        if size > _MAX_UNROLLED and (self.row_repeat > 1 or any(count > 16_384 for _, count, _ in cells)):
            rows, cells = 1, [(column, 1, value) for column, _, value in cells]
            grid.notes.append(Note("repeated-cells", f"Row {self.row} of {grid.name} repeats its values {size:,} times to the edge of the sheet; they were read once.", grid.name, self.row))
        if size > _MAX_UNROLLED and rows == self.row_repeat and grid.cells + size > grid.max_cells:
            grid.count(size)  # says so before the cells fill the memory
        for row in range(self.row, self.row + rows):
            for column, count, value in cells:
                for place in range(column, column + count):
                    grid.put(row, place, value)


def _repeat(text: str | None) -> int:
    return min(_MAX_REPEAT, int(text)) if text and text.isdigit() and int(text) > 0 else 1

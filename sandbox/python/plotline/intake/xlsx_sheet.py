"""One worksheet part of an XLSX package -> its grid.

In one pass with call-backs, because a tree of a large sheet would need ten times its size. Rows in the form that spreadsheet
programs write go a faster way, see `xlsx_rows`.
"""

import datetime
from typing import Any
from xml.parsers import expat

from plotline.intake.grid import Grid, column_number, parse_cell, parse_range
from plotline.intake.model import CellError, Note
from plotline.intake.xlsx_parts import DateStyles, parse, unescape

_TRUE = ("1", "true", "on")


def read_sheet(data: bytes, grid: Grid, strings: list[str], styles: DateStyles) -> None:
    """Fills `grid`. A damaged part gives the rows before the damage and a note."""
    from plotline.intake.xlsx_rows import read_plain_rows

    rest = read_plain_rows(data, grid, strings, styles)
    reader = _Reader(grid, strings, styles)
    try:
        reader.read(data if rest is None else rest)
    except (expat.ExpatError, LookupError, ValueError) as fault:
        row = max(grid.rows, default=0)
        words = f"The sheet {grid.name} is damaged after row {row} ({fault}); what comes after it could not be read."
        grid.notes.append(Note("damaged-sheet", words, grid.name, row or None))


class _Reader:
    def __init__(self, grid: Grid, strings: list[str], styles: DateStyles) -> None:
        self.grid, self.strings, self.styles = grid, strings, styles
        self.row = self.column = 0
        self.row_is_counted = False
        self.cell: dict[str, str] | None = None
        self.text: list[str] | None = None
        self.value: str | None = None
        self.inline: list[str] = []
        self.has_formula = self.in_phonetic = False
        self.fallback = 0

    def read(self, data: bytes) -> None:
        parse(data, self._start, self._end, self._characters)

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rsplit(" ", 1)[-1]
        if tag == "Fallback":  # what programs read that do not know the choice before it
            self.fallback += 1
        if self.fallback:
            return
        if self.cell is not None:
            if tag == "v" or (tag == "t" and not self.in_phonetic):
                self.text = []
            elif tag == "f":
                self.has_formula = True
            elif tag == "rPh":
                self.in_phonetic = True
        elif tag == "c":
            self.cell = attributes
            self.value, self.inline, self.has_formula, self.in_phonetic = None, [], False, False
            place = parse_cell(attributes.get("r", ""))
            if place and self.row_is_counted:
                self.row, self.row_is_counted = place[0], False
            self.column = place[1] if place else self.column + 1
        elif tag == "row":
            number = attributes.get("r", "")
            self.row_is_counted = not number.isdigit()
            self.row = self.row + 1 if self.row_is_counted else int(number)
            self.column = 0
            if attributes.get("hidden") in _TRUE:
                self.grid.hide_row(self.row)
        elif tag == "mergeCell":
            area = parse_range(attributes.get("ref", ""))
            if area:
                self.grid.merge(*area)
        elif tag == "col" and attributes.get("hidden") in _TRUE:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdigit() and last.isdigit():
                self.grid.hide_columns(int(first), int(last))

    def _end(self, tag: str) -> None:
        tag = tag.rsplit(" ", 1)[-1]
        if tag == "Fallback":
            self.fallback -= 1
        if self.cell is None:
            return
        if tag == "v":
            self.value = "".join(self.text or [])
            self.text = None
        elif tag == "t" and self.text is not None:
            self.inline.append("".join(self.text))
            self.text = None
        elif tag == "rPh":
            self.in_phonetic = False
        elif tag == "c":
            kind = self.cell.get("t", "n")
            value = self._value(kind)
            if value is not None:
                self.grid.put(self.row, self.column, value if value != "" else None)
            elif kind == "s" and self.value:
                self.grid.texts_lost.append((self.row, self.column))
            elif self.has_formula and kind != "str":
                self.grid.formulas_without_values.append((self.row, self.column))
            self.cell = None

    def _value(self, kind: str) -> Any:
        assert self.cell is not None
        if kind == "inlineStr" or self.value is None or self.value == "":
            return unescape("".join(self.inline)) or (unescape(self.value) if self.value else None)
        style = self.cell.get("s", "")
        return cell_value(kind, self.value, int(style) if style.isdigit() else 0, self.strings, self.styles)


def cell_value(kind: str, raw: str, style: int, strings: list[str], styles: DateStyles) -> Any:
    """The value of a cell from its type attribute and its stored text; None for an empty one."""
    if kind == "s":
        index = raw.strip()
        return strings[int(index)] if index.isdigit() and int(index) < len(strings) else None
    if kind == "str":
        return unescape(raw) or None
    if kind == "b":
        return raw.strip().lower() in _TRUE
    if kind == "e":
        return CellError(raw.strip())
    if kind == "d":
        return _iso_date(raw.strip())
    return styles.value(number, style) if (number := number_of(raw)) is not None else unescape(raw)


def number_of(raw: str) -> int | float | None:
    """A stored number; whole ones stay exact."""
    text = raw.strip()
    try:
        return int(text) if text.removeprefix("-").isdigit() and len(text) < 400 else float(text) if "_" not in text else None
    except ValueError:
        return None


def _iso_date(text: str) -> Any:
    for convert in (datetime.datetime.fromisoformat, datetime.time.fromisoformat):
        try:
            return convert(text).replace(tzinfo=None)
        except ValueError:
            continue
    return text


def column_of(letters: bytes, known: dict[bytes, int]) -> int:
    """The number of a column, remembered in `known`."""
    number = known[letters] = column_number(letters.decode("ascii"))
    return number

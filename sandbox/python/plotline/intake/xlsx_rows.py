"""The rows of a worksheet in the form that Excel, LibreOffice and the common libraries write, without an XML parser.

Three times as fast as call-backs for every tag. Nothing is guessed: the whole of `sheetData` must be made of the few forms
below, else the sheet goes through the parser.
"""

import re
from typing import Any

from plotline.intake.grid import LAST_COLUMN, LAST_ROW, Grid
from plotline.intake.model import CellError
from plotline.intake.xlsx_parts import DateStyles, plain_text
from plotline.intake.xlsx_sheet import cell_value, column_of

_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:<\?xml(?: version="1\.[01]"| encoding="(?:UTF|utf)-8"| standalone="\w+")*\s*\?>)?\s*<worksheet[\s>]')
_ROW = re.compile(rb'\s*<row((?: [A-Za-z0-9:]+="[^"<>]*")*)\s*(/?)>\s*')
_NUMBER = re.compile(rb' r="(\d{1,7})"')
_HIDDEN = re.compile(rb' hidden="(?:1|true)"')
_FORMULA = rb"<f(?:\s[^<>]*)?(?:/>|(?<!/)>[^<]*</f>)"
_CELL = (
    rb'<c r="([A-Z]{1,3})\d{1,7}"(?: t="([A-Za-z]+)")?(?: s="(0|[1-9]\d{0,5})")?(?: t="([A-Za-z]+)")?\s*'
    rb"(?:/>|>(" + _FORMULA + rb')?(?:<v(?: xml:space="preserve")?>([^<]*)</v>|<v\s*/>|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>)\s*'
)
_CELLS = re.compile(rb"(?:" + _CELL + rb")*+")
_EACH = re.compile(_CELL)
_WHOLE = re.compile(rb"-\d{1,15}")


def read_plain_rows(data: bytes, grid: Grid, strings: list[str], styles: DateStyles) -> bytes | None:
    """
    Fills `grid` with the rows and gives the rest of the part, or None with the grid as it was, where a row is written in
    another way.
    """
    start, end = data.find(b"<sheetData>"), data.rfind(b"</sheetData>")
    if start < 0 or end < start or data.find(b"<sheetData", start + 1) >= 0 or not _START.match(data) or b"<!" in data[:start]:
        return None
    rows = _Rows(grid, strings, styles)
    try:
        complete = rows.read(data, start + len(b"<sheetData>"), end)
    except ValueError:
        complete = False
    if not complete:
        grid.rows, grid.cells, grid.in_order = {}, 0, True
        grid.hidden_rows, grid.formulas_without_values = [], []
        return None
    return data[:start] + data[end + len(b"</sheetData>") :]


class _Rows:
    def __init__(self, grid: Grid, strings: list[str], styles: DateStyles) -> None:
        self.grid, self.strings, self.styles = grid, strings, styles
        self.columns: dict[bytes, int] = {}
        self.texts = [text or None for text in strings]
        self.dated = {b"%d" % style for style in styles.kinds} | ({b""} if 0 in styles.kinds else set())

    def read(self, data: bytes, at: int, end: int) -> bool:
        """Whether all of it was in the known form. Raises ValueError where a text is not."""
        grid, last = self.grid, 0
        while row := _ROW.match(data, at, end):
            attributes, closed = row.groups()
            number = _NUMBER.search(attributes)
            if not number or not last < int(number[1]) <= LAST_ROW:
                return False
            last = int(number[1])
            if _HIDDEN.search(attributes):
                grid.hide_row(last)
            at = row.end()
            if closed:
                continue
            stop = _CELLS.match(data, at, end)
            assert stop  # it matches nothing at least
            if not data.startswith(b"</row>", stop.end()):
                return False
            found = _EACH.findall(data, at, stop.end())
            cells = self._cells(found, last)
            if cells is None:
                return False
            if cells:
                grid.rows[last] = cells
                grid.count(len(cells))
            at = stop.end() + len(b"</row>")
        return not data[at:end].strip()

    def _cells(self, found: list[tuple[bytes, ...]], row: int) -> dict[int, Any] | None:
        """The values by column; None where cells are not in order."""
        columns, texts, dated = self.columns, self.texts, self.dated
        out: dict[int, Any] = {}
        last = 0
        for letters, first, style, second, formula, raw, inline in found:
            column = columns.get(letters) or column_of(letters, columns)
            if column <= last or column > LAST_COLUMN:
                return None
            last = column
            kind = second or first
            if kind == b"s" and raw.isdigit():
                index = int(raw)
                if index >= len(texts):
                    raise ValueError("no such text")
                value = texts[index]
            elif (not kind or kind == b"n") and raw and raw[-1] > 32:
                value = int(raw) if raw.isdigit() and len(raw) < 400 else _number(raw)
                if style in dated or value - value != 0:
                    value = self.styles.value(value, int(style or 0))
            else:
                value = self._other(kind, style, raw, inline)
            if value is not None:
                out[column] = value
            elif formula and kind != b"str" and not raw and not inline:
                self.grid.formulas_without_values.append((row, column))
        return out

    def _other(self, kind: bytes, style: bytes, raw: bytes, inline: bytes) -> Any:
        if inline or kind == b"inlineStr":
            return plain_text(inline) or plain_text(raw) or None
        if not raw:
            return None
        if kind == b"str":
            return plain_text(raw) or None
        if kind == b"e":
            return CellError(plain_text(raw).strip())
        return cell_value(kind.decode("ascii") or "n", plain_text(raw), int(style or 0), self.strings, self.styles)


def _number(raw: bytes) -> int | float:
    """Raises ValueError for no number, also where Python's own syntax of numbers goes further than a workbook's."""
    if b"_" in raw:
        raise ValueError("no number")
    return int(raw) if _WHOLE.fullmatch(raw) else float(raw)

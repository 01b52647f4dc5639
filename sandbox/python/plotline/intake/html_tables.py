"""The tables of an HTML page with spans unrolled, nested ones apart, each row with its line."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from plotline.intake.model import Note, Unreadable, check_size

_MAX_SPAN = 1000
_MAX_CELLS = 1_000_000
_SILENT = frozenset(("script", "style", "template"))


@dataclass
class Grid:
    """Rows of texts with their lines. `header_rows` is None where the page does not tell; `spanned` are (line, text) of
    cells over several rows or columns."""

    rows: list[tuple[int, list[str]]]
    width: int = 0
    header_rows: int | None = None
    caption: str = ""
    spanned: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class _Open:
    """A table whose end has not come yet."""

    grid: Grid = field(default_factory=lambda: Grid([]))
    row: list[str] | None = None
    only_heads: list[bool] = field(default_factory=list)
    heads: bool = True
    text: list[str] | None = None
    head: bool = False
    across: int = 1
    down: int = 1
    below: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Column -> how many more rows a cell from above covers, and its text."""
    coming: dict[int, tuple[int, str]] = field(default_factory=dict)
    """The same for cells of the current row."""
    caption: list[str] | None = None
    nested: bool = False
    line: int = 1


class HtmlTables(HTMLParser):
    """Feed the page, then `finish`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[Grid] = []
        self.notes: list[Note] = []
        self.stack: list[_Open] = []
        self.silent = 0
        self.layouts: list[int] = []
        self.cells = 0

    def finish(self) -> None:
        """Closes what the page left open."""
        self.close()
        if self.stack:
            self.notes.append(Note("cut", "The page ends inside a table; its last row may be incomplete.", None, self.getpos()[0]))
        while self.stack:
            self._end_table()
        if self.layouts:
            self.notes.append(Note("layout-tables", f"{len(self.layouts)} table(s) of the page hold no rows and columns, as for layout, and were left out.", None, self.layouts[0]))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag in _SILENT:
            self.silent += 1
        elif tag == "table":
            if self.stack:
                self.stack[-1].nested = True
            self.stack.append(_Open(line=self.getpos()[0]))
        elif not self.stack:
            return
        elif tag == "tr":
            self._end_row()
            self._begin_row()
        elif tag in ("td", "th"):
            self._begin_cell(tag, dict(attributes))
        elif tag == "caption":
            self.stack[-1].caption = []
        elif tag in ("thead", "tbody", "tfoot"):
            self._end_row()
        elif tag in ("br", "p", "div", "li"):
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th", "tr", "table"):  # HTML knows no empty element of these: the slash means nothing
            self.handle_starttag(tag, attributes)
            if tag in ("td", "th"):
                self.handle_endtag(tag)
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif not self.stack:
            return
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "thead", "tbody", "tfoot"):
            self._end_row()
        elif tag == "table":
            self._end_table()
        elif tag == "caption" and self.stack[-1].caption is not None:
            self.stack[-1].grid.caption = _plain(self.stack[-1].caption)
            self.stack[-1].caption = None

    def handle_data(self, data: str) -> None:
        if self.silent or not self.stack:
            return
        current = self.stack[-1]
        if current.caption is not None:
            current.caption.append(data)
        elif current.text is not None:
            current.text.append(data)

    def _begin_row(self) -> None:
        current = self.stack[-1]
        current.row, current.heads, current.line = [], True, self.getpos()[0]

    def _begin_cell(self, tag: str, get: dict[str, str | None]) -> None:
        current = self.stack[-1]
        if current.row is None:
            self._begin_row()
        self._end_cell()
        self._covered()
        current.text, current.head = [], tag == "th"
        current.heads = current.heads and current.head
        current.across, current.down = _span(get.get("colspan")), _span(get.get("rowspan"))

    def _end_cell(self) -> None:
        current = self.stack[-1]
        if current.text is None or current.row is None:
            return
        words = _plain(current.text)
        start = len(current.row)
        check_size(0, start + current.across)
        current.row += [words] + [words if current.head else ""] * (current.across - 1)
        if current.down > 1:
            for column in range(start, len(current.row)):
                current.coming[column] = (current.down - 1, current.row[column])
        if words and (current.down > 1 or (current.across > 1 and not current.head)):
            current.grid.spanned.append((current.line, words))
        current.text = None

    def _covered(self) -> None:
        """Fills the columns that cells of earlier rows reach down to."""
        current = self.stack[-1]
        assert current.row is not None
        while found := current.below.get(len(current.row)):
            current.row.append(found[1])

    def _end_row(self) -> None:
        current = self.stack[-1]
        self._end_cell()
        if current.row is None:
            return
        if current.row or current.below:
            self._covered()
            self.cells += len(current.row)
            if self.cells > _MAX_CELLS:
                raise Unreadable(f"The page's tables have more than {_MAX_CELLS:,} cells. Please send the part you need.")
            if current.row:
                current.grid.rows.append((current.line, current.row))
                current.only_heads.append(current.heads)
        current.below = {column: (left - 1, words) for column, (left, words) in current.below.items() if left > 1} | current.coming
        current.coming, current.row = {}, None

    def _end_table(self) -> None:
        self._end_row()
        current = self.stack.pop()
        grid = current.grid
        filled = sum(1 for _, row in grid.rows for text in row if text)
        grid.width = max((len(row) for _, row in grid.rows), default=0)
        if filled < 2 or (current.nested and (grid.width < 2 or len(grid.rows) < 2 or filled < 4)):
            self.layouts.append(current.line)
            return
        check_size(len(grid.rows), grid.width)
        grid.rows = [(line, row + [""] * (grid.width - len(row))) for line, row in grid.rows]
        heads = next((index for index, only in enumerate(current.only_heads) if not only), len(current.only_heads))
        grid.header_rows = heads if 0 < heads <= 4 else None
        self.grids.append(grid)


def _plain(pieces: list[str]) -> str:
    return re.sub(r"[ \t\r\n\f\u00a0]+", " ", "".join(pieces)).strip()


def _span(text: str | None) -> int:
    digits = re.match(r"\s*(\d{1,6})", text or "")
    return max(1, min(_MAX_SPAN, int(digits[1]))) if digits else 1

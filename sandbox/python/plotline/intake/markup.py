"""Tables in HTML (also the HTML that programs save as .xls) and in Markdown."""

import re
from html.parser import HTMLParser

from plotline.intake.line_notes import encoding_notes
from plotline.intake.encoding import Decoded
from plotline.intake.header import count_header_rows, header_names
from plotline.intake.model import RawTable, Reading, Rejected, Unreadable

_MAX_SPAN = 1000


def read_markup(decoded: Decoded, name: str, kind: str) -> Reading:
    """The tables of the page. Raises `Unreadable` where it has none."""
    notes = encoding_notes(decoded)
    if kind == "markdown":
        grids = _markdown(decoded.text)
    else:
        parser = _Tables()
        parser.feed(decoded.text)
        parser.close()
        grids = [grid for grid in parser.grids if len(grid) > 0]
    reading = Reading("html" if kind == "xml-spreadsheet" else kind, notes=notes)
    for number, grid in enumerate(grids, 1):
        label = name if len(grids) == 1 else f"{name} {number}"
        reading.tables.append(_table(label, grid))
    if not reading.tables:
        raise Unreadable("There is no table in this page.")
    return reading


def _table(name: str, grid: list[tuple[int, list[str]]]) -> RawTable:
    width = max(len(row) for _, row in grid)
    short = [Rejected(line, f"has {len(row)} cells where the table has {width}") for line, row in grid if len(row) != width]
    whole = [(line, row) for line, row in grid if len(row) == width]
    rows = [row for _, row in whole]
    count = count_header_rows(rows[:210])
    header, units = header_names(rows[:count], width)
    columns = [[row[index] for row in rows[count:]] for index in range(width)]
    lines = [line for line, _ in whole[count:]]
    return RawTable(name, header, count, columns, lines, rejected=short, range=f"lines {grid[0][0]}–{grid[-1][0]}", units=units)


def _markdown(text: str) -> list[list[tuple[int, list[str]]]]:
    grids: list[list[tuple[int, list[str]]]] = []
    lines = text.replace("\r\n", "\n").split("\n")
    current: list[tuple[int, list[str]]] | None = None
    for number, line in enumerate(lines, 1):
        if re.fullmatch(r"\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*", line) and "|" in line and number > 1 and "|" in lines[number - 2]:
            current = [(number - 1, _cells(lines[number - 2]))]
            grids.append(current)
        elif current is not None and "|" in line:
            current.append((number, _cells(line)))
        else:
            current = None
    return grids


def _cells(line: str) -> list[str]:
    text = line.strip().removeprefix("|")
    text = text[:-1] if text.endswith("|") and not text.endswith("\\|") else text
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)]


class _Tables(HTMLParser):
    """The innermost tables of a page with spans unrolled: a spanned cell's text stands in its first cell only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[list[tuple[int, list[str]]]] = []
        self.stack: list[list[tuple[int, list[str]]]] = []
        self.text: list[str] | None = None
        self.row: list[str] | None = None
        self.span = 1
        self.below: dict[int, int] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        get = {key.rsplit(":", 1)[-1]: value or "" for key, value in attributes}
        tag = tag.rsplit(":", 1)[-1]
        if tag == "table":
            self.stack.append([])
            self.below = {}
        elif tag in ("tr", "row") and self.stack:
            self._end_row()
            self.row = []
        elif tag in ("td", "th", "cell") and self.row is not None:
            self._end_cell()
            self._covered()
            self.text = []
            self.span = _span(get.get("colspan"))
            down = _span(get.get("rowspan"))
            if down > 1:
                for column in range(len(self.row), len(self.row) + self.span):
                    self.below[column] = down
        elif tag == "br" and self.text is not None:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag in ("td", "th", "cell"):
            self._end_cell()
        elif tag in ("tr", "row"):
            self._end_row()
        elif tag == "table" and self.stack:
            self._end_row()
            grid = self.stack.pop()
            if sum(len(row) for _, row in grid) > 1:
                self.grids.append(_padded(grid))

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def _end_cell(self) -> None:
        if self.text is None or self.row is None:
            return
        words = re.sub(r"[ \t\r\n\u00a0]+", " ", "".join(self.text)).strip()
        self.row += [words] + [""] * (self.span - 1)
        self.text = None

    def _covered(self) -> None:
        assert self.row is not None
        while self.below.get(len(self.row), 0) > 1 and self._from_above(len(self.row)):
            self.row.append("")

    def _from_above(self, column: int) -> bool:
        return bool(self.stack[-1]) and self.below[column] > 1 and len(self.stack[-1][-1][1]) > column

    def _end_row(self) -> None:
        self._end_cell()
        if self.row is None:
            return
        if self.row and self.stack:
            self._covered()
            self.stack[-1].append((self.getpos()[0], self.row))
            self.below = {column: left - 1 for column, left in self.below.items() if left > 1}
        self.row = None


def _padded(grid: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    width = max(len(row) for _, row in grid)
    return [(line, row + [""] * (width - len(row))) for line, row in grid]


def _span(text: str | None) -> int:
    return min(_MAX_SPAN, int(text)) if text and text.isdigit() and int(text) > 0 else 1

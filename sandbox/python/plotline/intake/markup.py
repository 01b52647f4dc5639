"""Tables in HTML (also the HTML that programs save as .xls), in web archives and in Markdown."""

import email
import email.policy
import re

from plotline.intake.encoding import Decoded, decode
from plotline.intake.header import count_header_rows, header_names, several_rows
from plotline.intake.html_tables import Grid, HtmlTables
from plotline.intake.line_notes import encoding_notes
from plotline.intake.model import Note, RawTable, Reading, Rejected, Unreadable

_RULER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def read_markup(decoded: Decoded, name: str, kind: str) -> Reading:
    """The tables of the page. Raises `Unreadable` where it has none."""
    notes = encoding_notes(decoded)
    reading = Reading("html" if kind == "web-archive" else kind, notes=notes)
    if kind == "markdown":
        grids = _markdown(decoded.text)
    else:
        pages = _pages(decoded.text) if kind == "web-archive" else [decoded.text]
        grids = []
        for page in pages:
            parser = HtmlTables()
            parser.feed(page)
            parser.finish()
            grids += parser.grids
            notes += parser.notes
    for number, grid in enumerate(grids, 1):
        label = name if len(grids) == 1 else f"{name} {number}"
        reading.tables.append(_table(label, grid))
    if not reading.tables:
        framed = "<frameset" in decoded.text[:200_000].lower()
        raise Unreadable(
            "The page shows other files that hold its tables. Please save the workbook as .xlsx and send it once more." if framed else "There is no table in this page."
        )
    return reading


def _pages(text: str) -> list[str]:
    """The HTML parts of a web archive."""
    message = email.message_from_string(text, policy=email.policy.compat32)
    parts = [part.get_payload(decode=True) for part in message.walk() if part.get_content_type() == "text/html"]
    return [decode(part).text for part in parts if isinstance(part, bytes)]


def _table(name: str, grid: Grid) -> RawTable:
    width = grid.width
    whole = [(line, row) for line, row in grid.rows if len(row) == width]
    odd = [Rejected(line, f"has {len(row)} cells where the table has {width}") for line, row in grid.rows if len(row) != width]
    rows = [row for _, row in whole]
    count = grid.header_rows if grid.header_rows is not None else count_header_rows(rows[:210])
    header, units = header_names(rows[:count], width)
    columns = [[row[index] for row in rows[count:]] for index in range(width)]
    lines = [line for line, _ in whole[count:]]
    table = RawTable(name, header, count, columns, lines, rejected=odd, range=f"lines {grid.rows[0][0]}–{grid.rows[-1][0]}", units=units)
    table.header_cells = several_rows(rows[:count], range(width))
    if grid.caption:
        table.notes.append(Note("preamble", f"The table's caption: {grid.caption[:120]}", name, grid.rows[0][0]))
    if grid.spanned:
        line, words = grid.spanned[0]
        table.notes.append(Note("merged-cells", f"{len(grid.spanned)} cell(s) span several rows or columns, such as “{words[:40]}” on line {line}; over rows the value stands in each.", name, line))
    return table


def _markdown(text: str) -> list[Grid]:
    grids: list[Grid] = []
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    current: Grid | None = None
    fence = ""
    for number, line in enumerate(lines, 1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) else fence
            continue
        if mark:
            fence, current = mark[1], None
            continue
        above = lines[number - 2] if number > 1 else ""
        if current is None and "|" in line and "|" in above and _RULER.fullmatch(line) and len(_cells(line)) == len(_cells(above)):
            current = Grid([(number - 1, _cells(above))], len(_cells(above)), 1)
            grids.append(current)
        elif current is not None and line.strip() and not re.match(r"\s*(?:#{1,6}\s|>)", line):
            current.rows.append((number, _cells(line)))
        elif current is not None:
            current = None
    return grids


def _cells(line: str) -> list[str]:
    """The cells between unescaped pipes; the outer pipes may be missing."""
    text = line.strip().removeprefix("|")
    text = text[:-1] if re.search(r"(?<!\\)(?:\\\\)*\|$", text) else text
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)]

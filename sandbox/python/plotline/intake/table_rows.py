"""Consecutive records -> one table: where it begins, its header, its rows. Every line is a row, or named with a reason."""

import re
from collections import Counter
from collections.abc import Callable

import numpy as np

from plotline.intake.header import count_header_rows, header_names, several_rows
from plotline.intake.line_notes import listed, on_lines
from plotline.intake.model import Dialect, Note, RawTable, Rejected
from plotline.intake.records import Records, modal_width
from plotline.intake.table_start import SYSTEMATIC, SYSTEMATIC_ROWS, first_row, header_with_other_delimiter, other_delimiter_note, preamble_note
from plotline.intake.text_column import TextColumn

COMMENT_MARKS = ("#", "//")
_MAX_CUT_NOTES = 40
_ONE_FIELD = re.compile(r"has 1 field where the table has \d+")


def build_table(records: Records, dialect: Dialect, name: str, source: list[str]) -> RawTable:
    """One table out of consecutive records."""
    rows, lines = records.rows, records.lines
    table = RawTable(name, [], 0, [], [], rejected=list(records.rejected))
    if not rows:
        return table
    width = modal_width(Records(rows, lines))
    start = first_row(rows, width)
    rows, lines = rows[start:], lines[start:]
    if start:
        head = header_with_other_delimiter(source, records.lines[start - 1], width, dialect)
        if head:
            rows, lines, start = [head, *rows], [records.lines[start - 1], *lines], start - 1
            table.notes.append(other_delimiter_note(name, lines[0]))
    if start:
        table.notes.append(preamble_note(records.lines[:start], lines[0], name))
    first = lines[0]
    rows, lines = _comments(rows, lines, table, source)
    rows, lines, width = _regular(rows, lines, width, dialect, table, source)
    header_rows = count_header_rows(rows[:210])
    table.header, table.units = header_names(rows[:header_rows], width)
    table.header_cells = several_rows(rows[:header_rows], range(width))
    table.header_rows = header_rows
    body, starts = _without_repeats(rows, lines, header_rows, table)
    columns = list(zip(*body)) if body else [()] * width
    table.columns = [list(column) for column in columns]
    table.lines = starts
    finish(table, records, first)
    return table


def finish(table: RawTable, records: Records, first: int) -> None:
    """What is done to every table of text once its columns are there. `first` is the line on which it begins."""
    _drop_empty_edge(table)
    _strip_padding(table)
    _quote_notes(records, table)
    table.rejected.sort(key=lambda found: found.line)
    _cut_notes(table)
    last = max([int(line) for line in table.lines[-1:]] + [found.line for found in table.rejected[-1:]] + [first])
    table.range = f"lines {first}–{last}"


def _regular(
    rows: list[list[str]], lines: list[int], width: int, dialect: Dialect, table: RawTable, source: list[str]
) -> tuple[list[list[str]], list[int], int]:
    """The rows of one width. Rows of another width are rejected, or read where the file is written that way throughout."""
    counts = Counter(map(len, rows))
    if len(counts) == 1 and len(rows[0]) == width and all(row[0] or any(map(str.strip, row)) for row in rows):
        return rows, lines, width
    header = rows[0]
    if len(header) < width and len(rows) > 1:
        extra = width - len(header)
        first_of_rows = [row[0] for row in rows[1:] if len(row) == width]
        row_names = extra == 1 and len(first_of_rows) > 1 and len(set(first_of_rows)) == len(first_of_rows)
        trailing_empty = not any(row[-1].strip() for row in rows[1:] if len(row) == width)
        rows = [[""] * extra + header if row_names and not trailing_empty else header + [""] * extra, *rows[1:]]
    elif len(header) > width and len(rows) > 2 and counts[width] == len(rows) - 1 and not any(map(str.strip, header[width:])):
        rows = [header[:width], *rows[1:]]
    last_filled = max((line for row, line in zip(rows, lines) if any(map(str.strip, row))), default=0)
    kept, starts = regular_rows(rows, lines, width, len(rows), last_filled, dialect, table, lambda line: source[line - 1] if line <= len(source) else "")
    return kept, starts, width


def regular_rows(
    rows: list[list[str]], lines: list[int], width: int, total: int, last_filled: int, dialect: Dialect, table: RawTable, text_of: Callable[[int], str]
) -> tuple[list[list[str]], list[int]]:
    """The rows that are or can be made `width` wide, and their lines; the others go to `table.rejected`. `total` is the
    number of the table's rows, `last_filled` its last line with a value, `text_of` gives a line as it is written."""
    short_rows = sum(1 < len(row) < width for row in rows)
    fewest = 1 if len({len(row) for row in rows}) > 2 and width > 2 else 2
    many = max(SYSTEMATIC * total, SYSTEMATIC_ROWS - 1)
    kept, starts = [], []
    padded: list[int] = []
    cut: list[int] = []
    empty = 0
    for row, line in zip(rows, lines):
        size = len(row)
        if size > 1 and not any(map(str.strip, row)):
            if line < last_filled:
                table.rejected.append(Rejected(line, "holds delimiters but no values"))
            else:
                empty += 1
            continue
        if fewest <= size < width and short_rows > many and not (size == 1 and _has_other_delimiter(row[0], width, dialect)):
            row = row + [""] * (width - size)
            padded.append(line)
        elif size > width and not any(map(str.strip, row[width:])):
            row = row[:width]
            cut.append(line)
        elif size != width:
            table.rejected.append(Rejected(line, reason_of_width(size, width, text_of(line), dialect)))
            continue
        kept.append(row)
        starts.append(line)
    if padded:
        table.notes.append(Note("short-rows", f"{len(padded)} rows end early; their last columns are missing values.", table.name))
    if cut:
        words = f"{len(cut)} row(s) end in empty extra fields, which were left out: {listed(cut)}."
        table.notes += on_lines("long-rows", words, table.name, cut)
    if empty:
        table.notes.append(empty_rows_note(empty, table.name))
    return kept, starts


def empty_rows_note(count: int, table: str) -> Note:
    """A note on lines at a table's end that hold no values."""
    return Note("empty-rows", f"{count} line(s) of delimiters without values after the table were left out.", table)


def few_comments(rows: int) -> float:
    """How many commented lines a table of so many rows may have; more are data that begins with such a mark."""
    return max(2, 0.1 * rows)


def _comments(rows: list[list[str]], lines: list[int], table: RawTable, source: list[str]) -> tuple[list[list[str]], list[int]]:
    """The rows without commented lines, where few lines begin with a mark of comments and the header does not."""
    marked = [index for index, line in enumerate(lines) if line <= len(source) and source[line - 1].lstrip().startswith(COMMENT_MARKS)]
    if not marked or 0 in marked or len(rows[0]) < 2 or len(marked) > few_comments(len(rows)):
        return rows, lines
    for index in marked:
        table.rejected.append(Rejected(lines[index], "is a comment"))
    gone = set(marked)
    keep = [index for index in range(len(rows)) if index not in gone]
    return [rows[index] for index in keep], [lines[index] for index in keep]


def reason_of_width(size: int, width: int, text: str, dialect: Dialect) -> str:
    """Why a record of `size` fields, written as `text`, is not a row of the table."""
    plural = "field" if size == 1 else "fields"
    reason = f"has {size} {plural} where the table has {width}"
    if text.lstrip().startswith(COMMENT_MARKS):
        return "is a comment"
    other = _has_other_delimiter(text, width, dialect) if size < width else None
    if other:
        shown = "tabs" if other == "\t" else f"“{other}”"
        return f"{reason} (separated by {shown})"
    return reason


def _has_other_delimiter(text: str, width: int, dialect: Dialect) -> str | None:
    """The sign that would give the line the table's width."""
    return next((other for other in (";", ",", "\t", "|", ":") if other != dialect.delimiter and len(text.split(other)) == width), None)


def _without_repeats(
    rows: list[list[str]], lines: list[int], header_rows: int, table: RawTable
) -> tuple[list[list[str]], list[int]]:
    """The body without lines that repeat the header, as joined exports have them."""
    body, starts = rows[header_rows:], lines[header_rows:]
    if header_rows != 1 or not body:
        return body, starts
    head = rows[0]
    repeats = [index for index, row in enumerate(body) if row[0] == head[0] and row == head]
    if not repeats:
        return body, starts
    gone = set(repeats)
    table.rejected += [Rejected(starts[index], "repeats the header") for index in repeats]
    keep = [index for index in range(len(body)) if index not in gone]
    return [body[index] for index in keep], [starts[index] for index in keep]


def _drop_empty_edge(table: RawTable) -> None:
    """Columns at the right edge without a name and without a value come from a delimiter at the line's end."""
    while len(table.columns) > 1 and table.header[-1] == f"Column {len(table.columns)}" and table.header_rows:
        column = table.columns[-1]
        if any(map(str.strip, column.distinct if isinstance(column, TextColumn) else column)):
            return
        table.columns.pop()
        table.header.pop()
        if table.units:
            table.units.pop()


def _strip_padding(table: RawTable) -> None:
    """Blanks after the delimiter are how the file is written where nearly all values of a column have them."""
    for index, column in enumerate(table.columns):
        if isinstance(column, TextColumn):
            _strip_distinct(table, index, column)
            continue
        padded = sum(1 for value in column if value[:1] == " " or value[-1:] == " ")
        filled = sum(1 for value in column if value)
        if padded and padded * 10 >= filled * 9:
            table.columns[index] = [value.strip(" ") for value in column]


def _strip_distinct(table: RawTable, index: int, column: TextColumn) -> None:
    if not column.has_edge_blanks:
        return
    counts = column.counts
    padded = {text: text.strip(" ") for text in column.distinct if text[:1] == " " or text[-1:] == " "}
    rows = sum(int(counts[code]) for code, text in enumerate(column.distinct) if text in padded)
    filled = sum(int(counts[code]) for code, text in enumerate(column.distinct) if text)
    if rows * 10 >= filled * 9:
        table.columns[index] = column.mapped(padded)


def _quote_notes(records: Records, table: RawTable) -> None:
    gone = {found.line for found in table.rejected}
    stray = [line for line in records.stray if line not in gone]
    if stray:
        words = f"{len(stray)} line(s) have quotes inside unquoted fields; they were kept as text: {listed(stray)}."
        table.notes += on_lines("stray-quotes", words, table.name, stray)
    inside = records.multi_line
    if inside and len(inside) <= max(2, len(table.lines) // 20):
        words = f"{len(inside)} value(s) run over several lines, from {listed(inside)}."
        table.notes += on_lines("multi-line-values", words, table.name, inside)


def _cut_notes(table: RawTable) -> None:
    """Rows that may have lost a part to a line beside them that was rejected for being one short piece of text."""
    short = [found.line for found in table.rejected if _ONE_FIELD.fullmatch(found.reason)]
    if not short or len(short) > _MAX_CUT_NOTES or not table.columns:
        return
    lines = np.asarray(table.lines)
    suspects = set()
    for line, place in zip(short, np.searchsorted(lines, short).tolist()):
        if place > 0 and (lines[place - 1] == line - 1 or _ends_before(table, place - 1, line)):
            suspects.add(int(lines[place - 1]))
        if place < len(lines) and lines[place] == line + 1:
            suspects.add(line + 1)
    if suspects:
        words = f"{len(suspects)} row(s) may have lost a part to the line beside: {listed(sorted(suspects))}."
        table.notes += on_lines("may-be-cut", words, table.name, sorted(suspects))


def _ends_before(table: RawTable, row: int, line: int) -> bool:
    """Whether a row of several lines ends right before this one."""
    inside = sum(str(table.texts(index)[row]).count("\n") for index in range(len(table.columns)))
    return int(table.lines[row]) + inside == line - 1

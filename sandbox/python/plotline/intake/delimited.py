"""Delimited text -> tables. Every physical line is in a table, in its preamble, blank, or rejected with a reason."""

from collections import Counter
from collections.abc import Sequence

from plotline.intake.dialect import detect_dialect, modal_width
from plotline.intake.encoding import Decoded
from plotline.intake.fixed_width import Layout, find_layout, read_fixed
from plotline.intake.header import count_header_rows, header_names, kind_of
from plotline.intake.model import Dialect, Note, RawTable, Reading, Rejected
from plotline.intake.text_column import TextColumn
from plotline.intake.records import Records, physical_lines, read_records, tokeniser

_SYSTEMATIC = 0.1
"""A width that this share of the rows has is how the file is written, not damage."""
_SYSTEMATIC_ROWS = 3


def read_delimited(decoded: Decoded, name: str) -> Reading:
    """The tables of a delimited text file. A file with one table names it `name`."""
    text = decoded.text
    dialect, width = detect_dialect(text, decoded.encoding)
    lines = physical_lines(text)
    layout = find_layout(lines) if dialect.delimiter == " " or width <= 1 else None
    if layout:
        return _read_fixed(decoded, lines, layout, name)
    how = tokeniser(dialect.delimiter if width != 1 else "", dialect.quote, dialect.escape)
    declared = bool(lines) and lines[0].strip().strip('"').lower().startswith("sep=") and len(lines[0].strip()) <= 8
    if declared:
        lines[0] = ""
    records = read_records(lines, how, width)
    if width != 1 and len(lines) > 250:
        full_width = modal_width(records)
        if full_width != width:
            records = read_records(lines, how, full_width)
    notes = encoding_notes(decoded)
    blocks = _blocks(records)
    tables = [
        build_table(block, dialect, name if len(blocks) == 1 else f"{name} {number}", lines)
        for number, block in enumerate(blocks, 1)
    ]
    return Reading("csv" if dialect.delimiter != "\t" else "tsv", tables, dialect, notes)


def _read_fixed(decoded: Decoded, lines: list[str], layout: Layout, name: str) -> Reading:
    dialect = Dialect(decoded.encoding, " ", None, None)
    table = build_table(read_fixed(lines, layout), dialect, name, lines)
    words = f"The columns stand at fixed positions ({', '.join(str(edge + 1) for edge in layout.edges[:20])})."
    table.notes.append(Note("fixed-width", words, name))
    return Reading("fixed-width", [table], dialect, encoding_notes(decoded))


def encoding_notes(decoded: Decoded) -> list[Note]:
    """What the person must know about how bytes became text."""
    notes = []
    if decoded.mixed_lines:
        words = f"{len(decoded.mixed_lines)} line(s) are not {decoded.encoding} and were read as {decoded.mixed_with}: {listed(decoded.mixed_lines)}."
        notes += _on_lines("mixed-encoding", words, None, decoded.mixed_lines)
    if decoded.nul_lines:
        words = f"NUL bytes were left out of the text on {len(decoded.nul_lines)} line(s): {listed(decoded.nul_lines)}."
        notes += _on_lines("nul-bytes", words, None, decoded.nul_lines)
    if decoded.guessed:
        only = f" on line(s) {listed(decoded.foreign_lines)}" if decoded.foreign_lines else ""
        words = f"The encoding is not stated in the file; {decoded.encoding} gives the most plausible letters{only}."
        notes += _on_lines("guessed-encoding", words, None, decoded.foreign_lines) if decoded.foreign_lines else [Note("guessed-encoding", words)]
    return notes


def listed(lines: list[int]) -> str:
    """The first line numbers, for a sentence."""
    return ", ".join(map(str, lines[:8])) + (" …" if len(lines) > 8 else "")


def _on_lines(code: str, words: str, table: str | None, lines: list[int], most: int = 40) -> list[Note]:
    """The whole sentence on the first line, a short mark on each further one: every line is named where they are few."""
    if len(lines) > most:
        return [Note(code, words, table, lines[0])]
    return [Note(code, words if line == lines[0] else f"The same on line {line}.", table, line) for line in lines]


def _blocks(records: Records) -> list[Records]:
    """The records as one block, or as several tables that blank lines separate and that have different widths."""
    cuts = [cut for cut in records.blank_after if 0 < cut < len(records.rows)]
    if not cuts or len(cuts) > 40:
        return [records]
    edges = [0, *cuts, len(records.rows)]
    spans = [(start, end) for start, end in zip(edges, edges[1:]) if end > start]
    widths = []
    for start, end in spans:
        counted = Counter(map(len, records.rows[start:end]))
        width, times = counted.most_common(1)[0]
        if width > 1 and end - start >= 2 and times == end - start:
            widths.append((width, start, end))
    if len(widths) < 2 or len({width for width, _, _ in widths}) < 2:
        return [records]
    # Lines outside the uniform blocks are titles: each goes to the table that follows it.
    blocks = []
    begin = 0
    for position, (_, start, end) in enumerate(widths):
        end = end if position + 1 < len(widths) else len(records.rows)
        low = 0 if position == 0 else records.lines[begin]
        high = records.lines[end] if end < len(records.lines) else 1 << 62
        block = Records(records.rows[begin:end], records.lines[begin:end])
        block.rejected = [found for found in records.rejected if low <= found.line < high]
        block.multi_line = [line for line in records.multi_line if low <= line < high]
        block.stray = [line for line in records.stray if low <= line < high]
        blocks.append(block)
        begin = end
    return blocks


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
        table.notes.append(preamble_note(records.lines[:start], lines[0], name))
    first = lines[0]
    rows, lines, width = _regular(rows, lines, width, dialect, table, source)
    header_rows = count_header_rows(rows[:210])
    table.header, table.units = header_names(rows[:header_rows], width)
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
    last = max([int(line) for line in table.lines[-1:]] + [found.line for found in table.rejected[-1:]] + [first])
    table.range = f"lines {first}–{last}"


def preamble_note(lines: Sequence[int], first_of_table: int, name: str) -> Note:
    """The lines before the table."""
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
    verb = "is" if len(lines) == 1 else "are"
    return Note("preamble", f"The table begins on line {first_of_table}; {where} before it {verb} not part of it.", name, lines[0])


def first_row(rows: list[list[str]], width: int) -> int:
    """Where the table begins: its first row of the table's width, or a narrower header right before it."""
    start = next(index for index, row in enumerate(rows) if len(row) == width)
    while start + 2 < len(rows) and len(rows[start]) == width and _mostly_empty(rows[start]) and not _mostly_empty(rows[start + 1]):
        start += 1
    if start and width > 1:
        before = rows[start - 1]
        near = len(before) >= 2 and abs(len(before) - width) <= max(1, width // 4)
        named = all(kind_of(value) == "text" for value in before if value.strip())
        if near and named and any(kind_of(value) in ("number", "date") for value in rows[start]):
            return start - 1
    return start


def _mostly_empty(row: list[str]) -> bool:
    filled = sum(bool(value.strip()) for value in row)
    return filled <= 1 and len(row) > 2


def _regular(
    rows: list[list[str]], lines: list[int], width: int, dialect: Dialect, table: RawTable, source: list[str]
) -> tuple[list[list[str]], list[int], int]:
    """The rows of one width. Rows of another width are rejected, or read where the file is written that way throughout."""
    counts = Counter(map(len, rows))
    if len(counts) == 1 and all(row[0] or any(map(str.strip, row)) for row in rows):
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
    number = len(rows)
    short_rows = sum(count for size, count in counts.items() if 1 < size < width)
    long_rows = sum(count for size, count in counts.items() if size > width)
    many = max(_SYSTEMATIC * number, _SYSTEMATIC_ROWS - 1)
    kept, starts = [], []
    padded = cut = empty = 0
    last_filled = max((index for index, row in enumerate(rows) if any(map(str.strip, row))), default=-1)
    for index, row in enumerate(rows):
        size = len(row)
        if size > 1 and not any(map(str.strip, row)):
            if index < last_filled:
                table.rejected.append(Rejected(lines[index], "holds delimiters but no values"))
            else:
                empty += 1
            continue
        if size == width:
            pass
        elif 1 < size < width and short_rows > many:
            row = row + [""] * (width - size)
            padded += 1
        elif size > width and long_rows > many and not any(map(str.strip, row[width:])):
            row = row[:width]
            cut += 1
        else:
            table.rejected.append(Rejected(lines[index], reason_of_width(size, width, source[lines[index] - 1] if lines[index] <= len(source) else "", dialect)))
            continue
        kept.append(row)
        starts.append(lines[index])
    if padded:
        table.notes.append(Note("short-rows", f"{padded} rows end early; their last columns are missing values.", table.name))
    if cut:
        table.notes.append(Note("long-rows", f"{cut} rows end in empty extra fields, which were left out.", table.name))
    if empty:
        table.notes.append(Note("empty-rows", f"{empty} line(s) of delimiters without values after the table were left out.", table.name))
    return kept, starts, width


def reason_of_width(size: int, width: int, text: str, dialect: Dialect) -> str:
    """Why a record of `size` fields, written as `text`, is not a row of the table."""
    plural = "field" if size == 1 else "fields"
    reason = f"has {size} {plural} where the table has {width}"
    if text.lstrip().startswith(("#", "//")) and size != width:
        return f"is a comment ({reason})"
    for other in (";", ",", "\t", "|", ":"):
        if size < width and other != dialect.delimiter and len(text.split(other)) == width:
            shown = "tabs" if other == "\t" else f"“{other}”"
            return f"{reason}; it is separated by {shown}"
    return reason


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
    if records.stray:
        words = f"{len(records.stray)} line(s) have quotes inside unquoted fields; they were kept as text: {listed(records.stray)}."
        table.notes += _on_lines("stray-quotes", words, table.name, records.stray)
    inside = records.multi_line
    if inside and len(inside) <= max(2, len(records.rows) // 20):
        words = f"{len(inside)} value(s) run over several lines, from line {listed(inside)}."
        table.notes += _on_lines("multi-line-values", words, table.name, inside)

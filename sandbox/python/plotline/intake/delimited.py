"""Delimited text -> tables. Every physical line is in a table, in its preamble, blank, or rejected with a reason."""

from plotline.intake.blocks import blocks_of
from plotline.intake.dialect import detect_dialect
from plotline.intake.encoding import Decoded
from plotline.intake.fixed_width import Layout, find_layout, read_fixed, ruler_lines
from plotline.intake.line_notes import encoding_notes, file_notes, listed, on_lines
from plotline.intake.model import Dialect, Note, Reading
from plotline.intake.records import modal_width, physical_lines, read_records, tokeniser
from plotline.intake.table_rows import build_table


def read_delimited(decoded: Decoded, name: str) -> Reading:
    """The tables of a delimited text file. A file with one table names it `name`."""
    text = decoded.text
    dialect, width = detect_dialect(text, decoded.encoding)
    lines = physical_lines(text)
    notes = encoding_notes(decoded) + file_notes(text, lines)
    layout = find_layout(lines) if dialect.delimiter == " " or width <= 1 else None
    if layout:
        return _read_fixed(decoded.encoding, lines, layout, name, notes)
    how = tokeniser(dialect.delimiter if width != 1 else "", dialect.quote, dialect.escape)
    declared = bool(lines) and lines[0].strip().strip('"').lower().startswith("sep=") and len(lines[0].strip()) <= 8
    if declared:
        lines[0] = ""
    records = read_records(lines, how, width)
    if width != 1 and len(lines) > 250:
        full_width = modal_width(records)
        if full_width != width:
            records = read_records(lines, how, full_width)
    blocks = blocks_of(records)
    tables = [
        build_table(block, dialect, name if len(blocks) == 1 else f"{name} {number}", lines)
        for number, block in enumerate(blocks, 1)
    ]
    return Reading("csv" if dialect.delimiter != "\t" else "tsv", tables, dialect, notes)


def _read_fixed(encoding: str, lines: list[str], layout: Layout, name: str, notes: list[Note]) -> Reading:
    dialect = Dialect(encoding, " ", None, None)
    table = build_table(read_fixed(lines, layout), dialect, name, lines)
    words = f"The columns stand at fixed positions ({', '.join(str(edge + 1) for edge in layout.edges[:20])})."
    table.notes.append(Note("fixed-width", words, name))
    rulers = ruler_lines(lines)
    if rulers:
        table.notes += on_lines("rulers", f"Lines of dashes were left out: {listed(rulers)}.", name, rulers)
    return Reading("fixed-width", [table], dialect, notes)

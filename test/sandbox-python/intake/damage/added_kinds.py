"""Damage by lines that are no rows, and by delimiters and line ends that are too many."""

import random

from damage.document import Document, Piece, record
from damage.picking import insert, pick, rewrite, row_of


def repeated_block(doc: Document, rng: random.Random) -> bool:
    """Two records once more, right after themselves."""
    place = pick(doc, rng)
    if place is None or place + 3 >= len(doc.pieces) or any(piece.site or not piece.row for piece in doc.pieces[place : place + 3]):
        return False
    insert(doc, place + 2, doc.pieces[place].text, doc.pieces[place + 1].text)
    return True


def duplicated_row(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None:
        return False
    insert(doc, place + 1, doc.pieces[place].text)
    return True


def comment_lines(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    insert(doc, place, rng.choice(["# checked by hand", "// end of week", "#", "# total, so far, 12"]))
    return True


def blank_line(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None:
        return False
    insert(doc, place, rng.choice(["", "", "   "]))
    return True


def delimiter_only(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    insert(doc, place, doc.written.delimiter * (len(doc.table.header) - 1))
    return True


def footer(doc: Document, rng: random.Random) -> bool:
    """A line of words at the end, after a blank one or not."""
    if len(doc.table.header) < 2:
        return False
    _end(doc)
    texts = [rng.choice(["Source: own figures", "End of report", f"{len(doc.table.rows)} rows", "(c) 2024 Statistics Office"])]
    insert(doc, len(doc.pieces), *([""] if rng.random() < 0.5 else []), *texts)
    return True


def total_row(doc: Document, rng: random.Random) -> bool:
    """A last row that sums up one of the number columns."""
    width = len(doc.table.header)
    if width < 2 or not doc.table.numbers or 0 in doc.table.numbers:
        return False
    column = doc.table.numbers[0]
    values = [row[column].strip("$%") for row in doc.table.rows]
    comma = doc.table.shape.endswith("european")
    plain = [value.replace(".", "").replace(",", ".") if comma else value.replace(",", "") for value in values]
    total = f"{sum(float(value or 0) for value in plain):.2f}"
    _end(doc)
    row = [rng.choice(["Total", "Sum", "Grand total"]), *[""] * (width - 1)]
    row[column] = total.replace(".", ",") if comma else total
    insert(doc, len(doc.pieces), record(row, doc.written))
    return True


def preamble(doc: Document, rng: random.Random) -> bool:
    if len(doc.table.header) < 2:
        return False
    texts = rng.choice([["Sales report 2024"], ["Export of the register", "made on 2024-03-01"], ["Report", ""], ["Title" + doc.written.delimiter * (len(doc.table.header) - 1)]])
    insert(doc, 0, *texts)
    return True


def trailing_delimiter(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    rewrite(doc, place, doc.pieces[place].text + doc.written.delimiter)
    return True


def doubled_delimiter(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    fields = [record([value], doc.written) for value in row_of(doc, doc.pieces[place])]
    column = rng.randrange(1, len(fields))
    rewrite(doc, place, doc.written.delimiter.join([*fields[:column], "", *fields[column:]]))
    return True


def mixed_line_ends(doc: Document, rng: random.Random) -> bool:
    """Some lines end with a carriage return too: nothing of it is lost."""
    for piece in doc.pieces:
        piece.end = rng.choice(["\n", "\r\n"]) if piece.end else ""
    return True


def lone_return(doc: Document, rng: random.Random) -> bool:
    """A carriage return inside one field."""
    place = pick(doc, rng)
    if place is None:
        return False
    text = doc.pieces[place].text
    cut = rng.randrange(1, len(text))
    rewrite(doc, place, text[:cut] + "\r" + text[cut:])
    return True


def control_z(doc: Document, rng: random.Random) -> bool:
    """The end-of-file sign of old programs."""
    _end(doc)
    doc.pieces.append(Piece("\x1a", rng.choice(["", doc.written.end]), None, doc.new_site()))
    return True


def _end(doc: Document) -> None:
    last = doc.pieces[-1]
    last.end = last.end or doc.written.end

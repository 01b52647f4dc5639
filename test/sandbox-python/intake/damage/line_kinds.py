"""Damage to the lines of a file: fields too many or too few, quotes, delimiters, lines merged, cut, added."""

import random

from damage.document import Document, Piece, record
from damage.picking import insert, one_line, pick, rewrite, row_of


def extra_field(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    rewrite(doc, place, doc.pieces[place].text + doc.written.delimiter + rng.choice(["x", "17", "2024-01-01"]))
    return True


def missing_field(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 3:
        return False
    row = row_of(doc, doc.pieces[place])
    row.pop(rng.randrange(len(row)))
    rewrite(doc, place, record(row, doc.written))
    return True


def unclosed_quote(doc: Document, rng: random.Random) -> bool:
    """A quote before a field that has none, or a quoted field without its closing quote."""
    place = pick(doc, rng, one_line)
    if place is None or doc.written.quotes == "none":
        return False
    row = row_of(doc, doc.pieces[place])
    column = rng.randrange(len(row))
    fields = [record([value], doc.written) for value in row]
    quoted = fields[column].startswith('"')
    fields[column] = fields[column][:-1] if quoted else '"' + fields[column]
    if column < len(row) - 1 and quoted and fields[column].endswith('"'):
        return False
    rewrite(doc, place, doc.written.delimiter.join(fields))
    return True


def stray_quote(doc: Document, rng: random.Random) -> bool:
    """A quote somewhere inside a line."""
    place = pick(doc, rng, one_line)
    if place is None:
        return False
    text = doc.pieces[place].text
    cut = rng.randrange(1, len(text))
    rewrite(doc, place, text[:cut] + '"' + text[cut:])
    return True


def text_after_quote(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng, one_line)
    if place is None or doc.written.quotes == "none":
        return False
    row = row_of(doc, doc.pieces[place])
    column = rng.randrange(len(row))
    fields = [record([value], doc.written) for value in row]
    fields[column] = '"' + row[column].replace('"', '""') + '"' + rng.choice([" x", "x", " (old)"])
    rewrite(doc, place, doc.written.delimiter.join(fields))
    return True


def wrong_delimiter(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng, one_line)
    if place is None or len(doc.table.header) < 2:
        return False
    other = {",": ";", ";": ",", "\t": rng.choice(" ,;"), "|": rng.choice(",;/")}[doc.written.delimiter]
    rewrite(doc, place, other.join(record([value], doc.written) for value in row_of(doc, doc.pieces[place])))
    return True


def merged_lines(doc: Document, rng: random.Random) -> bool:
    """The line end between two records is gone."""
    place = pick(doc, rng)
    if place is None or place + 2 >= len(doc.pieces) or doc.pieces[place + 1].site is not None or doc.pieces[place + 1].row is None:
        return False
    second = doc.pieces.pop(place + 1)
    piece = doc.pieces[place]
    rewrite(doc, place, piece.text + second.text)
    piece.more_rows = (second.row or 0,)
    return True


def split_line(doc: Document, rng: random.Random) -> bool:
    """A line end in the middle of a record, the last field left alone."""
    place = pick(doc, rng, one_line)
    if place is None:
        return False
    whole = doc.pieces[place].text
    last = whole.rfind(doc.written.delimiter)
    return last > 1 and _split(doc, place, rng.randrange(1, last))


def split_last_field(doc: Document, rng: random.Random) -> bool:
    """A line end inside the last field: the first half has all fields."""
    place = pick(doc, rng, one_line)
    if place is None or len(doc.table.header) < 2:
        return False
    text = doc.pieces[place].text
    last = text.rfind(doc.written.delimiter) + 2
    return len(text) > last and _split(doc, place, rng.randrange(last, len(text)))


def _split(doc: Document, place: int, cut: int) -> bool:
    piece = doc.pieces[place]
    rest = Piece(piece.text[cut:], piece.end)
    rewrite(doc, place, piece.text[:cut])
    piece.end = doc.written.end
    rest.site = piece.site
    doc.pieces.insert(place + 1, rest)
    return True


def truncated(doc: Document, rng: random.Random) -> bool:
    """The file ends inside its last line, before its last field."""
    text = doc.pieces[-1].text
    last = text.rfind(doc.written.delimiter)
    return last > 1 and _truncate(doc, rng.randrange(1, last))


def truncated_last_field(doc: Document, rng: random.Random) -> bool:
    text = doc.pieces[-1].text
    last = text.rfind(doc.written.delimiter) + 2
    return len(text) > last and _truncate(doc, rng.randrange(last, len(text)))


def _truncate(doc: Document, cut: int) -> bool:
    piece = doc.pieces[-1]
    if piece.site is not None or not piece.row:
        return False
    rewrite(doc, len(doc.pieces) - 1, piece.text[:cut])
    piece.end = ""
    return True


def repeated_header(doc: Document, rng: random.Random) -> bool:
    place = pick(doc, rng)
    if place is None:
        return False
    insert(doc, place, record(doc.table.header, doc.written))
    return True

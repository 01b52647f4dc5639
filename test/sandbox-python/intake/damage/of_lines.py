"""Damage to lines: merged, split, cut, blank, repeated, foreign."""

import random

from damage.document import Document, Piece, Unsuitable


def _of_several_columns(document: Document) -> None:
    """In a single column what is left would be well formed: nobody could tell."""
    if document.width < 2:
        raise Unsuitable


def merged_lines(document: Document, rng: random.Random) -> None:
    """A line end is gone."""
    _of_several_columns(document)
    places = [index for index in range(len(document.pieces) - 1) if document.pieces[index].rows and document.pieces[index + 1].rows]
    place = rng.choice(places)
    first, second = document.pieces[place : place + 2]
    document.pieces[place : place + 2] = [Piece(first.text + second.text, first.rows + second.rows, damaged=True)]


def _split(document: Document, piece: Piece, at: int) -> None:
    _of_several_columns(document)
    if piece.text[:at].count('"') % 2 or not piece.text[:at] or not piece.text[at:]:
        raise Unsuitable  # within quotes a line end is data
    piece.damage(piece.text[:at] + document.style.line_end + piece.text[at:])


def split_line(document: Document, rng: random.Random) -> None:
    for piece in document.pick(rng):
        _split(document, piece, rng.randrange(1, max(2, len(piece.text))))


def split_in_last_field(document: Document, rng: random.Random) -> None:
    for piece in document.pick(rng):
        last = document.style.cell(document.cells(piece)[-1])
        if len(last) < 2:
            raise Unsuitable
        _split(document, piece, len(piece.text) - rng.randrange(1, len(last)))


def split_in_first_field(document: Document, rng: random.Random) -> None:
    for piece in document.pick(rng):
        first = document.style.cell(document.cells(piece)[0])
        if len(first) < 2:
            raise Unsuitable
        _split(document, piece, rng.randrange(1, len(first)))


def split_inside_quotes(document: Document, rng: random.Random) -> None:
    """A line end within a quoted field: data, as far as anyone can tell."""
    for piece in document.pick(rng):
        cells = list(document.cells(piece))
        fields = [document.style.cell(value) for value in cells]
        found = [index for index, field in enumerate(fields) if field.startswith('"') and len(cells[index]) > 2 and '"' not in cells[index]]
        if not found:
            raise Unsuitable
        place = rng.choice(found)
        at = rng.randrange(1, len(cells[place]))
        end = document.style.line_end
        cells[place] = cells[place][:at] + end + cells[place][at:]
        piece.damage(document.style.line(cells), [cells] if end != "\r" else None)


def _cut_last(document: Document, keep: int) -> None:
    last = document.pieces[-1]
    if not 0 < keep < len(last.text):
        raise Unsuitable
    last.damage(last.text[:keep])
    document.last_byte_end = False


def truncated(document: Document, rng: random.Random) -> None:
    _cut_last(document, rng.randrange(1, max(2, len(document.pieces[-1].text))))


def truncated_in_last_field(document: Document, rng: random.Random) -> None:
    last = document.style.cell(document.cells(document.pieces[-1])[-1])
    if len(last) < 2:
        raise Unsuitable
    _cut_last(document, len(document.pieces[-1].text) - rng.randrange(1, len(last)))


def truncated_with_line_end(document: Document, rng: random.Random) -> None:
    """The last line ends early, and a line end follows: within its last field it is still well formed."""
    _of_several_columns(document)
    last = document.pieces[-1]
    cells = list(document.cells(last))
    length = len(document.style.cell(cells[-1]))
    truncated(document, rng)
    cut = len(document.style.line(cells)) - len(last.text)
    if cut < length and not document.style.cell(cells[-1]).startswith('"'):
        last.written = [[*cells[:-1], cells[-1][:-cut]]]
    document.last_byte_end = True


def comment_line(document: Document, rng: random.Random) -> None:
    _of_several_columns(document)
    for _ in range(rng.randint(1, 2)):
        document.insert(rng, Piece(rng.choice(["# checked by Ann", "#", "// second batch", "-- part two", "; end of month", "% measured again, twice", "REM see below"])))


def foreign_line(document: Document, rng: random.Random) -> None:
    """What programs leave in files they write."""
    _of_several_columns(document)
    texts = ["Warning: mysql_fetch_array() expects parameter 1, boolean given in /var/www/x.php on line 12", "<<<<<<< HEAD", "(1000 rows affected)", "<br />", "-----", "=====", "Page 2 of 7", "...", "null"]
    document.insert(rng, Piece(rng.choice(texts)))


def blank_lines(document: Document, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 3)):
        document.insert(rng, Piece(rng.choice(["", "", " ", "  "])), inside=False)


def repeated_header(document: Document, rng: random.Random) -> None:
    document.insert(rng, Piece(document.header.text), inside=False)


def duplicated_row(document: Document, rng: random.Random) -> None:
    place = rng.choice([index for index, piece in enumerate(document.pieces) if piece.rows])
    piece = document.pieces[place]
    document.pieces.insert(place + 1, Piece(piece.text, (), True, [document.cells(piece)]))


def repeated_block(document: Document, rng: random.Random) -> None:
    """Some rows come again later, as where an export was resumed too early."""
    rows = [piece for piece in document.pieces if piece.rows]
    count = min(5, max(1, len(rows) // 25))
    start = rng.randrange(len(rows) - count)
    again = [Piece(piece.text, (), True, [document.cells(piece)]) for piece in rows[start : start + count]]
    place = rng.choice([start + count, len(rows)]) + len(document.pieces) - len(rows)
    document.pieces[place:place] = again


def footer(document: Document, rng: random.Random) -> None:
    _of_several_columns(document)
    words = rng.choice(["Source: our own figures", f"{len(document.table.rows)} rows", "-- end of file --", "EOF", "Generated 2024-05-01 10:00"])
    for text in ["", words] if rng.random() < 0.5 else [words]:
        document.pieces.append(Piece(text, damaged=True))


def total_line(document: Document, rng: random.Random) -> None:
    """Sums under the number columns, well formed."""
    shape, rows = document.table.shape, document.table.rows
    numeric = [index for index, kind in enumerate(document.table.kinds) if kind == "number"]
    if not numeric or document.table.kinds[0] in ("number", "integer"):
        raise Unsuitable
    cells = ["Total"] + [""] * (document.width - 1)
    for index in numeric:
        total = sum(float(row[index].replace(shape.decimal, ".") or 0) for row in rows)
        cells[index] = f"{total:.2f}".replace(".", shape.decimal)
    document.pieces.append(Piece(document.style.line(cells), (), True, [cells]))


def preamble(document: Document, rng: random.Random) -> None:
    if document.width < 3:
        raise Unsuitable
    texts = rng.choice([["Quarterly report"], ["Report of sales", "made on 2024-05-01", ""], ["Exported by Ann", ""], ["# export v2"], ["Region: all", "Period: 2024"]])
    document.pieces[:0] = [Piece(text, damaged=True) for text in texts]


KINDS = {
    "merged-lines": merged_lines,
    "split-line": split_line,
    "split-in-last-field": split_in_last_field,
    "split-in-first-field": split_in_first_field,
    "split-inside-quotes": split_inside_quotes,
    "truncated": truncated,
    "truncated-in-last-field": truncated_in_last_field,
    "truncated-with-line-end": truncated_with_line_end,
    "comment-line": comment_line,
    "foreign-line": foreign_line,
    "blank-lines": blank_lines,
    "repeated-header": repeated_header,
    "duplicated-row": duplicated_row,
    "repeated-block": repeated_block,
    "footer": footer,
    "total-line": total_line,
    "preamble": preamble,
}

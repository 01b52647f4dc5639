"""Damage to the number and order of fields."""

import random

from damage.document import Document, Piece, Unsuitable


def _needs(document: Document, columns: int) -> None:
    if document.width < columns:
        raise Unsuitable


def extra_field(document: Document, rng: random.Random) -> None:
    for piece in document.pick(rng, 3):
        cells = list(document.cells(piece))
        cells.insert(rng.choice([len(cells), rng.randrange(len(cells) + 1)]), rng.choice(["x", "17", "n/a", "2024-01-01"]))
        piece.damage(document.style.line(cells))


def missing_field(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    for piece in document.pick(rng, 3):
        cells = list(document.cells(piece))
        cells.pop(rng.randrange(len(cells)))
        piece.damage(document.style.line(cells))


def half_line(document: Document, rng: random.Random) -> None:
    _needs(document, 4)
    for piece in document.pick(rng):
        piece.damage(document.style.line(document.cells(piece)[: document.width // 2]))


def shifted_row(document: Document, rng: random.Random) -> None:
    """One cell to the right; the last one is lost."""
    _needs(document, 3)
    for piece in document.pick(rng):
        cells = ["", *document.cells(piece)[:-1]]
        piece.damage(document.style.line(cells), [cells])


def swapped_cells(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    for piece in document.pick(rng):
        cells = list(document.cells(piece))
        one, other = rng.sample(range(document.width), 2)
        cells[one], cells[other] = cells[other], cells[one]
        if document.table.kinds[one] == document.table.kinds[other]:
            raise Unsuitable  # nobody could tell
        piece.damage(document.style.line(cells), [cells])


def doubled_delimiter(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    for piece in document.pick(rng, 3):
        cells = list(document.cells(piece))
        cells.insert(rng.randrange(1, len(cells)), "")
        piece.damage(document.style.line(cells))


def wrong_delimiter(document: Document, rng: random.Random) -> None:
    """Up to three rows, all fields or only some of them separated by another sign."""
    _needs(document, 2)
    sign = rng.choice([other for other in ",;\t|:" if other != document.style.delimiter])
    partly = rng.random() < 0.3
    for piece in document.pick(rng, 3):
        cells = [document.style.cell(value) for value in document.cells(piece)]
        if any(sign in value for value in cells):
            raise Unsuitable
        keep = rng.randrange(1, len(cells)) if partly and len(cells) > 2 else 0
        parts = [document.style.delimiter.join(cells[: keep + 1]), *cells[keep + 1 :]] if keep else cells
        piece.damage(sign.join(parts))


def trailing_delimiter(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    for piece in document.pick(rng, 3):
        piece.damage(piece.text + document.style.delimiter * rng.randint(1, 2))


def trailing_delimiter_everywhere(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    for piece in document.pieces:
        piece.text += document.style.delimiter


def ragged_throughout(document: Document, rng: random.Random) -> None:
    """Empty cells at a row's end are not written, as some exports do."""
    if document.table.shape.name != "sparse" or document.style.quoting in ("all", "nonnumeric"):
        raise Unsuitable
    for piece in document.candidates():
        shorter = piece.text.rstrip(document.style.delimiter)
        if shorter != piece.text:
            piece.damage(shorter)


def header_short(document: Document, rng: random.Random) -> None:
    _needs(document, 3)
    document.header.text = document.style.line(document.table.header[:-1])
    document.any_header = True


def header_long(document: Document, rng: random.Random) -> None:
    _needs(document, 3)
    document.header.text += document.style.delimiter
    document.any_header = True


def merged_neighbours(document: Document, rng: random.Random) -> None:
    """Two fields of a row lost the delimiter between them."""
    _needs(document, 3)
    for piece in document.pick(rng):
        cells = [document.style.cell(value) for value in document.cells(piece)]
        place = rng.randrange(len(cells) - 1)
        cells[place : place + 2] = [cells[place] + " " + cells[place + 1]]
        piece.damage(document.style.delimiter.join(cells))


def hollow_line(document: Document, rng: random.Random) -> None:
    _needs(document, 2)
    document.insert(rng, Piece(document.style.delimiter * (document.width - 1)), inside=rng.random() < 0.8)


KINDS = {
    "extra-field": extra_field,
    "missing-field": missing_field,
    "half-line": half_line,
    "shifted-row": shifted_row,
    "swapped-cells": swapped_cells,
    "doubled-delimiter": doubled_delimiter,
    "wrong-delimiter": wrong_delimiter,
    "trailing-delimiter": trailing_delimiter,
    "trailing-delimiter-everywhere": trailing_delimiter_everywhere,
    "ragged-throughout": ragged_throughout,
    "header-short": header_short,
    "header-long": header_long,
    "merged-neighbours": merged_neighbours,
    "hollow-line": hollow_line,
}

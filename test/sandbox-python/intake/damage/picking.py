"""What all kinds of damage share: which record to hit, and how to mark it."""

import random
from collections.abc import Callable

from damage.document import Document, Piece, record


def pick(doc: Document, rng: random.Random, fits: Callable[[Piece], bool] = lambda _: True, last: bool = False) -> int | None:
    """The place of an undamaged record of the body, neither its first nor (unless `last`) its last, away from other damage."""
    pieces = doc.pieces
    good = [
        place
        for place in range(2, len(pieces) - (0 if last else 1))
        if pieces[place].row and all(near.site is None for near in pieces[place - 1 : place + 2]) and fits(pieces[place])
    ]
    return rng.choice(good) if good else None


def rewrite(doc: Document, place: int, text: str | None = None, raw: bytes | None = None) -> None:
    """Another text, or bytes, for the record."""
    piece = doc.pieces[place]
    piece.site = doc.new_site()
    if text is not None:
        piece.text = text
    piece.raw = raw


def insert(doc: Document, place: int, *texts: str) -> None:
    """Lines that are no rows of the table, each with a site of its own."""
    end = doc.written.end
    doc.pieces[place:place] = [Piece(text, end, None, doc.new_site()) for text in texts]


def row_of(doc: Document, piece: Piece) -> list[str]:
    assert piece.row
    return list(doc.table.rows[piece.row - 1])


def change_cell(doc: Document, rng: random.Random, columns: tuple[int, ...], new: Callable[[str], str | None]) -> bool:
    """One cell of one record is written as `new` makes it; False where no cell of the columns changes."""

    def change(piece: Piece) -> tuple[int, str] | None:
        row = row_of(doc, piece)
        for column in rng.sample(columns, len(columns)):
            value = new(row[column])
            if value is not None and value != row[column]:
                return column, value
        return None

    place = pick(doc, rng, lambda piece: change(piece) is not None)
    if place is None:
        return False
    column, value = change(doc.pieces[place]) or (0, "")
    row = row_of(doc, doc.pieces[place])
    rewrite(doc, place, record([*row[:column], value, *row[column + 1 :]], doc.written))
    return True


def one_line(piece: Piece) -> bool:
    return "\n" not in piece.text

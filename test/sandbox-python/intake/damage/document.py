"""A written file as pieces: one for each record, so that damage knows which rows and which lines it hits."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from damage.styles import Style
from damage.tables import CleanTable


class Unsuitable(Exception):
    """This kind of damage cannot be done to this file."""


@dataclass
class Piece:
    """Consecutive lines of the file, without the last line end.

    `rows` are the clean rows it carries. `written`: the rows that a damaged piece holds now, where it is still well formed;
    None where no reader could tell. `data` stands in place of the encoded text, `end` in place of the style's line end.
    """

    text: str
    rows: tuple[int, ...] = ()
    damaged: bool = False
    written: list[list[str]] | None = None
    data: bytes | None = None
    end: str | None = None
    is_header: bool = False

    def damage(self, text: str, written: list[list[str]] | None = None) -> None:
        self.text, self.written, self.damaged = text, written, True


@dataclass
class Document:
    """A file under damage. `hits` are (row, column) of damaged cells whose meaning is still that of the clean cell."""

    table: CleanTable
    style: Style
    pieces: list[Piece]
    hits: list[tuple[int, int]] = field(default_factory=list)
    any_header: bool = False
    """The header was damaged: its names are not compared."""
    last_byte_end: bool = True

    @property
    def width(self) -> int:
        return len(self.table.header)

    @property
    def header(self) -> Piece:
        """Raises `Unsuitable` where the file has none."""
        if not self.style.header:
            raise Unsuitable
        return next(piece for piece in self.pieces if piece.is_header)

    def cells(self, piece: Piece) -> list[str]:
        return self.table.rows[piece.rows[0]]

    def candidates(self) -> list[Piece]:
        return [piece for piece in self.pieces if len(piece.rows) == 1 and not piece.damaged]

    def pick(self, rng: random.Random, most: int = 1) -> list[Piece]:
        """One undamaged row, or up to `most` in larger files."""
        found = self.candidates()
        count = min(rng.randint(1, most), max(1, len(found) // 30))
        return rng.sample(found, count)

    def insert(self, rng: random.Random, new: Piece, inside: bool = True) -> None:
        """Puts a new damaged piece between two rows, or, not `inside`, perhaps at the table's edges."""
        places = [index for index, piece in enumerate(self.pieces) if piece.rows]
        place = rng.choice(places[1:] if inside else [*places, places[-1] + 1])
        new.damaged = True
        self.pieces.insert(place, new)

    def lines(self) -> Iterable[tuple[Piece, range]]:
        """Each piece with its physical lines, from 1."""
        line = 1
        feeds = "\r" if self.style.line_end == "\r" else "\n"
        for piece in self.pieces:
            end = self.style.line_end if piece.end is None else piece.end
            text = piece.text if piece.data is None else piece.data.decode("latin-1")
            count = (text + end).count(feeds)
            yield piece, range(line, line + max(1, count))
            line += count

    def encoded(self) -> bytes:
        style = self.style
        out = bytearray(style.mark)
        for index, piece in enumerate(self.pieces):
            out += style.encode(piece.text) if piece.data is None else piece.data
            if index < len(self.pieces) - 1 or self.last_byte_end:
                out += style.encode(style.line_end if piece.end is None else piece.end)
        return bytes(out)


def written_document(table: CleanTable, style: Style) -> Document:
    """The clean file. Raises ValueError where the style cannot hold the table."""
    head = [Piece(style.line(table.header), is_header=True)] if style.header else []
    pieces = [Piece(style.line(cells), (index,)) for index, cells in enumerate(table.rows)]
    return Document(table, style, head + pieces, last_byte_end=style.final_end)

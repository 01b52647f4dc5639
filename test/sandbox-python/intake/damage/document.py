"""A table as the pieces of a file, so that damage can be done to single ones and its place is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from damage.clean import Row, Table, Written


@dataclass
class Piece:
    """A record with its line end. `row` is the clean row it holds (0 is the header), None where there is none.

    `site` says which damage hit it; a piece with a site is loaded as the clean table has it, or named. `raw` are its bytes
    where they are not the text in the file's encoding.
    """

    text: str
    end: str
    row: int | None = None
    site: int | None = None
    raw: bytes | None = None
    more_rows: tuple[int, ...] = ()
    """Further clean rows that went into this piece."""


@dataclass
class Document:
    table: Table
    pieces: list[Piece]
    sites: int = 0
    name: str = "table.csv"
    kinds: list[str] = field(default_factory=list)

    @property
    def written(self) -> Written:
        return self.table.written

    def new_site(self) -> int:
        self.sites += 1
        return self.sites

    def bytes(self) -> bytes:
        how = self.written
        mark = b"\xef\xbb\xbf" if how.encoding == "utf-8-sig" else b"\xff\xfe" if how.encoding == "utf-16" else b""
        coding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(how.encoding, how.encoding)
        return mark + b"".join(
            (piece.text.encode(coding, "replace") if piece.raw is None else piece.raw) + piece.end.encode(coding) for piece in self.pieces
        )

    def lines(self) -> list[range]:
        """The physical lines, from 1, of each piece. A line ends with the file's own line end."""
        sign = "\r" if self.written.end == "\r" else "\n"
        out, number = [], 1
        for piece in self.pieces:
            inside = piece.text.count(sign) if piece.raw is None else 0
            out.append(range(number, number + inside + 1))
            number += inside + (sign in piece.end)
        return out


def record(row: Iterable[str], how: Written) -> str:
    """One record as the dialect writes it."""
    return how.delimiter.join(_field(value, how) for value in row)


def _field(value: str, how: Written) -> str:
    needed = how.delimiter in value or '"' in value or "\n" in value or "\r" in value
    if how.quotes == "all" or (how.quotes == "minimal" and needed):
        return '"' + value.replace('"', '""') + '"'
    return value


def document(table: Table) -> Document:
    """The clean file. A table whose cells need quotes must not be written without them."""
    rows: list[Row] = [table.header, *table.rows]
    return Document(table, [Piece(record(row, table.written), table.written.end, number) for number, row in enumerate(rows)])

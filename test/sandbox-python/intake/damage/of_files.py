"""Damage to a file as a whole: files put together, mixed line ends, what transfers and terminals leave behind."""

import random

from damage.document import Document, Piece, Unsuitable


def files_put_together(document: Document, rng: random.Random) -> None:
    """A second file after the first, with its byte-order mark and its header."""
    if not document.style.encoding.startswith("utf-8"):
        raise Unsuitable
    mark = "\ufeff"
    places = [index for index, piece in enumerate(document.pieces) if piece.rows]
    place = rng.choice(places[1:])
    if rng.random() < 0.5:
        document.pieces.insert(place, Piece(mark + document.header.text, damaged=True))
        return
    piece = document.pieces[place]
    piece.damage(mark + piece.text)


def files_without_end_put_together(document: Document, rng: random.Random) -> None:
    """The first file had no line end: its last row and the second one's header are one line."""
    head = document.header
    places = [index for index, piece in enumerate(document.pieces) if piece.rows]
    place = rng.choice(places)
    piece = document.pieces[place]
    piece.damage(piece.text + head.text)


def mixed_line_ends(document: Document, rng: random.Random) -> None:
    """`\\n` and `\\r\\n` in one file."""
    if document.style.line_end == "\r":
        raise Unsuitable
    share = rng.choice([0.1, 0.5])
    for piece in document.pieces:
        if rng.random() < share:
            piece.end = {"\n": "\r\n", "\r\n": "\n"}[document.style.line_end]


def lone_return_ends_a_line(document: Document, rng: random.Random) -> None:
    """One line of the file ends in a lone carriage return."""
    if document.style.line_end == "\r":
        raise Unsuitable
    places = [index for index in range(len(document.pieces) - 1) if document.pieces[index].rows and document.pieces[index + 1].rows]
    place = rng.choice(places)
    first, second = document.pieces[place : place + 2]
    document.pieces[place : place + 2] = [Piece(first.text + "\r" + second.text, first.rows + second.rows, damaged=True)]


def doubled_returns(document: Document, rng: random.Random) -> None:
    """`\\r\\r\\n`, as where a file was written in text mode twice."""
    if document.style.line_end == "\r" or not document.table.shape.plain:
        raise Unsuitable
    for piece in document.pieces:
        piece.end = "\r\r\n"


def end_of_file_mark(document: Document, rng: random.Random) -> None:
    """^Z after the last line."""
    document.last_byte_end = False
    document.pieces[-1].end = document.style.line_end
    document.pieces.append(Piece("\x1a", damaged=True))


def end_of_file_mark_on_last_line(document: Document, rng: random.Random) -> None:
    document.last_byte_end = False
    document.pieces[-1].damage(document.pieces[-1].text + "\x1a")


def zeros_at_the_end(document: Document, rng: random.Random) -> None:
    """A block of zero bytes that a crash left."""
    if document.style.encoding == "utf-16":
        raise Unsuitable
    document.pieces.append(Piece("", damaged=True, data=b"\0" * rng.choice([1, 64, 512])))
    document.last_byte_end = False


def zeros_in_the_middle(document: Document, rng: random.Random) -> None:
    """Part of a line is zero bytes."""
    if document.style.encoding == "utf-16":
        raise Unsuitable
    for piece in document.pick(rng):
        data = bytearray(document.style.encode(piece.text))
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.randint(2, 20))
        if data[start:end].find(b"\n") >= 0:
            raise Unsuitable
        data[start:end] = b"\0" * (end - start)
        piece.damage(piece.text)
        piece.data = bytes(data)


def blanks_around_delimiters(document: Document, rng: random.Random) -> None:
    """One line with a blank after each delimiter."""
    if document.width < 2 or document.style.delimiter == "\t":
        raise Unsuitable
    for piece in document.pick(rng):
        cells = document.cells(piece)
        padded = [cells[0], *(f" {value}" for value in cells[1:])]
        fields = [document.style.cell(value) for value in cells]
        any_quote = any(field.startswith('"') for field in fields)
        piece.damage((document.style.delimiter + " ").join(fields), None if any_quote else [padded])


KINDS = {
    "files-put-together": files_put_together,
    "files-without-end-put-together": files_without_end_put_together,
    "mixed-line-ends": mixed_line_ends,
    "lone-return-ends-a-line": lone_return_ends_a_line,
    "doubled-returns": doubled_returns,
    "end-of-file-mark": end_of_file_mark,
    "end-of-file-mark-on-last-line": end_of_file_mark_on_last_line,
    "zeros-at-the-end": zeros_at_the_end,
    "zeros-in-the-middle": zeros_in_the_middle,
    "blanks-around-delimiters": blanks_around_delimiters,
}

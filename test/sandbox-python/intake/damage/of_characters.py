"""Damage to characters: other encodings, lost ones, invisible ones."""

import random
from collections.abc import Callable

from damage.document import Document, Piece, Unsuitable


def _changed(document: Document, piece: Piece, place: int, value: str) -> None:
    cells = list(document.cells(piece))
    cells[place] = value
    piece.damage(document.style.line(cells), [cells])


def _letters(document: Document, piece: Piece, rng: random.Random) -> int:
    """A cell with some letters."""
    found = [index for index, value in enumerate(document.cells(piece)) if sum(map(str.isalpha, value)) > 2]
    if not found:
        raise Unsuitable
    return rng.choice(found)


def _put_in(sign: str) -> Callable[[Document, random.Random], None]:
    """One sign put into a cell."""

    def damage(document: Document, rng: random.Random) -> None:
        for piece in document.pick(rng):
            found = [index for index, value in enumerate(document.cells(piece)) if len(value) > 1]
            if not found:
                raise Unsuitable
            place = rng.choice(found)
            value = document.cells(piece)[place]
            at = rng.randrange(1, len(value))
            _changed(document, piece, place, value[:at] + sign + value[at:])
            piece.text.encode("utf-8")
            document.style.encode(piece.text)

    return damage


def _not_plain(document: Document) -> None:
    """UTF-8 in a file of a code page that is otherwise ASCII makes it a file in UTF-8."""
    if document.style.encoding == "cp1252" and all(piece.text.isascii() for piece in document.pieces):
        raise Unsuitable


def nul(document: Document, rng: random.Random) -> None:
    """A zero byte within a cell; leaving it out gives the clean cell."""
    _put_in("\0")(document, rng)


def other_encoding(document: Document, rng: random.Random) -> None:
    """One line in another encoding than the file."""
    if document.style.encoding == "utf-16":
        raise Unsuitable
    _not_plain(document)
    other = rng.choice(["cp1252", "cp1252", "cp850", "mac_roman"]) if document.style.encoding.startswith("utf-8") else "utf-8"
    for piece in document.pick(rng):
        place = _letters(document, piece, rng)
        value = document.cells(piece)[place]
        at = rng.randrange(1, len(value))
        cells = list(document.cells(piece))
        cells[place] = value[:at] + rng.choice("éüñåç") + value[at:]
        text = document.style.line(cells)
        piece.damage(text, [cells])
        piece.data = text.encode(other)


def mojibake(document: Document, rng: random.Random) -> None:
    """UTF-8 read as Windows-1252 and written again."""
    _not_plain(document)
    for piece in document.pick(rng):
        place = _letters(document, piece, rng)
        value = document.cells(piece)[place]
        at = rng.randrange(1, len(value))
        bad = rng.choice("éüñåç").encode().decode("cp1252")
        _changed(document, piece, place, value[:at] + bad + value[at:])


def lost_character(document: Document, rng: random.Random) -> None:
    for piece in document.pick(rng):
        place = _letters(document, piece, rng)
        value = document.cells(piece)[place]
        at = rng.randrange(len(value) - 1)
        _changed(document, piece, place, value[:at] + "\ufffd" + value[at + 1 :])
        document.style.encode(piece.text)


def cut_character(document: Document, rng: random.Random) -> None:
    """A character of several bytes lost one of them."""
    if not document.style.encoding.startswith("utf-8"):
        raise Unsuitable
    for piece in document.pick(rng):
        data = document.style.encode(piece.text)
        found = [index for index, byte in enumerate(data) if 0x80 <= byte < 0xC0]
        if not found:
            raise Unsuitable
        at = rng.choice(found)
        piece.damage(piece.text)
        piece.data = data[:at] + data[at + 1 :]


def invalid_byte(document: Document, rng: random.Random) -> None:
    if document.style.encoding == "utf-16":
        raise Unsuitable
    for piece in document.pick(rng):
        data = document.style.encode(piece.text)
        at = rng.randrange(1, max(2, len(data)))
        piece.damage(piece.text)
        piece.data = data[:at] + rng.choice([b"\xff", b"\x81", b"\xfe", b"\x9d"]) + data[at:]


def return_in_field(document: Document, rng: random.Random) -> None:
    """A lone carriage return within an unquoted field."""
    if document.style.line_end == "\r":
        raise Unsuitable
    for piece in document.pick(rng):
        cells = list(document.cells(piece))
        place = rng.randrange(len(cells))
        if len(cells[place]) < 2 or '"' in piece.text:
            raise Unsuitable
        at = rng.randrange(1, len(cells[place]))
        cells[place] = cells[place][:at] + "\r" + cells[place][at:]
        piece.damage(document.style.delimiter.join(cells), [cells])


def byte_swapped_tail(document: Document, rng: random.Random) -> None:
    """In UTF-16 one byte is lost near the end: every later character is another one."""
    if document.style.encoding != "utf-16":
        raise Unsuitable
    last = document.pieces[-1]
    data = document.style.encode(last.text)
    last.damage(last.text)
    last.data = data[:-1]
    document.last_byte_end = False


KINDS = {
    "other-encoding": other_encoding,
    "mojibake": mojibake,
    "lost-character": lost_character,
    "cut-character": cut_character,
    "invalid-byte": invalid_byte,
    "utf-16-odd-byte": byte_swapped_tail,
    "nul": nul,
    "control-character": _put_in("\x07"),
    "escape-character": _put_in("\x1b"),
    "form-feed": _put_in("\x0c"),
    "line-separator": _put_in("\u2028"),
    "next-line": _put_in("\x85"),
    "no-break-space": _put_in("\u00a0"),
    "zero-width": _put_in("\u200b"),
    "tab-in-cell": _put_in("\t"),
    "return-in-field": return_in_field,
}

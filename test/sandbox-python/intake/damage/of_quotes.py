"""Damage by quotes: missing, too many, of another kind."""

import random

from damage.document import Document, Piece, Unsuitable


def _fields(document: Document, piece: Piece) -> list[str]:
    return [document.style.cell(value) for value in document.cells(piece)]


def _join(document: Document, fields: list[str]) -> str:
    return document.style.delimiter.join(fields)


def _quoting(document: Document) -> None:
    if document.style.quoting == "none":
        raise Unsuitable


def unclosed_quote(document: Document, rng: random.Random) -> None:
    """A field opens a quote that nothing closes: a lost closing quote, or an opening one too many."""
    for piece in document.pick(rng):
        fields = _fields(document, piece)
        place = rng.randrange(len(fields))
        fields[place] = fields[place][:-1] if fields[place][:1] == '"' and len(fields[place]) > 2 else '"' + fields[place]
        piece.damage(_join(document, fields))


def lost_opening_quote(document: Document, rng: random.Random) -> None:
    _quoting(document)
    for piece in document.pick(rng):
        fields = _fields(document, piece)
        quoted = [index for index, field in enumerate(fields) if field[:1] == '"' and len(field) > 3]
        if not quoted:
            raise Unsuitable
        place = rng.choice(quoted)
        fields[place] = fields[place][1:]
        piece.damage(_join(document, fields))


def stray_quote(document: Document, rng: random.Random) -> None:
    """A quote inside a field; where the field is not quoted it can be kept as it is."""
    for piece in document.pick(rng):
        fields = _fields(document, piece)
        place = rng.randrange(len(fields))
        if len(fields[place]) < 4:
            raise Unsuitable
        at = rng.randrange(2, len(fields[place]) - 1)
        quoted = fields[place].startswith('"')
        fields[place] = fields[place][:at] + '"' + fields[place][at:]
        cells = list(document.cells(piece))
        cells[place] = fields[place]
        piece.damage(_join(document, fields), None if quoted else [cells])


def text_after_quote(document: Document, rng: random.Random) -> None:
    _quoting(document)
    for piece in document.pick(rng):
        fields = _fields(document, piece)
        place = rng.randrange(len(fields))
        whole = fields[place] if fields[place].startswith('"') else f'"{fields[place]}"'
        fields[place] = whole + rng.choice(["x", " x", "7", ' "x"'])
        piece.damage(_join(document, fields))


def smart_quotes(document: Document, rng: random.Random) -> None:
    """Typographic quotes where plain ones were."""
    if document.style.encoding not in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        raise Unsuitable
    for piece in document.pick(rng):
        cells = list(document.cells(piece))
        fields = _fields(document, piece)
        place = rng.randrange(len(fields))
        fields[place] = f"“{cells[place]}”"
        if any(sign in cells[place] for sign in (document.style.delimiter, "\n")):
            piece.damage(_join(document, fields))
            return
        cells[place] = fields[place]
        piece.damage(_join(document, fields), [cells])


def single_quotes(document: Document, rng: random.Random) -> None:
    """One row's fields in apostrophes."""
    for piece in document.pick(rng):
        cells = [f"'{value}'" for value in document.cells(piece)]
        if any(sign in value for value in cells for sign in (document.style.delimiter, "\n", '"')):
            raise Unsuitable
        piece.damage(_join(document, cells), [cells])


def backslash_quotes(document: Document, rng: random.Random) -> None:
    """One row escapes its quotes by a backslash in a file that doubles them."""
    _quoting(document)
    found = [piece for piece in document.candidates() if any('"' in value for value in document.cells(piece))]
    if not found:
        raise Unsuitable
    piece = rng.choice(found)
    fields = [field if '""' not in field else '"' + value.replace('"', '\\"') + '"' for field, value in zip(_fields(document, piece), document.cells(piece))]
    piece.damage(_join(document, fields))


def undoubled_quotes(document: Document, rng: random.Random) -> None:
    """One row forgot to double the quotes inside a quoted field."""
    _quoting(document)
    found = [piece for piece in document.candidates() if any('"' in value for value in document.cells(piece))]
    if not found:
        raise Unsuitable
    piece = rng.choice(found)
    fields = [field if '""' not in field else '"' + value + '"' for field, value in zip(_fields(document, piece), document.cells(piece))]
    piece.damage(_join(document, fields))


def quoted_line(document: Document, rng: random.Random) -> None:
    """The whole line quoted once more, as some programs do to a line with quotes in it."""
    if document.width < 2:
        raise Unsuitable
    for piece in document.pick(rng):
        if "\n" in piece.text:
            raise Unsuitable
        piece.damage('"' + piece.text.replace('"', '""') + '"')


KINDS = {
    "unclosed-quote": unclosed_quote,
    "lost-opening-quote": lost_opening_quote,
    "stray-quote": stray_quote,
    "text-after-quote": text_after_quote,
    "smart-quotes": smart_quotes,
    "single-quotes": single_quotes,
    "backslash-quotes": backslash_quotes,
    "undoubled-quotes": undoubled_quotes,
    "quoted-line": quoted_line,
}

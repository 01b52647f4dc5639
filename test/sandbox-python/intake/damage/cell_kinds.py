"""Damage to single cells and to the bytes of single lines."""

import random
import re

from damage.document import Document, record
from damage.picking import change_cell, insert, one_line, pick, rewrite, row_of


def _coding(doc: Document) -> str:
    return {"utf-8-sig": "utf-8"}.get(doc.written.encoding, doc.written.encoding)


def other_encoding(doc: Document, rng: random.Random) -> bool:
    """One line of a UTF-8 file in Windows-1252, or the other way round."""
    coding = _coding(doc)
    if coding == "utf-16":
        return False
    place = pick(doc, rng, lambda piece: not piece.text.isascii() and _fits(piece.text, "cp1252"))
    if place is None:
        return False
    rewrite(doc, place, raw=doc.pieces[place].text.encode("cp1252" if coding == "utf-8" else "utf-8"))
    return True


def _fits(text: str, coding: str) -> bool:
    return text == text.encode(coding, "ignore").decode(coding)


def mojibake(doc: Document, rng: random.Random) -> bool:
    """UTF-8 that was read as Windows-1252 and written again."""

    def garbled(value: str) -> str | None:
        try:
            return None if value.isascii() else value.encode("utf-8").decode("cp1252")
        except UnicodeDecodeError:
            return None

    return change_cell(doc, rng, tuple(range(len(doc.table.header))), garbled)


def replacement_sign(doc: Document, rng: random.Random) -> bool:
    """A letter that was lost: U+FFFD in its place."""
    if doc.written.encoding == "cp1252":
        return False
    return change_cell(doc, rng, _texts(doc), lambda value: value[:1] + "\ufffd" + value[2:] if len(value) > 3 else None)


def nul_byte(doc: Document, rng: random.Random) -> bool:
    return _sign_inside(doc, rng, "\0")


def control_sign(doc: Document, rng: random.Random) -> bool:
    return _sign_inside(doc, rng, rng.choice("\x01\x08\x0b\x1b\x7f"))


def mark_in_the_middle(doc: Document, rng: random.Random) -> bool:
    """A byte-order mark before a line, as where files were put together."""
    if doc.written.encoding == "cp1252":
        return False
    place = pick(doc, rng)
    if place is None:
        return False
    rewrite(doc, place, "\ufeff" + doc.pieces[place].text)
    return True


def no_break_space(doc: Document, rng: random.Random) -> bool:
    return change_cell(doc, rng, tuple(range(len(doc.table.header))), lambda value: value + "\u00a0" if value else None)


def padding(doc: Document, rng: random.Random) -> bool:
    return change_cell(doc, rng, tuple(range(len(doc.table.header))), lambda value: rng.choice([" ", "  "]) + value + rng.choice(["", " "]) if value else None)


def blank_cell(doc: Document, rng: random.Random) -> bool:
    """Blanks instead of a value."""
    if len(doc.table.header) < 2:
        return False
    return change_cell(doc, rng, tuple(range(1, len(doc.table.header))), lambda value: rng.choice([" ", "   "]) if value else None)


def smart_quotes(doc: Document, rng: random.Random) -> bool:
    """Typographic quotes around a cell, as word processors make them."""
    if doc.written.encoding == "cp1252" and rng.random() < 0.5:
        return False
    return change_cell(doc, rng, _texts(doc), lambda value: f"“{value}”" if value and '"' not in value and "\n" not in value else None)


def backslash_quotes(doc: Document, rng: random.Random) -> bool:
    """One record writes the quotes inside its cells with a backslash."""
    place = pick(doc, rng, lambda piece: any('"' in value for value in row_of(doc, piece)))
    if place is None:
        return False
    rewrite(doc, place, doc.written.delimiter.join('"' + value.replace('"', '\\"') + '"' for value in row_of(doc, doc.pieces[place])))
    return True


def decimal_comma(doc: Document, rng: random.Random) -> bool:
    """A number with the other decimal sign, not quoted: it may give the line a field more."""
    place = pick(doc, rng, lambda piece: any(re.fullmatch(r"-?\d+[.,]\d+", row_of(doc, piece)[column]) for column in doc.table.numbers))
    if place is None:
        return False
    row = row_of(doc, doc.pieces[place])
    column = next(column for column in doc.table.numbers if re.fullmatch(r"-?\d+[.,]\d+", row[column]))
    fields = [record([value], doc.written) for value in row]
    fields[column] = fields[column].translate({44: 46, 46: 44})
    rewrite(doc, place, doc.written.delimiter.join(fields))
    return True


def thousands_marks(doc: Document, rng: random.Random) -> bool:
    def marked(value: str) -> str | None:
        found = re.fullmatch(r"(-?\d{1,3})(\.\d+)?", value)
        return f"{found[1]}{rng.choice([',', ' ', chr(39)])}{rng.randint(100, 999)}{found[2] or ''}" if found else None

    return change_cell(doc, rng, doc.table.numbers, marked)


def other_date_format(doc: Document, rng: random.Random) -> bool:
    def turned(value: str) -> str | None:
        found = re.match(r"(\d{4})-(\d\d)-(\d\d)", value)
        if found:
            return rng.choice([f"{found[3]}.{found[2]}.{found[1]}", f"{found[2]}/{found[3]}/{found[1]}", f"{found[1]}{found[2]}{found[3]}"])
        return "2024-03-05" if value else None

    return change_cell(doc, rng, doc.table.dates, turned)


def text_in_number(doc: Document, rng: random.Random) -> bool:
    return change_cell(doc, rng, doc.table.numbers, lambda value: rng.choice(["oops", "n. a. (see note)", "twelve", "12 or 13"]) if value else None)


def swapped_cells(doc: Document, rng: random.Random) -> bool:
    """Two cells of different types in each other's place."""
    typed = [*doc.table.numbers, *doc.table.dates]
    others = _texts(doc)
    if not typed or not others:
        return False
    place = pick(doc, rng, lambda piece: all(row_of(doc, piece)))
    if place is None:
        return False
    row = row_of(doc, doc.pieces[place])
    first, second = rng.choice(typed), rng.choice(others)
    row[first], row[second] = row[second], row[first]
    rewrite(doc, place, record(row, doc.written))
    return True


def shifted_row(doc: Document, rng: random.Random) -> bool:
    """All cells one column to the right, the last one gone."""
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 3:
        return False
    rewrite(doc, place, record(["", *row_of(doc, doc.pieces[place])[:-1]], doc.written))
    return True


def scientific_id(doc: Document, rng: random.Random) -> bool:
    """What a spreadsheet program makes of a long number."""
    return change_cell(doc, rng, doc.table.ids, lambda value: f"{float(value):.5E}" if len(value) > 9 and value.isdigit() else None)


def zeros_lost(doc: Document, rng: random.Random) -> bool:
    return change_cell(doc, rng, doc.table.ids, lambda value: value.lstrip("0") or "0" if value.isdigit() else None)


def _texts(doc: Document) -> tuple[int, ...]:
    """Columns that hold neither numbers nor dates."""
    table = doc.table
    return tuple(column for column in range(len(table.header)) if column not in table.numbers and column not in table.dates)


def _sign_inside(doc: Document, rng: random.Random, sign: str) -> bool:
    place = pick(doc, rng, one_line)
    if place is None:
        return False
    text = doc.pieces[place].text
    cut = rng.randrange(1, len(text))
    rewrite(doc, place, text[:cut] + sign + text[cut:])
    return True


def message_line(doc: Document, rng: random.Random) -> bool:
    """A line of an error message in the middle of an export."""
    place = pick(doc, rng)
    if place is None or len(doc.table.header) < 2:
        return False
    insert(doc, place, rng.choice(["ORA-01555: snapshot too old", "Warning: result was cut", "-- page 2 --", "(3 rows selected)"]))
    return True

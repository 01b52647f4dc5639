"""Damage to values in well-formed lines: another notation, another type. `hits` keep what the cell still means."""

import datetime
import random
import re
from collections.abc import Callable

from damage.document import Document, Piece, Unsuitable


def _change(document: Document, rng: random.Random, kinds: tuple[str, ...], new: Callable[[str], str], same_meaning: bool) -> None:
    """Changes one cell of one of these kinds; `new` gives its text and raises `Unsuitable` where it cannot."""
    columns = [index for index, kind in enumerate(document.table.kinds) if kind in kinds]
    if not columns:
        raise Unsuitable
    pieces = document.candidates()
    for piece in rng.sample(pieces, min(40, len(pieces))):
        place = rng.choice(columns)
        cells = list(document.cells(piece))
        if not cells[place]:
            continue
        try:
            cells[place] = new(cells[place])
            text = document.style.line(cells)
        except (Unsuitable, ValueError):
            continue
        if cells != document.cells(piece):
            _put(document, piece, place, text, cells, same_meaning)
            return
    raise Unsuitable


def _put(document: Document, piece: Piece, place: int, text: str, cells: list[str], same_meaning: bool) -> None:
    piece.damage(text, [cells])
    if same_meaning:
        document.hits.append((piece.rows[0], place))


def other_decimal(document: Document, rng: random.Random) -> None:
    """12,50 among 12.50, or the other way round."""
    decimal = document.table.shape.decimal

    def new(value: str) -> str:
        return value.replace(decimal, {".": ",", ",": "."}[decimal])

    _change(document, rng, ("number",), new, True)


def thousands_mark(document: Document, rng: random.Random) -> None:
    """1,234 among numbers without marks."""
    mark = {".": ",", ",": "."}[document.table.shape.decimal]

    def new(value: str) -> str:
        whole, sign, rest = value.partition(document.table.shape.decimal)
        if len(whole.lstrip("-")) < 4:
            raise Unsuitable
        return f"{int(whole):,}".replace(",", mark) + sign + rest

    _change(document, rng, ("number", "integer"), new, True)


def other_date_format(document: Document, rng: random.Random) -> None:
    form = document.table.shape.date_format

    def new(value: str) -> str:
        day = datetime.datetime.strptime(value, form)
        return day.strftime(rng.choice([other for other in ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%Y%m%d") if other != form]))

    _change(document, rng, ("date",), new, True)


def impossible_date(document: Document, rng: random.Random) -> None:
    form = document.table.shape.date_format

    def new(value: str) -> str:
        return rng.choice(["2024-02-30", "0000-00-00", "2023-13-01"]) if form == "%Y-%m-%d" else value.replace(value[:2], rng.choice(["32", "00", "45"]), 1)

    _change(document, rng, ("date",), new, False)


def text_in_numbers(document: Document, rng: random.Random) -> None:
    _change(document, rng, ("number", "integer", "date"), lambda _: rng.choice(["oops", "see note", "12 or 13", "about 5", "?", "x", "#REF!", "pending"]), False)


def letter_for_digit(document: Document, rng: random.Random) -> None:
    """O for 0 and l for 1, as scans have them."""

    def new(value: str) -> str:
        found = re.search("[01]", value)
        if not found:
            raise Unsuitable
        return value[: found.start()] + {"0": "O", "1": "l"}[found[0]] + value[found.end() :]

    _change(document, rng, ("number", "integer"), new, False)


def scientific_id(document: Document, rng: random.Random) -> None:
    """What a spreadsheet program makes of a long number."""

    def new(value: str) -> str:
        digits = value if value.isdigit() and len(value) >= 12 else ""
        if not digits:
            raise Unsuitable
        return f"{float(digits):.5E}"

    _change(document, rng, ("id",), new, False)


def zeros_lost(document: Document, rng: random.Random) -> None:
    def new(value: str) -> str:
        if not value.startswith("0") or not value.strip("0"):
            raise Unsuitable
        return value.lstrip("0")

    _change(document, rng, ("id",), new, False)


def zeros_gained(document: Document, rng: random.Random) -> None:
    """0042 among plain numbers."""
    _change(document, rng, ("integer",), lambda value: "00" + value.lstrip("-"), False)


def blank_cell(document: Document, rng: random.Random) -> None:
    """A cell of nothing but blanks in a row of values."""
    if document.width < 2:
        raise Unsuitable  # a blank line
    _change(document, rng, ("number", "integer", "date", "word", "text", "id"), lambda _: "   ", False)


def padded(document: Document, rng: random.Random) -> None:
    _change(document, rng, ("number", "integer", "date", "word", "text", "id"), lambda value: rng.choice([f" {value}", f"{value} ", f"  {value}  "]), False)


def with_unit(document: Document, rng: random.Random) -> None:
    """A unit on one number; none of them changes what the number is."""
    forms = ("{} kg", "{} EUR", "${}", "{}h")
    _change(document, rng, ("number", "integer"), lambda value: rng.choice(forms).format(value), False)


def percent(document: Document, rng: random.Random) -> None:
    _change(document, rng, ("number",), lambda value: f"{value}%", False)


def exponent(document: Document, rng: random.Random) -> None:
    """1.2345E+2 among plain numbers."""
    if document.table.shape.decimal != ".":
        raise Unsuitable
    _change(document, rng, ("number",), lambda value: f"{float(value):.12E}", True)


def bracketed(document: Document, rng: random.Random) -> None:
    """(12.50) is how bookkeepers write -12.50."""
    _change(document, rng, ("number",), lambda value: f"({value.lstrip('-')})", False)


def missing_word(document: Document, rng: random.Random) -> None:
    _change(document, rng, ("number", "integer", "date"), lambda _: rng.choice(["NULL", "N/A", "-", "nan", "None", "."]), False)


def overflow(document: Document, rng: random.Random) -> None:
    _change(document, rng, ("number", "integer"), lambda value: rng.choice(["99999999999999999999999", "1" + "0" * 400, "Infinity", "-1.#IND", "9007199254740993"]), False)


KINDS = {
    "other-decimal": other_decimal,
    "thousands-mark": thousands_mark,
    "other-date-format": other_date_format,
    "impossible-date": impossible_date,
    "text-in-numbers": text_in_numbers,
    "letter-for-digit": letter_for_digit,
    "scientific-id": scientific_id,
    "zeros-lost": zeros_lost,
    "zeros-gained": zeros_gained,
    "blank-cell": blank_cell,
    "padded": padded,
    "with-unit": with_unit,
    "percent": percent,
    "exponent": exponent,
    "bracketed": bracketed,
    "missing-word": missing_word,
    "overflow": overflow,
}

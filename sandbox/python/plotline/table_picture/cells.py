"""Cells as people read them, the same as the bot writes them in its text tables (`adapters/table-text.ts`)."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

CELL_CHARACTERS = 120
"""Of a longer cell only the beginning is looked at: no more of it could be shown."""

MISSING = "–"
_UNNAMED = re.compile(r"Unnamed: \d+(_level_\d+)?")
_DECIMALS = 4
_BLANKS = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What turns text around beyond its own letters: embeddings, overrides, isolates.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def header_text(name: str) -> str:
    """What pandas calls a column without a name is no name."""
    text = one_line(name)
    return "" if _UNNAMED.fullmatch(text) else text


def column_texts(kind: str, values: Sequence[Any]) -> list[str]:
    """One text for each value of a column of `TableData`. Numbers of a column have the same decimals, so that they line up."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if kind != "number" or len(numbers) < sum(value is not None for value in values):
        return [cell_text(value) for value in values]
    decimals = _common_decimals([abs(number) for number in numbers])
    return [cell_text(value) if value is None or decimals is None else f"{value:.{decimals}f}" for value in values]


def _common_decimals(sizes: Sequence[float]) -> int | None:
    """As many as the number that needs most, at most four, and two beside thousands; None where that would hide a small number."""
    largest, smallest = max(sizes, default=0), min((size for size in sizes if size > 0), default=0)
    most = _DECIMALS if largest < 1000 else 2
    if largest >= 1e15 or smallest * 10 ** (most - 1) < 1 and any(size != int(size) for size in sizes):
        return None
    return max((len(f"{size:.{most}f}".rstrip("0").partition(".")[2]) for size in sizes), default=0)


def cell_text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number_text(value)
    return one_line(str(value))


def one_line(text: str) -> str:
    return _TURNS.sub("", _BLANKS.sub(" ", text[: 4 * CELL_CHARACTERS])).strip()[:CELL_CHARACTERS]


def columns_wide(text: str) -> int:
    """Columns of a monospaced font that `text` takes: two for East Asian wide letters and emoji, none for marks."""
    if text.isascii():
        return len(text)
    return sum(_letter_width(letter) for letter in text)


def text_width(table: Mapping[str, Any], rows: int) -> int:
    """Columns of a monospaced font that the table takes beside each other, two between them."""
    columns = table["columns"]
    width = 2 * (len(columns) - 1)
    for place, column in enumerate(columns):
        texts = [cell_text(row[place]) for row in table["rows"][:rows]]
        width += max(1, *(columns_wide(text) for text in [one_line(column["name"]), *texts]))
    return width


def _letter_width(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def _number_text(value: int | float) -> str:
    """Four decimals from 1 up, four significant digits below: enough to read, and never 0 for what is not 0."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if abs(value) < 1:
        return f"{value:.{_DECIMALS}g}"
    if abs(value) >= 1e15:
        return f"{value:g}"
    text = f"{value:.{_DECIMALS}f}"
    return text.rstrip("0").rstrip(".")

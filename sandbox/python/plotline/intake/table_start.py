"""Where a table of text begins: after titles and notes, with its header."""

import re
from collections.abc import Sequence

from plotline.intake.header import kind_of
from plotline.intake.model import Dialect, Note

SYSTEMATIC = 0.1
"""A width that this share of the rows has is how the file is written, not damage."""
SYSTEMATIC_ROWS = 3
_MAX_TITLES = 30
_YEAR = re.compile(r"(?:19|20)\d\d")


def preamble_note(lines: Sequence[int], first_of_table: int, name: str) -> Note:
    """The lines before the table."""
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
    verb = "is" if len(lines) == 1 else "are"
    return Note("preamble", f"The table begins on line {first_of_table}; {where} before it {verb} not part of it.", name, lines[0])


def other_delimiter_note(name: str, line: int) -> Note:
    """A header that is written unlike its rows."""
    return Note("header-other-delimiter", "The header is separated by another sign than the rows.", name, line)


def first_row(rows: list[list[str]], width: int) -> int:
    """Where the table begins: its first row of the table's width, or a narrower header right before it."""
    start = next(index for index, row in enumerate(rows) if len(row) == width)
    short = sum(1 < len(row) < width for row in rows)
    if short > max(SYSTEMATIC * len(rows), SYSTEMATIC_ROWS - 1):
        # Rows end where their last value is, and so may the first ones.
        while start and 1 < len(rows[start - 1]) < width:
            start -= 1
        return start
    start = _after_titles(rows, start, width)
    if start and width > 1:
        before = rows[start - 1]
        near = len(before) >= 2 and abs(len(before) - width) <= max(1, width // 4)
        named = all(kind_of(value) == "text" for value in before if value.strip())
        if near and named and any(kind_of(value) in ("number", "date") for value in rows[start]):
            return start - 1
    return start


def header_with_other_delimiter(source: list[str], line: int, width: int, dialect: Dialect) -> list[str] | None:
    """The names in a line right above the rows that is separated by another sign than they are."""
    text = source[line - 1] if line <= len(source) else ""
    for other in (";", ",", "\t", "|"):
        fields = [field.strip().strip('"') for field in text.split(other)]
        if other != dialect.delimiter and len(fields) == width > 1 and all(kind_of(field) == "text" for field in fields):
            return fields
    return None


def _after_titles(rows: list[list[str]], start: int, width: int) -> int:
    """The first row that is no title: titles fill few of the columns and stand above a row that fills most of them."""
    filled = [sum(bool(value.strip()) for value in row) if len(row) == width else 0 for row in rows[start : start + _MAX_TITLES]]
    if width < 3 or not filled or filled[0] > width // 2:
        return start
    counts = sorted(count for count in filled if count)
    typical = counts[len(counts) // 2] if counts else 0
    head = next((index for index, count in enumerate(filled) if count > width // 2), None)
    if head is None or typical <= width // 2:
        return start + (len(filled) > 2 and filled[0] <= 1 < filled[1])
    below = rows[start + head : start + head + 20]
    if not all(_is_title(row, below) for row in rows[start : start + head]):
        return start
    return start + head - _names_groups(rows[start + head - 1])


def _is_title(row: list[str], below: list[list[str]]) -> bool:
    """Whether a row fills its first columns alone, or has names of groups over the columns, and begins unlike the rows
    below, as a row of data with empty cells does not."""
    marks = [bool(value.strip()) for value in row]
    if not any(marks) or _names_groups(row):
        return True
    return all(marks[: sum(marks)]) and _shape(row[0]) not in {_shape(other[0]) for other in below[1:] if other}


def _names_groups(row: list[str]) -> bool:
    """Whether words or years stand in a row with gaps between them; a label with its value stands in the first columns."""
    marks = [bool(value.strip()) for value in row]
    words = all(kind_of(value) == "text" or _YEAR.fullmatch(value.strip()) for value in row if value.strip())
    return any(marks) and not all(marks[: sum(marks)]) and words


def _shape(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", value[:60]))

"""Where the tables of a sheet are: blocks of cells that blank rows and columns separate, the lines above and below them."""

import re
from collections.abc import Sequence
from typing import Any

from plotline.intake.header import count_header_rows, kind_of
from plotline.intake.model import Sheet

Area = tuple[int, int, int, int]
"""Top, left, bottom, right: positions in the sheet's `rows`, from 0, inclusive."""
_MAX_TITLE_ROWS = 30
_MAX_BLOCKS = 400
_NOTE = re.compile(r"(?:sources?|notes?|footnotes?|quellen?|anmerkung(?:en)?|hinweis|fuente|nota|источник|\*|†|¹|\(?\d\)|©|data as of|as of|generated|exported|printed)(?!\w)", re.IGNORECASE)


def filled(value: Any) -> bool:
    """Whether a cell holds more than white space."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def without_blanks(rows: Sequence[list[Any]]) -> list[list[Any]]:
    """The rows, equally wide, with None for cells of nothing but white space: from here on, empty is None."""
    width = max(map(len, rows), default=0)
    out = []
    for row in rows:
        if any(value.__class__ is str and not value.strip() for value in row):
            row = [value if filled(value) else None for value in row]
        out.append(row if len(row) == width else row + [None] * (width - len(row)))
    return out


def count_filled(row: list[Any]) -> int:
    """How many cells hold something."""
    return len(row) - row.count(None)


def cut(rows: Sequence[list[Any]], area: Area) -> list[list[Any]]:
    """The cells of an area. Whole rows are not copied."""
    top, left, bottom, right = area
    if left == 0 and rows and right == len(rows[0]) - 1:
        return list(rows[top : bottom + 1])
    return [row[left : right + 1] for row in rows[top : bottom + 1]]


def filled_columns(rows: Sequence[list[Any]]) -> list[int]:
    """The columns that hold something, in order."""
    empty = set(range(len(rows[0]) if rows else 0))
    for row in rows:
        if not empty:
            break
        empty -= {column for column in empty if row[column] is not None}
    return sorted(set(range(len(rows[0]) if rows else 0)) - empty)


def used_area(rows: Sequence[list[Any]]) -> Area | None:
    """The rectangle around the filled cells."""
    used = _used_rows(rows)
    if not used:
        return None
    columns = filled_columns(rows)
    return used[0], columns[0], used[-1], columns[-1]


def _used_rows(rows: Sequence[list[Any]]) -> list[int]:
    return [index for index, row in enumerate(rows) if row.count(None) < len(row)]


def find_areas(sheet: Sheet, rows: Sequence[list[Any]]) -> tuple[list[Area], list[Area]]:
    """
    The tables among `rows`, and what lies beside them: titles and notes. Several tables only where at least two blocks
    have a header of their own; else the whole used area is one.
    """
    whole = used_area(rows)
    if whole is None:
        return [], []
    blocks = _split(rows, whole)
    tables = [area for area in blocks if area[2] - area[0] >= 2 and area[3] > area[1] and _has_header(rows, area)]
    if len(tables) < 2:
        return [whole], []
    rest = [area for area in blocks if area not in tables]
    # A block as large as a table is one, though its header was not recognised.
    large = [area for area in rest if area[2] - area[0] >= 2 and area[3] > area[1]]
    if len(large) > len(tables):
        return [whole], []
    return sorted(tables + large), [area for area in rest if area not in large]


def _split(rows: Sequence[list[Any]], area: Area) -> list[Area]:
    """Cuts along blank rows and then along blank columns until nothing more can be cut."""
    todo, done = [area], []
    while todo and len(done) < _MAX_BLOCKS:
        current = todo.pop()
        pieces = _cut_once(rows, current)
        if pieces == [current]:
            done.append(current)
        else:
            todo += reversed(pieces)
    return done + todo


def _cut_once(rows: Sequence[list[Any]], area: Area) -> list[Area]:
    top, left, bottom, right = area
    cells = cut(rows, area)
    used = _used_rows(cells)
    bands = _runs(used)
    if len(bands) > 1:
        return [(top + first, left, top + last, right) for first, last in bands]
    columns = filled_columns(cells)
    return [(top + used[0], left + first, top + used[-1], left + last) for first, last in _runs(columns)] if used else []


def _runs(indexes: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _has_header(rows: Sequence[list[Any]], area: Area) -> bool:
    cells = cut(rows, area)
    start = next((index for index, row in enumerate(cells) if count_filled(row) >= 2), 0)
    return count_header_rows(cells[start : start + 210]) > 0


def title_rows(rows: list[list[Any]], heads: list[list[Any]]) -> int:
    """
    How many rows at the top have far fewer cells than the table has: titles, dates of export, blank rows. `heads` are
    the first rows with each merged cell's value in all the columns it spans.
    """
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0
    counts = [count_filled(row) for row in rows[:60]]
    body = sorted(count for count in counts if count)
    typical = body[len(body) // 2] if body else 0
    if typical < 2:
        typical = max(counts, default=0)
    start = 0
    while start < len(counts) - 1 and counts[start] < max(2, typical * 0.5) and not _heads_groups(rows, heads, start):
        start += 1
    return 0 if start >= len(counts) - 1 or start > _MAX_TITLE_ROWS else start


def _heads_groups(rows: list[list[Any]], heads: list[list[Any]], index: int) -> bool:
    """Whether a row of few cells names groups of the columns whose names follow right below it."""
    if index + 2 >= len(rows) or index >= len(heads):
        return False
    below = rows[index + 1]
    names = [value for value in below if value is not None]
    if len(names) < 2 or any(kind_of(value) != "text" for value in names) or any(kind_of(value) not in ("text", "empty") for value in rows[index]):
        return False
    spread = count_filled(heads[index])
    cells = count_filled(rows[index])
    if spread > cells:  # merged over some columns, but not a title over all of them
        return spread < len(below) or cells > 1
    return cells >= 2 and rows[index][0] is None


def note_rows(rows: list[list[Any]], header: int) -> int:
    """How many rows at the end are notes below the table: one text each, after a blank row or worded as a note."""
    counts = [count_filled(row) for row in rows]
    body = sorted(count for count in counts[header:] if count)
    if len(body) < 3 or body[len(body) // 2] < 2:
        return 0
    end = len(rows)
    found = len(rows)
    while end > header + 1:
        row = rows[end - 1]
        if counts[end - 1] == 0:
            # Lines below a blank row are apart from the table, however they are worded.
            found = end if end < len(rows) else found
        elif counts[end - 1] > 1 or kind_of(next(value for value in row if value is not None)) != "text":
            break
        elif found == end and _NOTE.match(str(next(value for value in row if value is not None)).strip()):
            found = end - 1
        end -= 1
    return len(rows) - found if found < len(rows) else 0

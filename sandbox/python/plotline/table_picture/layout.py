"""Which columns and rows of a table are drawn, and where. Sizes in pixels of the layout; the picture has twice as many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plotline.table_picture.cells import column_texts, header_text

SINGLE_WIDTH = 1000
"""Up to here all columns stand beside each other."""

STACKED_WIDTH = 720
"""Wider tables are broken into blocks that stand below each other: on a phone each can still be read."""

BLOCKS = 3
ROWS_BY_BLOCKS = (20, 14, 10)
CELL_ROOMS = (340, 240, 160)
"""The most that one cell gets, tried in this order until everything fits beside each other; stacked ones get the last."""

CELL_PADDING = 12
NARROWEST = 18
NAME_ROOM = 80
"""A name up to here stands on one line."""

COLUMNS_LOOKED_AT = 80

Measure = Callable[[str, bool], float]
"""The width of a text, bold or not."""


@dataclass(frozen=True)
class Column:
    header: Sequence[str]
    """The name, in two lines where it is much longer than what stands below it."""
    texts: Sequence[str]
    is_number: bool
    width: float
    """With the padding at both sides."""


@dataclass(frozen=True)
class Layout:
    blocks: Sequence[Sequence[Column]]
    rows: int
    left_out: Sequence[str]
    """Names of the columns that are not drawn."""


def lay_out(table: Mapping[str, Any], measure: Measure) -> Layout:
    """`table` is a `TableData` with at least one column."""
    names = [column["name"] for column in table["columns"]]
    for room in CELL_ROOMS:
        columns = _columns(table, measure, room, ROWS_BY_BLOCKS[0])
        if len(columns) == len(names) and _width(columns) <= SINGLE_WIDTH:
            return Layout([columns], ROWS_BY_BLOCKS[0], [])
    blocks, shown = _stacked(columns)
    rows = ROWS_BY_BLOCKS[len(blocks) - 1]
    return Layout(blocks, rows, [header_text(name) or "a column without a name" for name in names[shown:]])


def _columns(table: Mapping[str, Any], measure: Measure, room: float, rows: int) -> list[Column]:
    columns = []
    for place, column in enumerate(table["columns"][:COLUMNS_LOOKED_AT]):
        texts = column_texts(column["type"], [row[place] for row in table["rows"][:rows]])
        widest = min(room, max((measure(text, False) for text in texts), default=0))
        header = _in_lines(header_text(column["name"]), max(widest, NAME_ROOM), measure)
        width = min(room, max(NARROWEST, widest, *(measure(line, True) for line in header))) + 2 * CELL_PADDING
        columns.append(Column(header, texts, column["type"] == "number", width))
    return columns


def _in_lines(name: str, room: float, measure: Measure) -> Sequence[str]:
    """One line, or the two that are together as narrow as can be where one does not fit."""
    gaps = [place for place, letter in enumerate(name) if letter == " " and 0 < place < len(name) - 1]
    if not gaps or measure(name, True) <= room:
        return [name]
    gap = min(gaps, key=lambda place: max(measure(name[:place], True), measure(name[place + 1 :], True)))
    return [name[:gap], name[gap + 1 :]]


def _stacked(columns: Sequence[Column]) -> tuple[list[list[Column]], int]:
    """Blocks that each begin with the table's first column, which says what a row is about; and how many columns they show."""
    first = columns[0]
    blocks: list[list[Column]] = [[first]]
    shown = 1
    for column in columns[1:]:
        if _width(blocks[-1]) + column.width > STACKED_WIDTH:
            if len(blocks) == BLOCKS:
                break
            blocks.append([first])
        blocks[-1].append(column)
        shown += 1
    return blocks, shown


def _width(columns: Sequence[Column]) -> float:
    return sum(column.width for column in columns)

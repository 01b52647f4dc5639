"""`load` and `tables`: what code in a cell calls."""

import difflib
import os
from pathlib import Path

import pandas as pd

from plotline.intake.frame import typed
from plotline.intake.model import Reading, Unreadable
from plotline.intake.other_kinds import describe_other
from plotline.intake.reading import read_file


def load(path: str | os.PathLike[str], table: str | int | None = None) -> pd.DataFrame:
    """One table of the file, loaded exactly; `table` is its name or position, by default the first visible one with rows.

    What could not be loaded is named in `df.attrs`: `rejected` ({line, reason}: lines that are not in the table),
    `unusable` ({line, column, value, reason}: cells that are missing because they do not fit their column's type),
    `totals` ({row, line}: rows that add up the others; they are in the table), `source_rows` (rows in the file, rejected ones and those of a too large file that were not read included), `table` (its name). Raises ValueError, in words for a
    person, where the file holds no such table, and FileNotFoundError.
    """
    reading = _reading(path)
    names = [found.name for found in reading.tables]
    if not names:
        words = describe_other(Path(path), reading) or " ".join(note.message for note in reading.notes[:3])
        raise ValueError(f"{Path(path).name} holds no table. {words}".strip())
    if table is None:
        first = next((found for found in reading.tables if found.row_count and not found.hidden), reading.tables[0])
        return typed(first).frame
    if isinstance(table, int):
        if not -len(names) <= table < len(names):
            raise ValueError(f"{Path(path).name} has {len(names)} table(s), counted from 0; there is no number {table}.")
        return typed(reading.tables[table]).frame
    for same in (lambda name: name == table, lambda name: name.strip().casefold() == table.strip().casefold()):
        found = next((candidate for candidate in reading.tables if same(candidate.name)), None)
        if found:
            return typed(found).frame
    close = difflib.get_close_matches(table, names, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{Path(path).name} has no table {table!r}; it has {', '.join(map(repr, names[:30]))}.{hint}")


def tables(path: str | os.PathLike[str]) -> list[str]:
    """The names of the file's tables, hidden ones included, in the file's order. Raises like `load`."""
    return [table.name for table in _reading(path).tables]


def _reading(path: str | os.PathLike[str]) -> Reading:
    try:
        return read_file(Path(path))
    except Unreadable as refusal:
        raise ValueError(f"{Path(path).name}: {refusal}") from None

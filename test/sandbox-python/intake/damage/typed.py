"""Whether the typed values of `load` are those that the clean cells mean."""

import datetime
from typing import Any

import pandas as pd

from damage.document import Document, Piece
from damage.tables import meaning
from plotline.intake.frame import typed
from plotline.intake.model import Reading


def typed_changes(document: Document, reading: Reading, by_line: dict[int, Piece], named: set[int]) -> tuple[list[str], list[str]]:
    """(values that are not what their cells mean, number and date columns that were left as text).

    Undamaged cells must keep their value, or be named as unusable. A damaged cell that still means what it did may have
    another value only where its line is named.
    """
    table, shape = document.table, document.table.shape
    hits = set(document.hits)
    changes: list[str] = []
    lost: list[str] = []
    for raw in reading.tables:
        if len(raw.header) < document.width:
            continue
        frame = typed(raw).frame
        unusable = {(found["line"], found["column"]) for found in frame.attrs["unusable"]}
        rows = [(place, int(line), piece) for place, line in enumerate(raw.lines) if (piece := by_line.get(int(line))) and len(piece.rows) == 1]
        for column, kind in enumerate(table.kinds):
            values = frame.iloc[:, column].tolist()
            texts = raw.texts(column)
            left = kind in ("integer", "number", "date") and any(isinstance(values[place], str) for place, _, _ in rows[:200])
            if left:
                lost.append(table.header[column])
            for place, line, piece in rows:
                row = piece.rows[0]
                if piece.damaged and (row, column) not in hits:
                    continue
                clean = table.rows[row][column]
                # Text as it stands in the file is no change, whatever its column should be.
                as_it_stands = values[place] == texts[place] if isinstance(values[place], str) else False
                if as_it_stands or _equal(values[place], meaning(shape, kind, clean)):
                    continue
                if (line, raw.header[column]) in unusable or (piece.damaged and line in named):
                    continue
                changes.append(f"{table.header[column]} on line {line}: {texts[place]!r} became {values[place]!r}")
    return changes, lost


def _equal(value: Any, wanted: float | datetime.date | str | None) -> bool:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return wanted is None
    if isinstance(value, pd.Timestamp) and isinstance(wanted, datetime.datetime):
        return value.tz_localize(None) == pd.Timestamp(wanted).tz_localize(None)
    if isinstance(value, pd.Timestamp):
        return value.date() == wanted and value == value.normalize() if isinstance(wanted, datetime.date) else False
    if isinstance(wanted, float):
        return not isinstance(value, str) and float(value) == wanted
    return value == wanted or (isinstance(value, int) and str(value) == wanted)

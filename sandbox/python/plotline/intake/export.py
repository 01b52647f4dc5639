"""A card with everything: all rejected lines, the sheets of a workbook, and the cells as loaded, written as CSV text."""

import csv
import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from plotline.intake.card import card_and_reading
from plotline.intake.cell_text import native_text
from plotline.intake.model import RawTable, Reading, Sheet
from plotline.intake.profile import safe_text


class NoRoom(Exception):
    """The disk is too small for the cells as text. The text is for a person."""


def whole_card(path: str | os.PathLike[str], prefix: str | None = None) -> dict[str, Any]:
    """The card with every rejected line, with `cells_file` in each table, and for workbooks with `sheets`.

    With a `prefix` the cells are written to `PREFIX.t1.csv`, … for the card's tables and `PREFIX.s1.csv`, … for its
    sheets; without one every `cells_file` is None. Raises `NoRoom`; whatever else went wrong is in the card's `error`.
    """
    found, reading = card_and_reading(path)
    if reading is None:
        return found
    found["rejected"] = [
        {"table": safe_text(raw.name), "line": int(line.line), "reason": safe_text(line.reason)}
        for raw in reading.tables
        for line in raw.rejected
    ]
    found["rejected_count"] = len(found["rejected"])
    if reading.sheets:
        found["sheets"] = [_sheet(sheet) for sheet in reading.sheets]
    for table in found["tables"]:
        table["cells_file"] = None
    if prefix is not None:
        _export(found, reading, prefix)
    return found


def _export(found: dict[str, Any], reading: Reading, prefix: str) -> None:
    try:
        for number, (entry, raw) in enumerate(zip(found["tables"], reading.tables), 1):
            entry["cells_file"] = f"{prefix}.t{number}.csv"
            write_csv(Path(entry["cells_file"]), table_rows(raw))
        for number, (entry, sheet) in enumerate(zip(found.get("sheets", []), reading.sheets), 1):
            entry["cells_file"] = f"{prefix}.s{number}.csv"
            write_csv(Path(entry["cells_file"]), grid_rows(sheet))
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoom("Its cells, written as CSV text, need more room than there is.") from None
        raise


def table_rows(raw: RawTable) -> Iterable[Sequence[str]]:
    """The header, then the table's rows in order: text as the file has it, typed cells as `native_text`, missing ones empty."""
    if not raw.header:
        return
    yield raw.header
    yield from zip(*(raw.texts(index) for index in range(len(raw.header))))


def _sheet(sheet: Sheet) -> dict[str, Any]:
    top, bottom, left, right = used_area(sheet)
    return {"name": safe_text(sheet.name), "hidden": sheet.hidden, "rows": bottom - top, "columns": right - left, "cells_file": None}


def used_area(sheet: Sheet) -> tuple[int, int, int, int]:
    """The part of `sheet.rows` that holds something: first row, row after the last, first column, column after the last."""
    used = [index for index, row in enumerate(sheet.rows) if any(value is not None for value in row)]
    if not used:
        return 0, 0, 0, 0
    left = min(next(column for column, value in enumerate(sheet.rows[index]) if value is not None) for index in used)
    right = max(len(row) - next(back for back, value in enumerate(reversed(row)) if value is not None) for row in (sheet.rows[index] for index in used))
    return used[0], used[-1] + 1, left, right


def grid_rows(sheet: Sheet) -> Iterable[Sequence[str]]:
    """The used part of the sheet as text, its empty rows and cells included."""
    top, bottom, left, right = used_area(sheet)
    for row in sheet.rows[top:bottom]:
        shown = [native_text(value) for value in row[left:right]]
        yield shown + [""] * (right - left - len(shown))


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """RFC 4180 in UTF-8: commas, CRLF, quotes where they are needed and doubled inside. Raises `OSError`."""
    # A lone surrogate, which JSON allows, has no UTF-8: its escape says what was there.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)

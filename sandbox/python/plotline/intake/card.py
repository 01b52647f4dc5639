"""The file card: what is known about a file before anyone computes with it, as JSON-safe data."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from plotline.intake.checks import check
from plotline.intake.column_view import TableView
from plotline.intake.frame import table_notes, typed
from plotline.intake.line_budget import in_order, within_budget
from plotline.intake.model import Note, RawTable, Reading, Unreadable
from plotline.intake.other_kinds import describe_other
from plotline.intake.profile import columns_info, safe_text
from plotline.intake.reading import read_file

CARD_MIME = "application/vnd.plotline.card+json"
_MAX_REJECTED = 2000
_MAX_WARNINGS = 1000
_MAX_MESSAGE = 400
_MAX_TABLES = 200
_MAX_COLUMNS = 500


def card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The card of the file at `path`: the FileCard of the bot's types. Never raises: what went wrong is in `error`."""
    return card_and_reading(path)[0]


def show_card(path: str | os.PathLike[str]) -> None:
    """Displays the card as a MIME bundle, which the bot takes from the cell's results."""
    from IPython.display import display

    found = card(path)
    state = found["error"] or f"{len(found['tables'])} table(s)"
    display({CARD_MIME: found, "text/plain": f"{found['file']}: {state}"}, raw=True)


def card_and_reading(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Reading | None]:
    """The card and the reading it was made from, None where the file could not be read."""
    start = time.perf_counter()
    place = Path(path)
    out: dict[str, Any] = {
        "file": str(path),
        "ok": False,
        "error": None,
        "kind": "other",
        "size_bytes": 0,
        "seconds": 0.0,
        "dialect": None,
        "tables": [],
        "rejected": [],
        "rejected_count": 0,
        "warnings": [],
    }
    reading: Reading | None = None
    try:
        out["size_bytes"] = place.stat().st_size
        reading = read_file(place)
        _fill(out, place, reading)
    except Unreadable as refusal:
        out["error"] = safe_text(refusal)
    except FileNotFoundError:
        out["error"] = "There is no such file."
    except MemoryError:
        out["error"] = "The file needs more memory than there is. Please send a smaller part of it."
    except RecursionError:
        out["error"] = "The file is nested too deeply to be read."
    except Exception as fault:  # noqa: BLE001 - any file may come in, and the card must always say something
        print(f"{place.name}: {type(fault).__name__}: {fault}", file=sys.stderr)  # for whoever runs this by hand
        out["error"] = "The file could not be read; it may be damaged. Please open it in the program it comes from, save it again and send it once more."
    if out["error"]:
        out.update(ok=False, tables=[], rejected=[], rejected_count=0)
        reading = None
    out["seconds"] = round(time.perf_counter() - start, 4)
    return out, reading


def _fill(out: dict[str, Any], path: Path, reading: Reading) -> None:
    out["kind"] = reading.kind
    if reading.dialect:
        dialect = reading.dialect
        out["dialect"] = {"encoding": dialect.encoding, "delimiter": dialect.delimiter, "quote": dialect.quote, "escape": dialect.escape}
    notes: list[Note] = list(reading.notes)
    described = describe_other(path, reading)
    if described:
        notes.append(Note("not-a-table", described))
    elif not reading.tables and reading.kind != "zip" and not reading.sheets:  # what else a zip holds is in its notes
        raise Unreadable("There is no table in this file: nothing but empty cells.")
    for raw in reading.tables[:_MAX_TABLES]:
        view = TableView(typed(raw), reading.dialect.encoding if reading.dialect else None)
        out["tables"].append(_table(view))
        notes += check(view)
        notes += table_notes(view.table)
        room = _MAX_REJECTED - len(out["rejected"])
        out["rejected"] += [{"table": safe_text(raw.name), "line": int(found.line), "reason": safe_text(found.reason)} for found in raw.rejected[:room]]
        out["rejected_count"] += len(raw.rejected)
    if len(reading.tables) > _MAX_TABLES:
        notes.append(Note("many-tables", f"The file has {len(reading.tables)} tables; the card shows the first {_MAX_TABLES}."))
    lines = sum(map(_source_lines, reading.tables))
    named = within_budget(in_order(notes), (found["line"] for found in out["rejected"]), lines)
    left = len(named) - _MAX_WARNINGS
    if left > 0:
        named = [*named[:_MAX_WARNINGS], Note("many-warnings", f"{left:,} further warnings are not in this card.")]
    out["warnings"] = [_warning(note) for note in named]
    out["ok"] = True


def _table(view: TableView) -> dict[str, Any]:
    raw = view.raw
    return {
        "name": safe_text(raw.name),
        "hidden": raw.hidden,
        "range": raw.range,
        "rows": raw.row_count,
        "columns": len(raw.header),
        "header_rows": raw.header_rows,
        "columns_info": columns_info(view, _MAX_COLUMNS),
    }


def _source_lines(raw: RawTable) -> int:
    """Lines of the file that the table was made from, as far as it tells: never more than there are."""
    return raw.header_rows + raw.row_count + len(raw.rejected)


def _warning(note: Note) -> dict[str, Any]:
    table = safe_text(note.table) if note.table else None
    return {"code": note.code, "message": safe_text(note.message, _MAX_MESSAGE), "table": table, "line": note.line}

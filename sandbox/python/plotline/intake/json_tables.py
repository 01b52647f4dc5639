"""JSON and JSON Lines -> tables: lists of records, wherever the document holds them."""

import json
from collections.abc import Sequence
from typing import Any

from plotline.intake.encoding import Decoded
from plotline.intake.header import header_names
from plotline.intake.json_scan import Scan
from plotline.intake.json_shapes import Found, find_lists
from plotline.intake.line_notes import encoding_notes
from plotline.intake.model import Note, RawTable, Reading, Rejected, Unreadable, check_size

_MAX_TABLES = 50
_MAX_FLATTENING = 3


def read_json(decoded: Decoded, name: str) -> Reading:
    """The tables of the document. A line is the file's line on which the record starts. Raises `Unreadable`."""
    scan = Scan(decoded.text)
    rows = [value for value in scan.values if isinstance(value, (dict, list))]
    if not rows and scan.values and not scan.rejected:
        raise Unreadable("The JSON holds no list of records that would make a table.")
    if not rows or (len(scan.values) > 1 and len(scan.rejected) + len(scan.values) - len(rows) > len(rows)):
        first = scan.rejected[0] if scan.rejected else Rejected(1, "is not valid JSON: it holds no record")
        raise Unreadable(f"The JSON cannot be read: line {first.line} {first.reason}. Please export it again and send it once more.")
    reading = Reading("json" if len(scan.values) == 1 else "jsonl", notes=encoding_notes(decoded))
    if len(scan.values) == 1:
        _document(reading, scan.values[0], scan, name)
    else:
        _add_records(reading, name, rows, [line for value, line in zip(scan.values, scan.lines) if isinstance(value, (dict, list))])
        odd = [Rejected(line, "is not a JSON record") for value, line in zip(scan.values, scan.lines) if not isinstance(value, (dict, list))]
        scan.rejected = sorted(scan.rejected + odd, key=lambda found: found.line)
    if not reading.tables:
        raise Unreadable("The JSON holds no list of records that would make a table.")
    reading.tables[0].rejected = scan.rejected
    reading.notes += _scan_notes(scan)
    return reading


def _document(reading: Reading, document: Any, scan: Scan, name: str) -> None:
    found, others = find_lists(document, name)
    for item in found[:_MAX_TABLES]:
        lines = item.lines or [scan.lines[0]] * len(item.records)
        _add_records(reading, item.name, item.records, lines, item)
    if len(found) > _MAX_TABLES:
        reading.notes.append(Note("many-tables", f"The document has {len(found)} lists; the first {_MAX_TABLES} were read."))
    if not reading.tables and isinstance(document, dict):
        if not document and scan.rejected:
            raise Unreadable(f"The JSON cannot be read: line {scan.rejected[0].line} {scan.rejected[0].reason}.")
        _add_records(reading, name, [document], scan.lines[:1])
    elif others:
        shown = ", ".join(f"{key} = {str(value)[:40]}" for key, value in others[:5])
        reading.notes.append(Note("values-beside", f"{len(others)} value(s) of the document are in no table: {shown}{' …' if len(others) > 5 else ''}."))


def _scan_notes(scan: Scan) -> list[Note]:
    notes = []
    if scan.doubled:
        keys = ", ".join(dict.fromkeys(scan.doubled[:50]))[:80]
        notes.append(Note("doubled-keys", f"{len(scan.doubled)} key(s) stand twice in one object ({keys}); the later value is in a column with (2) behind its name."))
    if scan.comma_line:
        notes.append(Note("trailing-comma", "A comma stands after the last record, which JSON does not allow; nothing is missing.", None, scan.comma_line))
    if scan.constants:
        notes.append(Note("no-numbers", f"{scan.constants} value(s) NaN or Infinity, which JSON does not know, were read as missing."))
    return notes


def _add_records(reading: Reading, name: str, records: Sequence[Any], lines: list[int], found: Found | None = None) -> None:
    if found and found.columns is not None:
        reading.tables.append(_rows_table(name, [found.columns, *records], [lines[0] if lines else 1, *lines]))
        return
    if all(isinstance(record, list) for record in records):
        reading.tables.append(_rows_table(name, records, lines))
        return
    reading.tables.append(_table(name, records, lines))
    if len(reading.tables) < _MAX_TABLES:
        reading.tables += _nested(name, records, lines)[: _MAX_TABLES - len(reading.tables)]


def _table(name: str, records: Sequence[Any], lines: list[int]) -> RawTable:
    flat = [_flat(record) if isinstance(record, dict) else {"value": _scalar(record)} for record in records]
    keys = list(dict.fromkeys(key for record in flat for key in record))
    check_size(len(flat), len(keys))
    header, _ = header_names([keys], len(keys))
    columns = [[record.get(key) for record in flat] for key in keys]
    return RawTable(name, header, 1, columns, lines, range=f"records 1–{len(records)}")


def _nested(name: str, records: Sequence[Any], lines: list[int]) -> list[RawTable]:
    """Lists of records inside records, as tables of their own; each row tells the number and the id of its outer record."""
    keys: dict[str, None] = {}
    for record in records:
        if isinstance(record, dict):
            keys |= {key: None for key, value in record.items() if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)}
    out = []
    for key in keys:
        rows: list[dict[str, Any]] = []
        places: list[int] = []
        for number, (record, line) in enumerate(zip(records, lines), 1):
            inner = record.get(key) if isinstance(record, dict) else None
            if not isinstance(inner, list):
                continue
            own = {f"{name} record": number} | {f"{name} {word}": record[word] for word in ("id", "Id", "ID", "_id", "key", "name") if isinstance(record.get(word), (str, int))}
            for item in inner:
                rows.append(own | (item if isinstance(item, dict) else {"value": item}))
                places.append(line)
        table = _table(f"{name}.{key}", rows, places)
        table.notes.append(Note("nested-list", f"{table.name} holds the lists that the records of {name} have under {key}.", table.name))
        out.append(table)
    return out


def _rows_table(name: str, rows: Sequence[list[Any]], lines: list[int]) -> RawTable:
    width = max(map(len, rows), default=0)
    check_size(len(rows), width)
    named = bool(rows) and all(isinstance(value, str) for value in rows[0]) and len(rows) > 1
    header, _ = header_names(rows[:1] if named else [], width)
    body = rows[1:] if named else rows
    columns = [[_scalar(row[index]) if index < len(row) else None for row in body] for index in range(width)]
    table = RawTable(name, header, int(named), columns, lines[int(named) :], range=f"rows 1–{len(rows)}")
    short = [line for row, line in zip(rows, lines) if len(row) != width]
    if short:
        table.notes.append(Note("ragged-rows", f"{len(short)} row(s) have fewer values than the {width} columns, such as the one on line {short[0]}; the rest is missing.", name, short[0]))
    return table


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects become `outer.inner` columns; lists stay JSON text."""
    if not prefix and not any(value.__class__ is dict or value.__class__ is list for value in record.values()):
        return record
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and depth < _MAX_FLATTENING:
            inner = _flat(value, f"{name}.", depth + 1)
        else:
            inner = {name: _scalar(value)}
        for label, item in inner.items():
            while label in out:
                label += " (2)"
            out[label] = item
    return out


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value



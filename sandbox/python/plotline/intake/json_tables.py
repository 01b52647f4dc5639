"""JSON and JSON Lines -> tables: lists of records, wherever the document holds them."""

import json
from typing import Any

from plotline.intake.line_notes import encoding_notes
from plotline.intake.encoding import Decoded
from plotline.intake.header import header_names
from plotline.intake.model import Note, RawTable, Reading, Rejected, Unreadable

_MAX_TABLES = 50
_MAX_FLATTENING = 3


def read_json(decoded: Decoded, name: str) -> Reading:
    """The tables of the document. A line in a table of JSON is the record's number from 1, in JSON Lines the file's line."""
    reading = Reading("json", notes=encoding_notes(decoded))
    text = decoded.text.strip().lstrip("\ufeff")
    try:
        document = json.loads(text, parse_constant=lambda _word: None)
    except (json.JSONDecodeError, RecursionError) as fault:
        found = _lines(decoded.text, name)
        if found is None:
            where = f" on line {fault.lineno}" if isinstance(fault, json.JSONDecodeError) else ""
            words = fault.msg if isinstance(fault, json.JSONDecodeError) else "nested too deeply"
            raise Unreadable(f"The JSON is not valid{where}: {words}. Please export it again and send it once more.") from None
        reading.kind = "jsonl"
        reading.tables.append(found)
        return reading
    for label, records in _lists(document, name, 0):
        reading.tables.append(_table(label, records, range(1, len(records) + 1)))
        if len(reading.tables) >= _MAX_TABLES:
            reading.notes.append(Note("many-tables", f"The document has more than {_MAX_TABLES} lists; the first {_MAX_TABLES} were read."))
            break
    if not reading.tables and isinstance(document, dict):
        reading.tables.append(_table(name, [document], range(1, 2)))
    if not reading.tables:
        raise Unreadable("The JSON holds no list of records that would make a table.")
    return reading


def _lines(text: str, name: str) -> RawTable | None:
    records, numbers, rejected = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=lambda _word: None)
        except (json.JSONDecodeError, RecursionError) as fault:
            words = fault.msg if isinstance(fault, json.JSONDecodeError) else "nested too deeply"
            rejected.append(Rejected(number, f"is not valid JSON: {words}"))
            continue
        if not isinstance(value, (dict, list)):
            rejected.append(Rejected(number, "is not a JSON record"))
            continue
        records.append(value)
        numbers.append(number)
    if len(records) < 2 or len(rejected) > len(records):
        return None
    table = _table(name, records, numbers)
    table.rejected = rejected
    return table


def _lists(value: Any, name: str, depth: int) -> list[tuple[str, list[Any]]]:
    """(name, records) of every list of records or of rows in the document."""
    if isinstance(value, list):
        return [(name, value)] if value and any(isinstance(item, (dict, list)) for item in value) or (value and depth == 0) else []
    if not isinstance(value, dict) or depth > 4:
        return []
    if value.get("type") == "FeatureCollection" and isinstance(value.get("features"), list):
        return [(name, [_feature(item) for item in value["features"]])]
    columns = [item for item in value.values() if isinstance(item, (list, dict))]
    if depth == 0 and len(columns) == len(value) > 1 and _same_length(list(value.values())):
        return [(name, _records_of_columns(value))]
    found = []
    for key, item in value.items():
        if isinstance(item, (list, dict)):
            found += _lists(item, str(key), depth + 1)
    return found


def _feature(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    geometry = item.get("geometry") or {}
    out = dict(item.get("properties") or {})
    if geometry.get("type") == "Point" and isinstance(geometry.get("coordinates"), list):
        out |= dict(zip(("longitude", "latitude"), geometry["coordinates"]))
    return out


def _same_length(columns: list[Any]) -> bool:
    if all(isinstance(column, list) for column in columns):
        return len({len(column) for column in columns}) == 1 and not any(isinstance(item, (dict, list)) for column in columns for item in column)
    if all(isinstance(column, dict) for column in columns):
        return len({tuple(column) for column in columns}) == 1 and not any(isinstance(item, (dict, list)) for column in columns for item in column.values())
    return False


def _records_of_columns(document: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {key: list(column.values()) if isinstance(column, dict) else column for key, column in document.items()}
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _table(name: str, records: list[Any], lines: Any) -> RawTable:
    if all(isinstance(record, list) for record in records):
        return _rows_table(name, records, list(lines))
    flat = [_flat(record) if isinstance(record, dict) else {"value": record} for record in records]
    keys = list(dict.fromkeys(key for record in flat for key in record))
    header, _ = header_names([keys], len(keys))
    columns = [[record.get(key) for record in flat] for key in keys]
    return RawTable(name, header, 1, columns, list(lines), range=f"records 1–{len(records)}")


def _rows_table(name: str, rows: list[list[Any]], lines: list[int]) -> RawTable:
    width = max(map(len, rows), default=0)
    named = bool(rows) and all(isinstance(value, str) for value in rows[0]) and len(rows) > 1
    header, _ = header_names(rows[:1] if named else [], width)
    body = rows[1:] if named else rows
    columns = [[_scalar(row[index]) if index < len(row) else None for row in body] for index in range(width)]
    return RawTable(name, header, int(named), columns, lines[int(named) :], range=f"rows 1–{len(rows)}")


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects become `outer.inner` columns; lists stay JSON text."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and depth < _MAX_FLATTENING:
            out |= _flat(value, f"{name}.", depth + 1)
        else:
            out[name] = _scalar(value)
    return out


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value

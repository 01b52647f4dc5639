"""The shapes in which programs write a table as JSON: records, columns, rows with their columns beside them, keyed records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from plotline.intake.json_scan import Located

_MAX_DEPTH = 5


@dataclass
class Found:
    """One table: its records, the lines they start on where the document is read so, and the columns' names for plain rows."""

    name: str
    records: Sequence[Any]
    lines: list[int] = field(default_factory=list)
    columns: list[str] | None = None


def find_lists(document: Any, name: str) -> tuple[list[Found], list[tuple[str, Any]]]:
    """The tables in the document, and the values beside them: (path, value)."""
    found: list[Found] = []
    others: list[tuple[str, Any]] = []
    for item in _walk(document, name, "", 0):
        if isinstance(item, Found):
            found.append(item)
        else:
            others.append(item)
    return found, others


def _walk(value: Any, name: str, path: str, depth: int) -> Iterator[Found | tuple[str, Any]]:
    if isinstance(value, list):
        if value and (depth == 0 or any(isinstance(item, (dict, list)) for item in value)):
            yield Found(name, value, value.lines if isinstance(value, Located) else [])
        elif depth:
            yield path, value
        return
    if not isinstance(value, dict) or depth >= _MAX_DEPTH:
        yield path, value
        return
    whole = _whole(value, name)
    if whole:
        yield whole
        return
    skipped = {"schema"} if set(value) == {"schema", "data"} else set()  # pandas describes its columns beside the records
    for key, item in value.items():
        if key not in skipped:
            yield from _walk(item, str(key), f"{path}.{key}" if path else str(key), depth + 1)


def _whole(value: dict[str, Any], name: str) -> Found | None:
    """The table that an object is as a whole."""
    features = value.get("features")
    if value.get("type") == "FeatureCollection" and isinstance(features, list):
        return Found(name, [_feature(item) for item in features], features.lines if isinstance(features, Located) else [])
    split = _split(value, name)
    if split:
        return split
    items = list(value.values())
    if len(items) < 2:
        return None
    if all(isinstance(item, list) for item in items) and len({len(item) for item in items}) == 1 and items[0]:
        if not any(isinstance(cell, (dict, list)) for item in items for cell in item):
            return Found(name, [dict(zip(value, row)) for row in zip(*items)])
    if all(isinstance(item, dict) and item for item in items) and _plain(items):
        if _counted(items[0]) and len({tuple(item) for item in items}) == 1:
            keys = list(items[0])
            index = {} if keys == [str(number) for number in range(len(keys))] else {key: {"index": key} for key in keys}
            return Found(name, [index.get(key, {}) | {column: item[key] for column, item in value.items()} for key in keys])
        if _alike(items):
            return Found(name, [{"key": key} | item if "key" not in item else {"(key)": key} | item for key, item in value.items()])
    return None


def _split(value: dict[str, Any], name: str) -> Found | None:
    """`columns` and `data`, perhaps `index`, as pandas and many services write rows."""
    columns = value.get("columns") or value.get("header") or value.get("headers") or value.get("fields")
    rows = value.get("data") if isinstance(value.get("data"), list) else value.get("rows") or value.get("values")
    if not isinstance(columns, list) or not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return None
    names = [str(column.get("name", column.get("label", ""))) if isinstance(column, dict) else str(column) for column in columns]
    if any(len(row) > len(names) for row in rows):
        return None
    lines = rows.lines if isinstance(rows, Located) else []
    index = value.get("index")
    if isinstance(index, list) and len(index) == len(rows) and index != list(range(len(rows))):
        return Found(name, [[label, *row] for label, row in zip(index, rows)], lines, ["index", *names])
    return Found(name, rows, lines, names)


def _plain(items: list[dict[str, Any]]) -> bool:
    return not any(isinstance(cell, (dict, list)) for item in items for cell in item.values())


def _counted(item: dict[str, Any]) -> bool:
    return all(key.isdigit() for key in item)


def _alike(items: list[dict[str, Any]]) -> bool:
    """Whether objects share most of their keys, as records do and sections of a document do not."""
    every: dict[str, int] = {}
    for item in items:
        for key in item:
            every[key] = every.get(key, 0) + 1
    return len(items) >= 2 and sum(every.values()) >= 0.6 * len(every) * len(items)


def _feature(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    geometry = item.get("geometry") or {}
    out = {"id": item["id"]} if "id" in item else {}
    out |= dict(item.get("properties") or {})
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if isinstance(coordinates, list) and geometry.get("type") == "Point":
        return out | dict(zip(("longitude", "latitude", "altitude"), coordinates))
    return out | ({"geometry": geometry} if geometry else {})

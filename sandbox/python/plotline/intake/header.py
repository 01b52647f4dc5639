"""Which rows at the top of a table are its header, and the column names they give."""

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from plotline.intake.model import CellError
from plotline.intake.words import DATE, NA_WORDS, NUMBER

_MAX_HEADER_ROWS = 3
_BODY_SAMPLE = 200
_UNIT_CELL = re.compile(r"[\[(].{1,20}[\])]|%|‰|[$€£¥]|[A-Za-zµ°%$€£/²³]{1,6}(?:/[A-Za-z²³]{1,6})?")


def kind_of(value: Any) -> str:
    """The kind of one cell: empty, number, date, boolean or text."""
    if value is None or isinstance(value, CellError):
        return "empty"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return "date"
    text = str(value).strip()
    if text.lower() in NA_WORDS:
        return "empty"
    if DATE.fullmatch(text):
        return "date"
    bare = text.strip("$€£¥%() \u00a0").replace("\u00a0", "").replace(" ", "").replace("'", "")
    if bare and NUMBER.fullmatch(bare):
        return "number"
    return "boolean" if text.lower() in ("true", "false") else "text"


def count_header_rows(rows: Sequence[Sequence[Any]]) -> int:
    """How many of the first rows are header: 0 to 3. Rows are equally wide."""
    if not rows:
        return 0
    if len(rows) == 1:
        return 1 if all(kind_of(value) == "text" for value in rows[0]) else 0
    if not _is_header(rows[0], rows[1 : _BODY_SAMPLE + 1]):
        return 2 if _is_years_over_names(rows) else 0
    count = 1
    while count < _MAX_HEADER_ROWS and len(rows) > count + 1 and _is_sub_header(rows, count):
        count += 1
    return count


def _is_header(head: Sequence[Any], body: Sequence[Sequence[Any]]) -> bool:
    kinds = [kind_of(value) for value in head]
    years = _looks_like_years(head)
    filled = [str(value).strip().lower() for value, kind in zip(head, kinds) if kind != "empty"]
    if not filled:
        return False
    if len(filled) > 1 and set(kinds) == {"text"} and len(set(filled)) == len(filled) and any(list(row) == list(head) for row in body):
        return True  # a row of different words that comes again: parts of one export put together
    score = 0.25
    for index, (value, kind) in enumerate(zip(head, kinds)):
        column = [row[index] for row in body]
        body_kinds = Counter(found for cell in column if (found := kind_of(cell)) != "empty")
        if kind == "empty":
            score -= 0.15
            continue
        if not body_kinds:
            score += 0.1 if kind == "text" else -0.2
            continue
        dominant, times = body_kinds.most_common(1)[0]
        share = times / sum(body_kinds.values())
        if kind == "text" and dominant != "text":
            score += 1.0 if share > 0.6 else 0.3
        elif kind != "text" and kind == dominant:
            score -= 0.0 if years and kind == "number" else 1.0
        elif kind != "text":
            score -= 0.1 if years else 0.4
        else:
            score += _text_over_text(str(value), [str(cell) for cell in column if kind_of(cell) != "empty"])
    score += 0.3 if len(set(filled)) == len(filled) else -0.2
    return score > 0


def _text_over_text(value: str, column: list[str]) -> float:
    """How much a text stands apart from the texts below it: a name is not one of the values and has another shape."""
    text = value.strip()
    if text in column:
        return -0.6
    lengths = {len(cell) for cell in column}
    score = 0.05
    if len(column) > 2 and len(lengths) == 1 and len(value) not in lengths:
        score += 0.5
    if len(set(column)) * 2 <= len(column):
        score += 0.3
    digits = sum(any(sign.isdigit() for sign in cell) for cell in column) / len(column)
    has_digit = any(sign.isdigit() for sign in text)
    if digits > 0.8 and not has_digit:
        score += 0.5
    if re.fullmatch(r"[a-z]+(?:[_.][a-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]+)+|[A-Z]+_[A-Z_]+", text) and not _same_shape(text, column):
        score += 0.5
    if len(text) > 60 or text.endswith((".", "!")):
        score -= 0.3
    return score


def _same_shape(text: str, column: list[str]) -> bool:
    shape = re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", text))
    same = sum(re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", cell)) == shape for cell in column[:50])
    return same * 4 > len(column[:50])


def _looks_like_years(row: Sequence[Any]) -> bool:
    """Whether the numbers of a row are years that head columns: distinct, and beside at least one text."""
    years = _years(row)
    return len(years) >= 2 and len(set(years)) == len(years) and any(kind_of(value) == "text" for value in row)


def _years(row: Sequence[Any]) -> list[str]:
    """The row's numbers where all of them are years, else nothing."""
    numbers = [str(value).strip() for value in row if kind_of(value) == "number"]
    return numbers if all(re.fullmatch(r"(?:1[89]|20|21)\d\d(?:\.0)?", number) for number in numbers) else []


def _is_years_over_names(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether the first row holds years with gaps between them and nothing else, and the second names every column."""
    kinds = {kind_of(value) for value in rows[0]}
    has_years = bool(_years(rows[0])) and kinds == {"number", "empty"} and kind_of(rows[0][-1]) == "empty"
    return has_years and len(rows) > 2 and {kind_of(value) for value in rows[1]} == {"text"} and _is_header(rows[1], rows[2 : _BODY_SAMPLE + 1])


def _is_sub_header(rows: Sequence[Sequence[Any]], count: int) -> bool:
    """Whether the row after `count` header rows is one more: texts, or years under group names, where the columns below
    hold numbers or dates."""
    row, above = rows[count], rows[count - 1]
    body = rows[count + 1 : count + 1 + _BODY_SAMPLE]
    kinds = [kind_of(value) for value in row]
    grouped = any(kind_of(value) == "empty" for value in above[1:])
    if "date" in kinds or "boolean" in kinds or ("number" in kinds and not (grouped and len(_years(row)) >= 2)):
        return False
    if len(body) < 2:
        return False
    heading = 0
    for index, kind in enumerate(kinds):
        below = Counter(found for line in body if (found := kind_of(line[index])) != "empty")
        if not below or below.most_common(1)[0][0] == "text":
            continue
        if kind == "empty" and kind_of(above[index]) == "empty":
            return False
        heading += kind != "empty"
    # In a narrow table one damaged cell would make a row a header, so there it has to name units or stand under groups.
    named = grouped or any(_UNIT_CELL.fullmatch(str(value).strip()) for value, kind in zip(row, kinds) if kind != "empty")
    return heading >= 2 or (heading == 1 and len(row) <= 3 and named)


def header_names(rows: Sequence[Sequence[Any]], width: int) -> tuple[list[str], list[str | None]]:
    """Unique, stripped, non-empty names of `width` columns from the header rows, and the units that a units row gives."""
    if not rows:
        return [f"Column {index + 1}" for index in range(width)], [None] * width
    levels = [[_clean_name(row[index]) if index < len(row) else "" for index in range(width)] for row in rows]
    units: list[str | None] = [None] * width
    if len(levels) > 1:
        last = [name for name in levels[-1] if name]
        if last and all(_UNIT_CELL.fullmatch(name) for name in last) and any(re.search(r"[%$€£¥°/\[(]", name) for name in last):
            units = [name.strip("[]() ") or None for name in levels.pop()]
    for level in levels[:-1]:
        _fill_right(level)
    names = []
    for index in range(width):
        parts: list[str] = []
        for level in levels:
            if level[index] and level[index] not in parts:
                parts.append(level[index])
        names.append(" / ".join(parts))
    if names and names[0].startswith("#") and len(names[0]) > 1:
        names[0] = names[0].lstrip("# ")
    return _unique(names), units


def _fill_right(level: list[str]) -> None:
    """A group's name stands over its first column only; the following empty cells belong to it."""
    for index in range(1, len(level)):
        if not level[index] and level[index - 1]:
            level[index] = level[index - 1]


def _clean_name(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    text = re.sub(r"[\x00-\x1f\x7f\u200b\ufeff]+", " ", str(value))
    return re.sub(r" {2,}", " ", text).strip()


def _unique(names: list[str]) -> list[str]:
    taken = {name for name in names if name}
    seen: set[str] = set()
    numbers: dict[str, int] = {}
    out = []
    for index, name in enumerate(names):
        name = name or f"Column {index + 1}"
        candidate, number = name, numbers.get(name, 2)
        while candidate in seen or (candidate != name and candidate in taken):
            candidate = f"{name} ({number})"
            number += 1
        numbers[name] = number
        seen.add(candidate)
        out.append(candidate)
    return out


def several_rows(rows: Sequence[Sequence[Any]], columns: Sequence[int]) -> list[list[str]]:
    """The header's rows as written, for these columns, where there are several; else nothing: the names say it."""
    return [[_clean_name(row[column]) if column < len(row) else "" for column in columns] for row in rows] if len(rows) > 1 else []

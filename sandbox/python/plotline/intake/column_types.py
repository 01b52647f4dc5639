"""The values of one column -> one type, chosen from all rows. What does not fit the type is named, cell by cell."""

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake import numbers
from plotline.intake.dates import read_dates
from plotline.intake.model import CellError
from plotline.intake.readings import date_readings, number_readings
from plotline.intake.words import NA_WORDS, NA_WORDS_AMONG_NUMBERS, SPREADSHEET_ERRORS

_ENOUGH = 0.95
"""Share of the values that must fit a type; the rest is named as unusable."""


@dataclass
class Column:
    """A typed column. `unusable` are (row, value as text, reason); the cell is missing in `values`."""

    values: Any
    type: str
    unit: str | None = None
    unusable: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str, int | None]] = field(default_factory=list)
    """(code, message, row) of warnings about the whole column."""
    readings: list[dict[str, Any]] = field(default_factory=list)
    """Where the values allow two readings: both, as `{reading, min, max, examples}`."""
    codes: np.ndarray | None = None
    distinct: list[str | None] | None = None
    """As written: row r holds `distinct[codes[r]]`. None where the cells brought their types."""


@dataclass
class Hints:
    """What other columns of the same table decided."""

    convention: str | None = None
    date_order: str | None = None


def type_column(name: str, values: Sequence[Any], hints: Hints) -> Column:
    """The column with its type. `hints` is read, and written where this column's evidence is strong."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "if":
        return _numeric_array(values)
    if any(isinstance(value, (list, dict)) for value in values):
        values = [None if value is None else str(value) for value in values]
    boxed = np.empty(len(values), dtype=object)
    boxed[:] = values
    if all(value is None or isinstance(value, str) for value in values):
        codes, uniques = pd.factorize(boxed, use_na_sentinel=False)
        distinct = [value if isinstance(value, str) else None for value in uniques]
        column = _texts(name, codes, distinct, np.bincount(codes, minlength=len(distinct)), hints)
        column.codes, column.distinct = codes, distinct
        return column
    # Equal hashes would merge True with 1 and 1 with 1.0, so typed cells are not folded into distinct values.
    return _native(name, np.arange(len(values)), list(values), np.ones(len(values), dtype=int), hints)


def _numeric_array(values: np.ndarray) -> Column:
    if values.dtype.kind == "i":
        return Column(pd.array(values, dtype="Int64"), "integer")
    gone = np.isnan(values)
    if gone.all():
        return Column(np.full(len(values), None, dtype=object), "empty")
    if gone.any() and (values[~gone] == np.floor(values[~gone])).all():
        return Column(pd.array(values, dtype="Int64"), "integer")
    return Column(values.astype("float64"), "number")


def _take(converted: list[Any], codes: np.ndarray) -> np.ndarray:
    table = np.empty(len(converted), dtype=object)
    table[:] = converted
    return table[codes] if len(converted) else np.empty(0, dtype=object)


def _texts(name: str, codes: np.ndarray, distinct: list[Any], counts: np.ndarray, hints: Hints) -> Column:
    stripped = ["" if value is None else value.strip() for value in distinct]
    present = [index for index, text in enumerate(stripped) if text.lower() not in NA_WORDS]
    rows = int(counts.sum())
    if not present:
        return Column(np.full(rows, None, dtype=object), "empty")
    lowered = {stripped[index].lower() for index in present}
    if lowered <= {"true", "false"}:
        truth = [True if text.lower() == "true" else False if text.lower() == "false" else None for text in stripped]
        return Column(pd.array(_take(truth, codes), dtype="boolean"), "boolean")
    return (
        _as_numbers(codes, stripped, present, counts, hints)
        or _as_dates(codes, stripped, present, counts, hints)
        or _as_text(name, codes, distinct, stripped, counts)
    )


def _fits(fitting: int, total: int) -> bool:
    bad = total - fitting
    return fitting > 0 and (bad <= total * (1 - _ENOUGH) or (total >= 8 and bad <= 2 and fitting >= total * 0.8))


def _as_numbers(codes: np.ndarray, texts: list[str], present: list[int], counts: np.ndarray, hints: Hints) -> Column | None:
    judged = [index for index in present if texts[index].lower() not in NA_WORDS_AMONG_NUMBERS]
    if not judged:
        return None
    step = max(1, len(judged) // 200)
    probe = judged[::step]
    if sum(numbers.shape_of(texts[index]) is not None for index in probe) < 0.5 * len(probe):
        return None
    total = int(sum(counts[index] for index in judged))
    ids = [index for index in judged if numbers.is_id(texts[index])]
    if ids and not _few_zeros(texts, judged, ids, counts):
        return None
    shapes = {index: shape for index in judged if (shape := numbers.shape_of(texts[index])) is not None}
    votes = numbers.convention_votes(shape.body for shape in shapes.values())
    convention, ambiguous = numbers.decide_convention(votes, hints.convention)
    units = Counter()
    for index, shape in shapes.items():
        if shape.unit:
            units[shape.unit] += int(counts[index])
    unit = units.most_common(1)[0][0] if units else None
    if unit and not unit.strip("%‰") == "" and units[unit] < 0.5 * total and not numbers.shape_of("1" + unit):
        return None
    converted: list[Any] = [None] * len(texts)
    reasons: dict[int, str] = {}
    for index in judged:
        shape = shapes.get(index)
        value = numbers.number_of(shape, convention) if shape else None
        if value is None:
            reasons[index] = "is not a number"
        elif shape.unit and shape.unit != unit:
            reasons[index] = f"is in {shape.unit}, the column in {unit}"
        else:
            converted[index] = value
    fitting = total - int(sum(counts[index] for index in reasons))
    if unit and units[unit] < 0.5 * fitting and len(unit) > 1 and unit.isalpha():
        return None
    if not _fits(fitting, total):
        return None
    column = Column(None, "number", unit)
    column.unusable = _cells(codes, texts, reasons)
    if votes["point"] or votes["comma"]:
        if votes[convention] > 2:
            hints.convention = hints.convention or convention
    if ambiguous:
        example = next(texts[index] for index in shapes if numbers.is_ambiguous(shapes[index].body))
        other = "thousands" if "." in example else "decimals"
        read = "decimals" if "." in example else "thousands"
        column.notes.append(("ambiguous-decimals", f"{example} was read with its mark as {read}; it could also mean {other}.", None))
        column.readings = number_readings([texts[index] for index in shapes], list(shapes.values()))
    if ids:
        column.notes.append(("leading-zeros", f"{len(ids)} value(s) such as {texts[ids[0]]} have leading zeros, which the number does not keep.", _row_of(codes, ids[0])))
    whole = all(isinstance(value, int) for value in converted if value is not None)
    if whole and all(-(2**63) <= value < 2**63 for value in converted if value is not None):
        column.type = "integer"
        column.values = pd.array(_take([pd.NA if value is None else value for value in converted], codes), dtype="Int64")
    else:
        table = np.array([np.nan if value is None else float(value) for value in converted], dtype="float64")
        column.values = table[codes]
    return column


def _few_zeros(texts: list[str], judged: list[int], ids: list[int], counts: np.ndarray) -> bool:
    """Leading zeros in a handful of values of all widths are a slip among numbers; else they belong to an id."""
    if any(len(texts[index].lstrip("-")) >= 16 or texts[index][0] == "+" for index in ids):
        return False
    widths = {len(texts[index]) for index in judged}
    decimals = any("." in texts[index] or "," in texts[index] for index in judged)
    share = sum(counts[index] for index in ids) / sum(counts[index] for index in judged)
    return share < 0.02 and (decimals or len(widths) > 2)


def _as_dates(codes: np.ndarray, texts: list[str], present: list[int], counts: np.ndarray, hints: Hints) -> Column | None:
    judged = [index for index in present if texts[index].lower() not in NA_WORDS_AMONG_NUMBERS]
    if not judged:
        return None
    found = read_dates([texts[index] for index in judged], hints.date_order)
    if found is None:
        return None
    if found.order in ("ambiguous", "conflict"):
        example = texts[judged[0]]
        words = f"{example} can be read day first or month first ({found.evidence}); the column stays text."
        filled = set(present)
        column = Column(_take([text if index in filled else None for index, text in enumerate(texts)], codes), "text")
        column.notes.append(("ambiguous-dates", words, None))
        if found.order == "ambiguous":
            column.readings = date_readings([texts[index] for index in judged])
        return column
    total = int(sum(counts[index] for index in judged))
    reasons = {index: "is not a date" for index, value in zip(judged, found.values) if np.isnat(value)}
    if not _fits(total - int(sum(counts[index] for index in reasons)), total):
        return None
    table = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    table[judged] = found.values
    column = Column(table[codes], "date")
    column.unusable = _cells(codes, texts, reasons)
    if found.order:
        if "allow" in found.evidence:
            hints.date_order = hints.date_order or found.order
        else:
            column.notes.append(("date-order", f"Dates such as {texts[judged[0]]} were read {found.order.replace('-', ' ')}: {found.evidence}.", None))
    return column


def _as_text(name: str, codes: np.ndarray, distinct: list[Any], stripped: list[str], counts: np.ndarray) -> Column:
    missing = [text.lower() in NA_WORDS for text in stripped]
    two_letters = [index for index, text in enumerate(stripped) if re.fullmatch(r"[A-Z]{2}", text)]
    if len(two_letters) >= 5 and len(two_letters) >= 0.9 * sum(not gone for gone in missing):
        missing = [gone and stripped[index] != "NA" for index, gone in enumerate(missing)]  # NA is Namibia here
    values = _take([None if gone else value for value, gone in zip(distinct, missing)], codes)
    filled = [index for index, gone in enumerate(missing) if not gone]
    ids = [index for index in filled if numbers.is_id(stripped[index])]
    digits = [index for index in filled if stripped[index].lstrip("+-").isdigit()]
    if ids and len(digits) >= 0.9 * len(filled):
        return Column(values, "id")
    total = int(sum(counts[index] for index in filled))
    numeric = int(sum(counts[index] for index in filled if numbers.PLAIN.fullmatch(stripped[index])))
    column = Column(values, "text")
    if numeric >= 0.5 * total and numeric < total and not ids:
        odd = next(index for index in filled if not numbers.PLAIN.fullmatch(stripped[index]))
        column.type = "mixed"
        words = f"{numeric} of {total} values are numbers, the others are texts such as “{stripped[odd][:40]}”; the column stays text."
        column.notes.append(("mixed-types", words, _row_of(codes, odd)))
    return column


def _native(name: str, codes: np.ndarray, distinct: list[Any], counts: np.ndarray, hints: Hints) -> Column:
    """A column of a workbook or of JSON: values bring their types, texts among them are read like texts elsewhere."""
    kinds: Counter[str] = Counter()
    for value, count in zip(distinct, counts):
        kinds[_native_kind(value)] += int(count)
    filled = sum(kinds.values()) - kinds["empty"]
    if not filled:
        return Column(np.full(len(codes), None, dtype=object), "empty")
    errors = {index: f"is the spreadsheet error {value}" for index, value in enumerate(distinct) if isinstance(value, CellError)}
    shown = [native_text(value) for value in distinct]
    if kinds["text"] and not (kinds["number"] or kinds["date"] or kinds["boolean"]):
        texts = ["" if index in errors else text for index, text in enumerate(shown)]
        column = _texts(name, codes, texts, counts, hints)
        column.unusable += _cells(codes, shown, errors)
        if column.type in ("integer", "number"):
            column.notes.append(("numbers-as-text", "The numbers of this column are stored as text.", None))
        return column
    main = max(("number", "date", "boolean"), key=lambda kind: kinds[kind])
    table: list[Any] = [None] * len(distinct)
    reasons = dict(errors)
    as_text = 0
    for index, value in enumerate(distinct):
        kind = _native_kind(value)
        if kind == "empty" or index in errors:
            continue
        if kind == main:
            table[index] = value
        elif kind == "text" and value.strip().lower() in NA_WORDS_AMONG_NUMBERS:
            continue
        elif kind == "text" and main == "number" and not numbers.is_id(value.strip()) and (shape := numbers.shape_of(value.strip())) and not shape.unit:
            table[index] = numbers.number_of(shape, hints.convention or "point")
            as_text += int(counts[index])
            if table[index] is None:
                reasons[index] = "is not a number"
        else:
            reasons[index] = f"is not a {main}"
    unfit = sum(int(counts[index]) for index in reasons if index not in errors)
    if not _fits(filled - unfit, filled):
        column = Column(_take([None if _native_kind(value) == "empty" or index in errors else text for index, (value, text) in enumerate(zip(distinct, shown))], codes), "mixed")
        column.unusable = _cells(codes, shown, errors)
        words = f"The column mixes {', '.join(f'{count} {kind}' for kind, count in kinds.most_common() if kind != 'empty')} cells; it stays text."
        column.notes.append(("mixed-types", words, None))
        return column
    column = _native_column(main, table, codes)
    column.unusable = _cells(codes, shown, reasons)
    if as_text:
        column.notes.append(("numbers-as-text", f"{as_text} number(s) are stored as text.", None))
    return column


def _native_column(kind: str, table: list[Any], codes: np.ndarray) -> Column:
    if kind == "boolean":
        return Column(pd.array(_take(table, codes), dtype="boolean"), "boolean")
    if kind == "date":
        known = [value for value in table if value is not None]
        if any(isinstance(value, (datetime.time, datetime.timedelta)) for value in known):
            return Column(_take([None if value is None else native_text(value) for value in table], codes), "text")
        converted = pd.to_datetime(pd.Series(table, dtype=object), errors="coerce").to_numpy(dtype="datetime64[ns]")
        return Column(converted[codes], "date")
    known = [value for value in table if value is not None]
    if all(isinstance(value, int) or value.is_integer() for value in known) and all(abs(value) < 2**53 for value in known):
        return Column(pd.array(_take([pd.NA if value is None else int(value) for value in table], codes), dtype="Int64"), "integer")
    if any(isinstance(value, int) and abs(value) >= 10**15 for value in known):
        return Column(_take([None if value is None else str(value) for value in table], codes), "id")
    return Column(np.array([np.nan if value is None else float(value) for value in table])[codes], "number")


def _native_kind(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "empty"
    if isinstance(value, CellError):
        return "empty" if value.code.lower() == "#n/a" else "error"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return "date"
    return "empty" if str(value).strip().lower() in NA_WORDS and str(value).strip().lower() not in SPREADSHEET_ERRORS else "text"


def native_text(value: Any) -> str:
    """A cell's value as text: whole floats without `.0`, dates in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def _cells(codes: np.ndarray, texts: list[str], reasons: dict[int, str]) -> list[tuple[int, str, str]]:
    if not reasons:
        return []
    wanted = np.zeros(len(texts), dtype=bool)
    wanted[list(reasons)] = True
    return [(int(row), texts[codes[row]], reasons[int(codes[row])]) for row in np.flatnonzero(wanted[codes])]


def _row_of(codes: np.ndarray, index: int) -> int | None:
    found = np.flatnonzero(codes == index)
    return int(found[0]) if len(found) else None

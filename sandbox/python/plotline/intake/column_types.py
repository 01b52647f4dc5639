"""The values of one column -> one type, chosen from all rows. What does not fit the type is named, cell by cell."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake import numbers
from plotline.intake.column import Column, Hints, ambiguous_words, cells, fits, integers, row_of, rows_of, take
from plotline.intake.dates import Dates, date_format, read_dates
from plotline.intake.native_columns import native_column
from plotline.intake.quick_columns import dates_column, numbers_column
from plotline.intake.readings import date_readings, number_readings
from plotline.intake.text_column import TextColumn
from plotline.intake.words import is_na, is_na_among_numbers


_SPELLINGS = 8
"""Distinct values that a column of `true` and `false` has at most, with all their spellings."""
_MANY = 5_000
"""Distinct values from which a sample of them decides what a column cannot be."""
_NUMBERS_BEGIN = tuple("0123456789+-.")


def type_column(name: str, values: Sequence[Any], hints: Hints) -> Column:
    """The column with its type. `hints` is read, and written where this column's evidence is strong."""
    if isinstance(values, TextColumn):
        return numbers_column(values, hints) or dates_column(values) or _of_texts(name, values, hints)
    if any(isinstance(value, (list, dict)) for value in values):
        values = [None if value is None else str(value) for value in values]
    if all(value is None or isinstance(value, str) for value in values):
        column = TextColumn.of_texts(["" if value is None else value for value in values])
        return _of_texts(name, column, hints)
    # Equal hashes would merge True with 1 and 1 with 1.0, so typed cells are not folded into distinct values.
    return native_column(
        np.arange(len(values)), list(values), np.ones(len(values), dtype=int), hints, lambda codes, texts, counts: _texts(name, codes, texts, counts, hints)
    )


def _of_texts(name: str, source: TextColumn, hints: Hints) -> Column:
    column = _texts(name, source.codes, source.distinct, source.counts, hints)
    column.source = source
    return column


def _texts(name: str, codes: np.ndarray, distinct: list[Any], counts: np.ndarray, hints: Hints) -> Column:
    stripped = ["" if value is None else value.strip() for value in distinct]
    present = [index for index, text in enumerate(stripped) if not is_na(text)]
    rows = int(counts.sum())
    if not present:
        return Column(np.full(rows, None, dtype=object), "empty")
    if len(present) <= _SPELLINGS and {stripped[index].lower() for index in present} <= {"true", "false"}:
        truth = [True if text.lower() == "true" else False if text.lower() == "false" else None for text in stripped]
        return Column(pd.array(take(truth, codes), dtype="boolean"), "boolean")
    return (
        _as_numbers(codes, stripped, present, counts, hints)
        or _as_dates(codes, stripped, present, counts, hints)
        or _as_text(codes, distinct, stripped, present, counts)
    )


def _as_numbers(codes: np.ndarray, texts: list[str], present: list[int], counts: np.ndarray, hints: Hints) -> Column | None:
    probe = [index for index in present[:: max(1, len(present) // 200)] if not is_na_among_numbers(texts[index])]
    if sum(numbers.shape_of(texts[index]) is not None for index in probe) < 0.5 * len(probe):
        return None
    judged = [index for index in present if not is_na_among_numbers(texts[index])]
    if not judged:
        return None
    total = int(sum(counts[index] for index in judged))
    ids = [index for index in judged if numbers.is_id(texts[index])]
    long = _too_long(texts, judged, ids, counts)
    ids = [index for index in ids if index not in long]
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
    if unit and units[unit] <= 0.1 * total:
        unit = None  # a unit on a few values is theirs and not the column's
    if unit and not unit.strip("%‰") == "" and units[unit] < 0.5 * total and not numbers.shape_of("1" + unit):
        return None
    converted: list[Any] = [None] * len(texts)
    reasons: dict[int, str] = {}
    whole_others = all(shape.body.isdigit() and not shape.exponent for shape in shapes.values())
    for index in judged:
        shape = shapes.get(index)
        value = numbers.number_of(shape, convention) if shape else None
        if index in long and not (whole_others and isinstance(value, int) and abs(value) < 2**63):
            reasons[index] = "has more digits than a number keeps exactly"
        elif value is None:
            reasons[index] = "is not a number"
        elif shape.unit and shape.unit != unit:
            reasons[index] = f"is in {shape.unit}, the column {f'in {unit}' if unit else 'has no unit'}"
        else:
            converted[index] = value
    fitting = total - int(sum(counts[index] for index in reasons))
    if unit and units[unit] < 0.5 * fitting and len(unit) > 1 and unit.isalpha():
        return None
    if not fits(fitting, total):
        return None
    column = Column(None, "number", unit)
    column.unusable = cells(codes, texts, reasons)
    if votes["point"] or votes["comma"]:
        if votes[convention] > 2:
            hints.convention = hints.convention or convention
    if ambiguous:
        example = next(texts[index] for index in shapes if numbers.is_ambiguous(shapes[index].body))
        column.notes.append(("ambiguous-decimals", ambiguous_words(example), None))
        column.readings = number_readings([texts[index] for index in shapes], list(shapes.values()))
    if long - set(reasons):
        words = f"{texts[next(iter(long))]} has many more digits than the other numbers; it may be the number of a card or an account."
        column.notes.append(("long-number", words, rows_of(codes, sorted(long))))
    if ids:
        column.notes.append(("leading-zeros", f"{len(ids)} value(s) such as {texts[ids[0]]} have leading zeros, which the number does not keep.", rows_of(codes, ids)))
    whole = all(isinstance(value, int) for value in converted if value is not None)
    if whole and all(-(2**63) <= value < 2**63 for value in converted if value is not None):
        column.type = "integer"
        gone = np.array([value is None for value in converted], dtype=bool)
        column.values = integers(np.array([value or 0 for value in converted], dtype=np.int64), gone, codes)
    else:
        table = np.array([np.nan if value is None else float(value) for value in converted], dtype="float64")
        column.values = table[codes]
    return column


def _too_long(texts: list[str], judged: list[int], ids: list[int], counts: np.ndarray) -> set[int]:
    """The one or two digit strings of 16 and more among short numbers: a slip there, an id where all are long."""
    long = {index for index in ids if len(texts[index].lstrip("-+")) >= numbers.ID_LENGTH}
    rows = int(sum(counts[index] for index in long))
    return long if 0 < rows <= 2 and rows * 20 < int(sum(counts[index] for index in judged)) else set()


def _few_zeros(texts: list[str], judged: list[int], ids: list[int], counts: np.ndarray) -> bool:
    """Leading zeros in a handful of values of all widths are a slip among numbers; else they belong to an id."""
    if any(len(texts[index].lstrip("-")) >= 16 or texts[index][0] == "+" for index in ids):
        return False
    widths = {len(texts[index]) for index in judged}
    decimals = any("." in texts[index] or "," in texts[index] for index in judged)
    share = sum(counts[index] for index in ids) / sum(counts[index] for index in judged)
    return share < 0.02 and (decimals or len(widths) > 2)


def _as_dates(codes: np.ndarray, texts: list[str], present: list[int], counts: np.ndarray, hints: Hints) -> Column | None:
    if len(present) > _MANY and not any(date_format(texts[index]) for index in present[:: len(present) // 400]):
        return None
    judged = [index for index in present if not is_na_among_numbers(texts[index])]
    if not judged:
        return None
    found = read_dates([texts[index] for index in judged], hints.date_order, [counts[index] for index in judged])
    if found is None:
        return None
    if found.order in ("ambiguous", "conflict"):
        example = texts[judged[0]]
        words = f"{example} can be read day first or month first ({found.evidence}); the column stays text."
        filled = set(present)
        column = Column(take([text if index in filled else None for index, text in enumerate(texts)], codes), "text")
        column.notes.append(("ambiguous-dates", words, None))
        if found.order == "ambiguous":
            column.readings = date_readings([texts[index] for index in judged])
        return column
    total = int(sum(counts[index] for index in judged))
    reasons = {index: "is not a date" for index, value in zip(judged, found.values) if np.isnat(value)}
    if not fits(total - int(sum(counts[index] for index in reasons)), total):
        return None
    table = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    table[judged] = found.values
    column = Column(table[codes], "date")
    column.unusable = cells(codes, texts, reasons)
    column.notes += _odd_dates(codes, counts, texts, judged, found)
    if found.order:
        if "allow" in found.evidence:
            hints.date_order = hints.date_order or found.order
        else:
            column.notes.append(("date-order", f"Dates such as {texts[judged[0]]} were read {found.order.replace('-', ' ')}: {found.evidence}.", None))
    return column


def _odd_dates(codes: np.ndarray, counts: np.ndarray, texts: list[str], judged: list[int], found: Dates) -> list[tuple[str, str, list[int]]]:
    """The one or two dates in a form that none of the others have: day and month may be meant the other way round there."""
    assert found.pattern is not None
    by_form: dict[int, list[int]] = {}
    for index, form in zip(judged, found.pattern.tolist()):
        by_form.setdefault(form, []).append(index)
    by_form.pop(-1, None)
    total = int(sum(counts[index] for indexes in by_form.values() for index in indexes))
    notes = []
    for indexes in by_form.values():
        rows = int(sum(counts[index] for index in indexes))
        if rows <= 2 and rows * 4 < total:
            words = f"{rows} date(s) are written in another form than the others, such as “{texts[indexes[0]]}”."
            notes.append(("odd-date-form", words, rows_of(codes, indexes)))
    return notes


def _as_text(codes: np.ndarray, distinct: list[Any], stripped: list[str], present: list[int], counts: np.ndarray) -> Column:
    two_letters = [index for index, text in enumerate(stripped) if len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()]
    filled = present
    if len(two_letters) >= 5 and len(two_letters) >= 0.9 * len(present):
        filled = sorted({*present, *two_letters})  # NA is Namibia here
    lookup = np.full(len(distinct), None, dtype=object)
    lookup[filled] = [distinct[index] for index in filled]
    values = lookup[codes]
    if _are_words(stripped, filled, len(codes)):
        return Column(values, "text")
    digits = [index for index in filled if stripped[index][-1:].isdigit() and stripped[index].lstrip("+-").isdigit()]
    ids = [index for index in digits if numbers.is_id(stripped[index])]
    if ids and len(digits) >= 0.9 * len(filled):
        return Column(values, "id")
    total = int(counts[filled].sum())
    plain = [index for index in filled if stripped[index][:1] in _NUMBERS_BEGIN and numbers.PLAIN.fullmatch(stripped[index])]
    numeric = int(counts[plain].sum())
    column = Column(values, "text")
    if numeric >= 0.5 * total and numeric < total and not ids:
        odd = next(index for index in filled if not numbers.PLAIN.fullmatch(stripped[index]))
        column.type = "mixed"
        words = f"{numeric} of {total} values are numbers, the others are texts such as “{stripped[odd][:40]}”; the column stays text."
        column.notes.append(("mixed-types", words, row_of(codes, odd)))
    return column


def _are_words(texts: list[str], filled: list[int], rows: int) -> bool:
    """Whether a column of many values, most of them different, holds hardly a number: then it is neither one of ids nor mixed."""
    if len(filled) <= _MANY or len(filled) * 2 <= rows:
        return False
    probe = [texts[index] for index in filled[:: len(filled) // 400]]
    return sum(text[:1] in _NUMBERS_BEGIN and numbers.PLAIN.fullmatch(text) is not None for text in probe) * 10 < len(probe)

"""Large columns of numbers, typed without making a text of each value: the same outcome as value by value."""

from collections import Counter

import numpy as np

from plotline.intake import numbers
from plotline.intake.odd_notations import is_few, odd_notations
from plotline.intake.plain_numbers import PlainNumbers, plain_numbers
from plotline.intake.text_column import Spans, TextColumn
from plotline.intake.words import CURRENCY_SIGNS, is_na_among_numbers

QUICK_FROM = 2_000
"""Distinct values from which reading numbers from bytes pays."""
_MAX_OTHER_SHARE = 0.06
_PROBE = 60


class QuickNumbers:
    """The numbers of a column by distinct value: `values` (NaN where missing or unfit), whether all are `whole`, the
    `unit` they share, `reasons` and `shown` of the unfit ones, the `convention`, whether its choice was `ambiguous`."""

    def __init__(self, count: int) -> None:
        self.values = np.full(count, np.nan)
        self.whole = True
        self.unit: str | None = None
        self.reasons: dict[int, str] = {}
        self.shown: dict[int, str] = {}
        self.convention = "point"
        self.ambiguous: str | None = None
        self.is_evident = False
        self.total = 0
        self.notes: list[tuple[str, str, list[int]]] = []


def quick_numbers(column: TextColumn, table_convention: str | None) -> QuickNumbers | None:
    """The column's numbers; None where it is small, or another kind of column, or too mixed to be read at once."""
    spans = column.spans
    if spans is None or column.distinct_count < QUICK_FROM:
        return None
    unit, bare, spans = _without_unit(column, spans)
    found, others, convention = _read(spans, column)
    if found is None:
        return None
    counts = column.counts
    out = QuickNumbers(len(counts))
    texts = [text.strip() for text in column.distinct_at(others)]
    judged = {index: text for index, text in zip(others.tolist(), texts) if not is_na_among_numbers(text)}
    shapes = {index: shape for index, text in judged.items() if (shape := numbers.shape_of(text))}
    units = sum(int(counts[index]) for index, shape in shapes.items() if shape.unit)
    if unit is None and units > 0.1 * int(counts.sum()):
        return None
    if any(numbers.is_id(text) for text in judged.values()):
        return None  # names among numbers: all values decide together whether the column is one of names
    votes = Counter(numbers.convention_votes(shape.body for shape in shapes.values()))
    known = found.known
    marked = known & ((found.decimals > 0) | found.grouped)
    votes[convention] += int((marked & ~found.ambiguous).sum())
    doubtful = marked & found.ambiguous
    with_decimal_mark = int((doubtful & (found.decimals > 0)).sum())
    other = "comma" if convention == "point" else "point"
    votes[f"both-{convention}"] += with_decimal_mark
    votes[f"both-{other}"] += int(doubtful.sum()) - with_decimal_mark
    decided, out.ambiguous = _decided(votes, table_convention, column, doubtful)
    if decided != convention:
        return None
    out.convention, out.unit, out.shown = convention, unit, judged
    out.is_evident = votes[convention] > 2
    out.values[known] = found.values[known]
    out.whole = not bool((found.decimals[known] > 0).any())
    for index, text in judged.items():
        shape = shapes.get(index)
        value = numbers.number_of(shape, convention) if shape else None
        if value is None:
            out.reasons[index] = "is not a number"
        elif shape.unit and shape.unit != unit:
            out.reasons[index] = f"is in {shape.unit}, the column {f'in {unit}' if unit else 'has no unit'}"
        else:
            out.values[index] = value
            out.whole = out.whole and isinstance(value, int) and abs(value) < 2**53
    missing = int(sum(counts[index] for index in others.tolist() if index not in judged))
    out.total = int(counts.sum()) - missing
    out.notes = _notes(column, found, bare, out, {index: (text, shapes[index]) for index, text in judged.items() if index in shapes and index not in out.reasons})
    return out


def _read(spans: Spans, column: TextColumn) -> tuple[PlainNumbers | None, np.ndarray, str]:
    """The numbers under the convention that reads nearly all cells, and the distinct values it does not read."""
    probe = spans.take(np.arange(0, len(spans), max(1, len(spans) // 300)))
    for convention in ("point", "comma"):
        if plain_numbers(probe, convention).known.mean() < 0.5:
            continue
        found = plain_numbers(spans, convention)
        found.known[list(column.from_others)] = False
        others = np.flatnonzero(~found.known)
        if len(others) <= max(100, _MAX_OTHER_SHARE * len(spans)):
            return found, others, convention
    return None, np.empty(0, dtype=np.int64), "point"


def _decided(votes: Counter[str], table_convention: str | None, column: TextColumn, doubtful: np.ndarray) -> tuple[str, str | None]:
    convention, ambiguous = numbers.decide_convention(votes, table_convention)
    if not ambiguous:
        return convention, None
    return convention, column.distinct_at(np.flatnonzero(doubtful)[:1])[0]


def _without_unit(column: TextColumn, spans: Spans) -> tuple[str | None, np.ndarray, Spans]:
    """The sign of a currency or a percent sign that nearly all values have at one end, which values lack
    it, and the values without it."""
    step = max(1, len(spans) // _PROBE)
    probe = [text for text in column.distinct_at(np.arange(0, len(spans), step)) if text]
    for at_end in (False, True):
        ends = Counter(_sign_at(text, at_end) for text in probe)
        sign, times = ends.most_common(1)[0] if ends else ("", 0)
        if not sign or times < 0.9 * len(probe):
            continue
        mark = sign.encode()
        size = len(mark)
        place = spans.starts + spans.lengths - size if at_end else spans.starts
        word = spans.buffer.word(np.maximum(place, 0)) & np.uint64((1 << (8 * size)) - 1)
        has = (spans.lengths > size) & (word == np.uint64(int.from_bytes(mark, "little")))
        starts = spans.starts if at_end else spans.starts + size * has
        return sign.strip(), ~has, Spans(spans.buffer, starts, spans.lengths - size * has, spans.quote, spans.escaped)
    return None, np.zeros(len(spans), dtype=bool), spans


def _sign_at(text: str, at_end: bool) -> str:
    """The sign at one end of the text, with the blank beside it."""
    sign, inner = (text[-1:], text[-2:-1]) if at_end else (text[:1], text[1:2])
    if sign not in (*CURRENCY_SIGNS, "%"):
        return ""
    return (inner + sign if at_end else sign + inner) if inner == " " else sign


def _notes(column: TextColumn, found: PlainNumbers, bare: np.ndarray, out: QuickNumbers, others: dict[int, tuple[str, numbers.Shape]]) -> list[tuple[str, str, list[int]]]:
    """Notes on notations that few of the numbers have."""
    counts = column.counts
    for odd in (np.flatnonzero(found.known & found.grouped), np.flatnonzero(found.known & bare)):
        if is_few(int(counts[odd].sum()), out.total):
            for index, text in zip(odd.tolist(), column.distinct_at(odd)):
                shape = numbers.shape_of(text.strip())
                if shape:
                    others[index] = (text, shape)
    return odd_notations(column.codes, counts, others, out.unit, out.convention, out.total)

"""Large columns typed from the file's bytes, without a text for each value."""

import numpy as np

from plotline.intake import numbers
from plotline.intake.column import Column, Hints, ambiguous_words, cells, fits, integers
from plotline.intake.dates import date_format
from plotline.intake.plain_dates import plain_dates
from plotline.intake.quick_numbers import QUICK_FROM, quick_numbers
from plotline.intake.readings import number_readings
from plotline.intake.text_column import TextColumn
from plotline.intake.words import is_na_among_numbers


def numbers_column(column: TextColumn, hints: Hints) -> Column | None:
    """A large column of numbers; None where it is another kind of column."""
    found = quick_numbers(column, hints.convention)
    if found is None or not fits(found.total - int(sum(column.counts[index] for index in found.reasons)), found.total):
        return None
    if found.is_evident:
        hints.convention = hints.convention or found.convention
    out = Column(None, "number", found.unit, source=column, distinct_values=found.values)
    out.unusable = cells(column.codes, found.shown, found.reasons)
    out.notes = [*found.notes]
    if found.ambiguous:
        out.notes.append(("ambiguous-decimals", ambiguous_words(found.ambiguous), None))
        texts = [text.strip() for text in column.distinct if numbers.shape_of(text.strip())]
        out.readings = number_readings(texts, [shape for text in texts if (shape := numbers.shape_of(text))])
    if found.whole:
        out.type = "integer"
        gone = np.isnan(found.values)
        out.values = integers(np.where(gone, 0, found.values).astype(np.int64), gone, column.codes)
    else:
        out.values = found.values[column.codes]
    return out


def dates_column(column: TextColumn) -> Column | None:
    """A large column of ISO dates; None where it holds other forms, which all values together decide."""
    spans = column.spans
    if spans is None or column.distinct_count < QUICK_FROM:
        return None
    if np.isnat(plain_dates(spans.take(np.arange(0, len(spans), max(1, len(spans) // 300))))).mean() > 0.5:
        return None
    moments = plain_dates(spans)
    moments[list(column.from_others)] = np.datetime64("NaT")
    others = np.flatnonzero(np.isnat(moments))
    if len(others) > max(100, 0.05 * len(moments)):
        return None
    shown = {index: text.strip() for index, text in zip(others.tolist(), column.distinct_at(others))}
    judged = [index for index, text in shown.items() if not is_na_among_numbers(text)]
    if any(date_format(shown[index]) for index in judged):
        return None
    total = int(column.counts.sum()) - sum(int(column.counts[index]) for index in shown if index not in judged)
    if not fits(total - sum(int(column.counts[index]) for index in judged), total):
        return None
    out = Column(moments[column.codes], "date", source=column, distinct_values=moments)
    out.unusable = cells(column.codes, shown, dict.fromkeys(judged, "is not a date"))
    return out

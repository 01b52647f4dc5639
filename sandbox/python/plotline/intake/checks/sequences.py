"""Gaps: dates at a regular step of which some are missing, numbers that count the rows and skip some."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from plotline.intake.checks.findings import counted, on_rows
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_MOST_MISSING = 0.05
"""Share of the steps that may be missing; where more are, there is no regular step."""
_DAY = np.timedelta64(1, "D")


def date_gaps(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Days, weeks, months, quarters, years, hours or minutes that a series leaves out."""
    if column.type != "date":
        return
    values = column.series.to_numpy()
    known = values[~np.isnat(values)]
    stamps, times = np.unique(known, return_counts=True)
    # Events (orders, visits) have dates but no step: in a series every date occurs equally often.
    if len(stamps) < 12 or np.median(times) * len(stamps) < 0.9 * len(known) or times.max() > 2 * np.median(times):
        return
    for places, one, many, back in _steps(stamps):
        missing = int(places[-1] - places[0]) + 1 - len(places)
        if not 0 < missing <= max(2, _MOST_MISSING * len(places)):
            continue
        before = np.flatnonzero(np.diff(places) > 1)
        after = stamps[before + 1]
        rows = [int(np.flatnonzero(values == stamp)[0]) for stamp in after[:200]]
        open_gaps = [(stamp, row) for stamp, row in zip(before, rows) if not _explained(view, row)]
        if not open_gaps:
            return
        first = back(int(places[open_gaps[0][0]]) + 1)
        is_missing = "is missing" if missing == 1 else "are missing"
        words = f"{column.name}: {counted(missing, one, many)} {is_missing} in a series of {len(stamps):,}, first {first} ({view.where(row for _, row in open_gaps)})."
        yield from on_rows(view, "series-gap", words, [row for _, row in open_gaps])
        return


def _steps(stamps: np.ndarray) -> Iterator[tuple[np.ndarray, str, str, object]]:
    """The series counted in each step it may have: its positions, the step's name, and a position as text."""
    days = stamps.astype("datetime64[D]")
    if (stamps == days).all():
        numbers = days.astype(int)
        weekend = (numbers + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        if not weekend.any() and len(days) > 15:
            working = np.busday_count(np.datetime64("1970-01-01"), days)
            yield working, "working day", "working days", lambda place: str(np.busday_offset(np.datetime64("1970-01-01"), place, roll="forward"))
        if len(set((numbers % 7).tolist())) == 1:
            shift = int(numbers[0] % 7)
            yield (numbers - shift) // 7, "week", "weeks", lambda place: str(np.datetime64(place * 7 + shift, "D"))
        else:
            yield numbers, "day", "days", lambda place: str(np.datetime64(place, "D"))
        months = days.astype("datetime64[M]").astype(int)
        of_month = (days - days.astype("datetime64[M]")).astype(int)
        if len(set(months.tolist())) == len(months) and (len(set(of_month.tolist())) == 1 or (of_month >= 27).all()):
            for size, one in ((12, "year"), (3, "quarter"), (1, "month")):
                if len(set((months % size).tolist())) == 1:
                    shift = int(months[0] % size)
                    yield (months - shift) // size, one, one + "s", lambda place, size=size, shift=shift: str(np.datetime64(place * size + shift, "M"))
                    return
        return
    seconds = stamps.astype("datetime64[s]").astype(np.int64)
    step = int(np.median(np.diff(seconds)))
    if step > 0 and (stamps == stamps.astype("datetime64[s]")).all() and ((seconds - seconds[0]) % step == 0).all():
        start = int(seconds[0])
        yield (seconds - start) // step, "step", "steps", lambda place: pd.Timestamp(start + place * step, unit="s").isoformat(sep=" ")


def id_gaps(view: TableView, column: ColumnView) -> Iterator[Note]:
    """A column that counts the rows one by one, in their order, and skips numbers."""
    if column.type != "integer" or view.rows < 20:
        return
    values = column.numbers
    if np.isnan(values[:2]).any() or values[-1] - values[0] < view.rows - 1 or values[-1] - values[0] > (1 + _MOST_MISSING) * view.rows:
        return
    if np.isnan(values).any():
        return
    steps = np.diff(values)
    if not (steps >= 1).all():
        return
    rows = [int(row) + 1 for row in np.flatnonzero(steps > 1) if not _explained(view, int(row) + 1)]
    if not rows:
        return
    missing = int(sum(steps[row - 1] - 1 for row in rows))
    is_missing = "number is missing" if missing == 1 else "numbers are missing"
    words = f"{column.name} counts the rows, but {missing:,} {is_missing}, first {int(values[rows[0] - 1]) + 1} ({view.where(rows)})."
    yield from on_rows(view, "series-gap", words, rows)


def _explained(view: TableView, row: int) -> bool:
    """Whether a line before this row is not in the table: it is named already, and the gap is its own."""
    return row > 0 and view.line(row) - view.line(row - 1) > 1 and bool(view.raw.rejected)

"""What a careful colleague would point out about a table before computing with it."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from plotline.intake.frame import TypedTable
from plotline.intake.model import Note
from plotline.intake.totals import totals_rows

_INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|the\s+|your\s+)*(?:previous|prior|above|earlier|system)"
    r"|(?:system|assistant|developer)\s*(?:prompt|message)\s*:|you are (?:now )?(?:an?|the) (?:ai|assistant|language model|chatbot)"
    r"|\b(?:run|execute)\s+(?:the following|this)\s+(?:code|command)|<\|?(?:im_start|system|endoftext)|\[/?INST\]"
    r"|(?:reveal|print|send|exfiltrate)\s+(?:your|the|all)\s+(?:system prompt|instructions|secrets?|api keys?|credentials)",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"[=+@][A-Za-z_]+\(|=cmd\||[-+=@].*!\s*A\d|=HYPERLINK", re.IGNORECASE)
_KEY_NAME = re.compile(r"(?:^|[\s_])(?:id|key|uuid|guid|code|sku|no|nr|number)$|Id$|ID$", re.IGNORECASE)
_MAX_ROWS_FOR_DUPLICATES = 300_000


def check(table: TypedTable) -> Iterator[Note]:
    """The warnings about the loaded table, the most useful first."""
    frame, name = table.frame, table.raw.name
    rows = len(frame)
    if table.raw.rejected:
        first = table.raw.rejected[0]
        count = len(table.raw.rejected)
        lines = ", ".join(str(found.line) for found in table.raw.rejected[:8]) + (" …" if count > 8 else "")
        yield Note("rejected-lines", f"{count} line(s) could not be loaded: {lines}. Line {first.line} {first.reason}.", name, first.line)
    if rows == 0 and table.raw.header:
        yield Note("no-rows", f"The table {name} has a header ({len(frame.columns)} columns) but no rows.", name)
    if rows == 0:
        return
    yield from _totals(table)
    yield from _instructions(table)
    yield from _duplicates(table)
    for index, column in enumerate(table.columns):
        series = frame.iloc[:, index]
        label = table.raw.header[index]
        if column.type == "empty":
            yield Note("empty-column", f"{label} has no values.", name)
        elif rows > 2 and series.nunique(dropna=False) == 1:
            yield Note("constant-column", f"{label} is {str(series.iloc[0])[:40]} in every row.", name)
        if column.type in ("integer", "number"):
            yield from _outliers(table, index)
        elif column.type in ("text", "mixed") and rows < _MAX_ROWS_FOR_DUPLICATES:
            yield from _spelling(table, index)


def _rows(count: int, one: str, many: str) -> str:
    """`1 row repeats`, `3 rows repeat`: the count with its noun and verb."""
    return f"{count} row {one}" if count == 1 else f"{count} rows {many}"


def _lines(count: int) -> str:
    return "line" if count == 1 else "lines"


def _line(table: TypedTable, row: int) -> int:
    return int(table.raw.lines[row])


def _totals(table: TypedTable) -> Iterator[Note]:
    """Rows that add up the others: computing over them counts everything twice."""
    found = totals_rows(table)
    if found:
        where = ", ".join(str(_line(table, row)) for row in found[:5])
        yield Note("totals-row", f"{_rows(len(found), 'looks like a total', 'look like totals')} of the others ({_lines(len(found))} {where}); leave {'it' if len(found) == 1 else 'them'} out of sums.", table.raw.name, _line(table, found[-1]))


def _instructions(table: TypedTable) -> Iterator[Note]:
    for index, column in enumerate(table.columns):
        if column.type not in ("text", "mixed"):
            continue
        series = table.frame.iloc[:, index]
        values = pd.unique(series.dropna())[:20_000]
        odd = next((value for value in values if isinstance(value, str) and len(value) > 12 and _INSTRUCTION.search(value)), None)
        label = table.raw.header[index]
        if odd is not None:
            row = int(np.flatnonzero((series == odd).to_numpy(dtype=bool, na_value=False))[0])
            yield Note("instruction-like-text", f"{label} holds text that reads like instructions to a model; it is treated as data.", table.raw.name, _line(table, row))
        formula = next((value for value in values if isinstance(value, str) and value[:1] in "=+-@" and _FORMULA.match(value)), None)
        if formula is not None:
            row = int(np.flatnonzero((series == formula).to_numpy(dtype=bool, na_value=False))[0])
            yield Note("formula-text", f"{label} holds text that a spreadsheet program would run as a formula.", table.raw.name, _line(table, row))
    if any(_INSTRUCTION.search(label) for label in table.raw.header):
        yield Note("instruction-like-text", "A column name reads like instructions to a model; it is treated as data.", table.raw.name)


def _duplicates(table: TypedTable) -> Iterator[Note]:
    frame = table.frame
    if len(frame) < 2 or len(frame) > _MAX_ROWS_FOR_DUPLICATES:
        return
    repeated = np.flatnonzero(frame.duplicated().to_numpy()) if len(frame.columns) > 1 else np.empty(0, dtype=int)
    if len(repeated):
        where = ", ".join(str(_line(table, int(row))) for row in repeated[:5]) + (" …" if len(repeated) > 5 else "")
        yield Note("duplicate-rows", f"{_rows(len(repeated), 'repeats', 'repeat')} an earlier row in every column ({_lines(len(repeated))} {where}).", table.raw.name, _line(table, int(repeated[0])))
    for index, label in enumerate(table.raw.header[:4]):
        series = frame.iloc[:, index].dropna()
        if table.columns[index].type not in ("integer", "id", "text") or not _KEY_NAME.search(label) or len(series) < 10:
            continue
        doubled = len(series) - series.nunique()
        if 0 < doubled <= 0.05 * len(series) and doubled > len(repeated):
            again = np.flatnonzero(frame.iloc[:, index].duplicated().to_numpy() & frame.iloc[:, index].notna().to_numpy())
            yield Note("duplicate-keys", f"{label} looks like a key, but {doubled} of its values occur more than once.", table.raw.name, _line(table, int(again[0])))


def _outliers(table: TypedTable, index: int) -> Iterator[Note]:
    """Values far outside the middle half: ten interquartile ranges, so that skewed data passes and slipped digits do not."""
    values = table.frame.iloc[:, index].to_numpy(dtype="float64", na_value=np.nan)
    known = values[~np.isnan(values)]
    if len(known) < 20:
        return
    low, middle, high = np.percentile(known, (25, 50, 75))
    spread = high - low
    if spread <= 0:
        return
    far = np.flatnonzero(np.abs(values - middle) > 10 * spread)
    if 0 < len(far) <= max(2, 0.002 * len(known)):
        row = int(far[0])
        yield Note("outliers", f"{table.raw.header[index]}: {len(far)} value(s) lie far from the others, such as {values[row]:,.6g} on line {_line(table, row)} (median {middle:,.6g}).", table.raw.name, _line(table, row))


def _spelling(table: TypedTable, index: int) -> Iterator[Note]:
    """Values that differ only in case or blanks: they would be separate groups."""
    values = [value for value in pd.unique(table.frame.iloc[:, index].dropna()) if isinstance(value, str)]
    if not 2 <= len(values) <= 2000:
        return
    folded: dict[str, str] = {}
    for value in values:
        same = folded.setdefault(" ".join(value.split()).casefold(), value)
        if same is not value:
            yield Note("same-but-spelling", f"{table.raw.header[index]}: “{same[:40]}” and “{value[:40]}” differ only in case or blanks.", table.raw.name)
            return

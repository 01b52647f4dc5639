"""Large regular text tables, by the parser of pandas.

It is used only where byte positions prove what every record is: quotes open and close at fields' edges, and all records but
a few have the same number of delimiters outside quotes. Those few are rejected by line; any other file is read line by line.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.delimited import encoding_notes
from plotline.intake.dialect import detect_dialect
from plotline.intake.encoding import Decoded
from plotline.intake.header import count_header_rows, header_names
from plotline.intake.model import Dialect, RawTable, Reading, Rejected
from plotline.intake.numbers import PLAIN, is_id
from plotline.intake.records import tokenise, tokeniser
from plotline.intake.words import NA_WORDS_AMONG_NUMBERS

FROM_BYTES = 1_000_000
"""Below this size the line-by-line reader is fast enough and knows more."""
_MAX_BAD_SHARE = 0.02
_HEAD_RECORDS = 210
_EXACT_BELOW = 10**15
_NEWLINE, _RETURN = 10, 13


def read_bulk(data: bytes, decoded: Decoded, name: str) -> Reading | None:
    """The table of a large file, or None where the line-by-line reader has to look at it."""
    if len(data) < FROM_BYTES or decoded.mixed_lines or decoded.nul_lines:
        return None
    dialect, width = detect_dialect(decoded.text, decoded.encoding)
    if width < 2 or len(dialect.delimiter) != 1 or dialect.delimiter == " " or dialect.delimiter > "\x7f" or dialect.escape == "\\":
        return None
    # Trail bytes of East Asian code pages look like delimiters, so those files are taken through UTF-8.
    body = data if decoded.encoding in ("ascii", "utf-8") else decoded.text.encode("utf-8", errors="replace")
    if body.count(b"\r") != body.count(b"\r\n"):
        return None
    records = _records(body, dialect)
    if records is None:
        return None
    table = _table(body, records, dialect, name)
    if table is None:
        return None
    return Reading("tsv" if dialect.delimiter == "\t" else "csv", [table], dialect, encoding_notes(decoded))


class _Positions:
    """Where the records of a file are. `starts`/`ends` are byte offsets, `delimiters` those outside quotes."""

    def __init__(self, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray, lines: np.ndarray, delimiters: np.ndarray) -> None:
        self.codes, self.starts, self.ends, self.lines, self.delimiters = codes, starts, ends, lines, delimiters
        self.before = np.searchsorted(delimiters, starts)
        self.widths = np.searchsorted(delimiters, ends) - self.before + 1


def _records(body: bytes, dialect: Dialect) -> _Positions | None:
    codes = np.frombuffer(body, dtype=np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    delimiters = np.flatnonzero(codes == ord(dialect.delimiter))
    ends = newlines
    if dialect.quote:
        quotes = np.flatnonzero(codes == ord(dialect.quote))
        if not _well_placed(codes, quotes, ord(dialect.delimiter), ord(dialect.quote)):
            return None
        if len(quotes):
            delimiters = delimiters[np.searchsorted(quotes, delimiters) & 1 == 0]
            ends = newlines[np.searchsorted(quotes, newlines) & 1 == 0]
    if not len(ends) or ends[-1] != len(body) - 1:
        ends = np.append(ends, len(body))
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.searchsorted(newlines, starts) + 1 if len(ends) < len(newlines) else np.arange(1, len(ends) + 1)
    filled = ends - starts > np.where(codes[np.maximum(ends - 1, 0)] == _RETURN, 1, 0)
    return _Positions(codes, starts[filled], ends[filled], lines[filled], delimiters)


def _well_placed(codes: np.ndarray, quotes: np.ndarray, delimiter: int, quote: int) -> bool:
    """Whether every quote opens at a field's start or closes at its end (doubled ones do both)."""
    if len(quotes) % 2:
        return False
    opens, closes = quotes[0::2], quotes[1::2]
    before = codes[np.maximum(opens - 1, 0)]
    begins = (opens == 0) | (before == delimiter) | (before == _NEWLINE) | (before == quote)
    after = codes[np.minimum(closes + 1, len(codes) - 1)]
    finishes = (closes == len(codes) - 1) | (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == quote)
    return bool(begins.all() and finishes.all())


def _table(body: bytes, records: _Positions, dialect: Dialect, name: str) -> RawTable | None:
    count = len(records.starts)
    if count < 2:
        return None
    width = int(np.bincount(records.widths).argmax())
    bad = np.flatnonzero(records.widths != width)
    if width < 2 or len(bad) > _MAX_BAD_SHARE * count or (len(bad) and bad[0] < 3):
        return None
    # Records of delimiters alone (an empty last line of a spreadsheet) are for the other reader.
    if (records.ends - records.starts <= width).any() and _any_hollow(records, width):
        return None
    how = tokeniser(dialect.delimiter, dialect.quote, dialect.escape)
    step = max(1, count // 500)
    picked = [index for index in (*range(min(_HEAD_RECORDS, count)), *range(_HEAD_RECORDS, count, step)) if records.widths[index] == width]
    sample = [_fields(body, records, index, how) for index in picked]
    if any(cell != cell.strip(" ") for row in sample for cell in row) or any(len(row) != width for row in sample):
        return None
    header_rows = count_header_rows(sample[:_HEAD_RECORDS])
    names, units = header_names(sample[:header_rows], width)
    head = body[records.starts[0] : records.ends[0]]
    if header_rows and body.count(b"\n" + head) > 0:
        return None
    frame = _parse(body, records, bad, header_rows, width, dialect, sample[header_rows:])
    if frame is None or len(frame) != count - len(bad) - header_rows:
        return None
    keep = np.ones(count, dtype=bool)
    keep[bad] = False
    keep[:header_rows] = False
    rejected = [Rejected(int(records.lines[index]), f"has {records.widths[index]} field{'s' if records.widths[index] != 1 else ''} where the table has {width}") for index in bad]
    columns: list[Sequence[Any]] = [_values(frame[index]) for index in range(width)]
    area = f"lines {records.lines[0]}–{records.lines[-1]}"
    return RawTable(name, names, header_rows, columns, records.lines[keep], range=area, rejected=rejected, units=units)


def _any_hollow(records: _Positions, width: int) -> bool:
    short = np.flatnonzero(records.ends - records.starts <= width)
    return any(records.widths[index] == records.ends[index] - records.starts[index] + 1 or records.codes[records.ends[index] - 1] == _RETURN for index in short)


def _fields(body: bytes, records: _Positions, index: int, how: Any) -> list[str]:
    line = body[records.starts[index] : records.ends[index]].decode("utf-8", errors="replace")
    return tokenise(line.removesuffix("\r"), how)[0]


def _values(series: pd.Series) -> Any:
    if series.dtype.kind in "if":
        return series.to_numpy()
    values = series.to_numpy(dtype=object)
    return [value if isinstance(value, str) else None for value in values]


def _parse(
    body: bytes, records: _Positions, bad: np.ndarray, header_rows: int, width: int, dialect: Dialect, sample: list[list[str]]
) -> pd.DataFrame | None:
    """The body by pandas. Columns whose numbers would lose digits or zeros stay text."""
    texts = set(range(width)) - _numeric_columns(sample, width)
    texts |= _columns_with_leading_zeros(records, bad, header_rows)
    start = int(records.ends[header_rows - 1]) + 1 if header_rows else 0
    pieces = []
    for index in bad:
        if index >= header_rows:
            pieces.append(memoryview(body)[start : int(records.starts[index])])
            start = int(records.ends[index]) + 1
    pieces.append(memoryview(body)[start:])
    source = b"".join(pieces)

    def read(columns: list[int], as_text: set[int]) -> pd.DataFrame:
        numeric = [column for column in columns if column not in as_text]
        return pd.read_csv(
            io.BytesIO(source), sep=dialect.delimiter, header=None, names=range(width), usecols=columns, index_col=False,
            dtype={column: str for column in as_text if column in columns}, engine="c", encoding="utf-8",
            quotechar=dialect.quote or '"', quoting=0 if dialect.quote else 3, doublequote=True, keep_default_na=False,
            na_values={column: _MISSING for column in numeric}, float_precision="round_trip", low_memory=False,
        )  # fmt: skip

    try:
        frame = read(list(range(width)), texts)
        again = [column for column in range(width) if column not in texts and not _exact(frame[column])]
        if again:
            frame = frame.astype({column: object for column in again})
            frame[again] = read(again, set(again))
    except (pd.errors.ParserError, ValueError, OverflowError):
        return None
    return frame


_MISSING = sorted({variant for word in NA_WORDS_AMONG_NUMBERS for variant in (word, word.upper(), word.capitalize())})


def _exact(series: pd.Series) -> bool:
    """Whether a parsed column holds what was written: no boolean, no infinity, no integer beyond what is exact."""
    if series.dtype.kind not in "if":
        return series.dtype == object
    values = series.to_numpy()
    return bool(np.nanmax(np.abs(values), initial=0) < _EXACT_BELOW)


def _numeric_columns(sample: list[list[str]], width: int) -> set[int]:
    out = set()
    for column in range(width):
        values = [value for row in sample if (value := row[column].strip()) and value.lower() not in NA_WORDS_AMONG_NUMBERS]
        fitting = sum(PLAIN.fullmatch(value) is not None and not is_id(value) for value in values)
        if values and fitting == len(values):
            out.add(column)
    return out


def _columns_with_leading_zeros(records: _Positions, bad: np.ndarray, header_rows: int) -> set[int]:
    """Columns in which some field begins with a zero and another digit."""
    codes = records.codes
    zeros = np.flatnonzero(codes[:-1] == ord("0"))
    following = codes[zeros + 1]
    zeros = zeros[(following >= ord("0")) & (following <= ord("9"))]
    before = codes[np.maximum(zeros - 1, 0)]
    inside = ((before >= ord("0")) & (before <= ord("9"))) | (before == ord(".")) | (before == ord(",")) & ~np.isin(zeros - 1, records.delimiters)
    zeros = zeros[~inside | (zeros == 0)]
    owner = np.searchsorted(records.starts, zeros, side="right") - 1
    usable = (owner >= header_rows) & ~np.isin(owner, bad)
    zeros, owner = zeros[usable], owner[usable]
    fields = np.searchsorted(records.delimiters, zeros) - records.before[owner]
    return set(np.unique(fields).tolist())

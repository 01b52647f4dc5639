"""pandas tables as results: the first rows as data for the thread, the whole as CSV."""

import io
import math
import sys
import time
from typing import Any

from plotline.formulas import look_at
from plotline.kernel.bundles import PICTURE_MIME, TABLE_MIME, Bundle
from plotline.text import clean, megabytes

ROWS_LIMIT = 100
"""As in `TableData` of src/types.ts."""

COLUMNS_LIMIT = 200
CELL_CHARACTERS = 1000
CSV_LIMIT_BYTES = 8 << 20
FORMULAS_MIME = "application/vnd.plotline.formulas+json"
FORMULA_SECONDS = 0.5
"""To look a table's CSV through for cells that a spreadsheet program would run."""
HTML_ROWS = 100
PICTURES_LIMIT = 5
"""Pictures of tables in one cell: each takes a tenth of a second, and a chat shows no more of them."""
_EXACT_INTEGER = 2**53
_SAMPLE_ROWS = 200


def frame_bundle(frame: Any, publisher: Any) -> Bundle:
    """The MIME bundle of a DataFrame. Sets `publisher.truncated` and says so when the CSV would be too large."""
    whole = with_index(frame)
    bundle: dict[str, Any] = {"text/plain": repr(frame), TABLE_MIME: table_data(whole)}
    html = frame.head(HTML_ROWS).to_html(max_rows=HTML_ROWS, border=0, na_rep="")
    bundle["text/html"] = html if len(frame) <= HTML_ROWS else f"{html}\n<p>{len(frame):,} rows in all</p>"
    csv = csv_text(whole)
    if csv is None:
        publisher.truncated = True
        print(
            f"[the table's CSV was left out: more than {megabytes(CSV_LIMIT_BYTES)} ({len(frame):,} rows); "
            "write it to a file with to_csv() if it is wanted whole]",
            file=sys.stderr,
        )
    else:
        bundle["text/csv"] = csv
        data = csv.encode("utf-8", "replace")
        bundle[FORMULAS_MIME] = look_at(io.BytesIO(data), ".csv", time.monotonic() + FORMULA_SECONDS).as_json()
        bundle[PICTURE_MIME] = _picture(bundle[TABLE_MIME], publisher)
    return bundle


def _picture(table: dict[str, Any], publisher: Any) -> bytes | None:
    """None where the table needs none. Nor is a font that cannot be read a reason to lose the table."""
    from plotline.table_picture.picture import table_picture

    if publisher.pictures >= PICTURES_LIMIT:
        return None
    try:
        picture = table_picture(table)
    except Exception:
        return None
    publisher.pictures += picture is not None
    return picture


def series_bundle(series: Any, publisher: Any) -> Bundle:
    bundle = dict(frame_bundle(series.to_frame("value" if series.name is None else series.name), publisher))
    bundle["text/plain"] = repr(series)
    return bundle


def styled_bundle(styler: Any, publisher: Any) -> Bundle:
    """A `DataFrame.style` object: its own HTML, the data below it as the table."""
    return {**frame_bundle(styler.data, publisher), "text/html": styler.to_html()}


def with_index(frame: Any) -> Any:
    """The frame as it is written: its index as columns where it means something, and flat, textual column names.

    An index without a name that only counts rows means nothing, also after sorting or filtering.
    """
    import pandas as pd

    flat = frame.copy(deep=False)
    flat.columns = [_column_name(name) for name in frame.columns]
    index = frame.index
    named = any(name is not None for name in index.names)
    if not named and not isinstance(index, pd.MultiIndex) and pd.api.types.is_integer_dtype(index.dtype):
        return flat.reset_index(drop=True)
    names = [_column_name(name) if name is not None else ("index" if index.nlevels == 1 else f"index {level + 1}") for level, name in enumerate(index.names)]
    left = index.to_frame(index=False)
    left.columns = names
    return pd.concat([left, flat.reset_index(drop=True)], axis=1)


def table_data(frame: Any) -> dict[str, Any]:
    """`TableData` of src/types.ts for a frame without an index of its own."""
    shown = frame.iloc[:ROWS_LIMIT, :COLUMNS_LIMIT]
    columns, cells = [], []
    for place, name in enumerate(shown.columns):
        kind, values = _column(shown.iloc[:, place])
        columns.append({"name": name, "type": kind})
        cells.append(values)
    return {"columns": columns, "rows": [list(row) for row in zip(*cells)], "rowCount": len(frame)}


def csv_text(frame: Any) -> str | None:
    """The whole table as RFC 4180 CSV, or None when it is over the limit."""
    if len(frame) > 5 * _SAMPLE_ROWS:
        sample = frame.iloc[:: max(1, len(frame) // _SAMPLE_ROWS)].to_csv(index=False)
        if len(sample.encode()) / _SAMPLE_ROWS * len(frame) > 2 * CSV_LIMIT_BYTES:
            return None
    sink = _Limited(CSV_LIMIT_BYTES)
    try:
        frame.to_csv(sink, index=False, lineterminator="\r\n", chunksize=10_000)
    except _TooLong:
        return None
    return sink.getvalue()


class _TooLong(Exception):
    pass


class _Limited(io.StringIO):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(newline="")
        self._left = limit_bytes

    def write(self, text: str, /) -> int:
        self._left -= len(text.encode("utf-8", "replace"))
        if self._left < 0:
            raise _TooLong
        return super().write(text)


def _column_name(name: Any) -> str:
    parts = name if isinstance(name, tuple) else (name,)
    return clean(" / ".join(text for part in parts if (text := str(part)) != "")) or " "


def _column(column: Any) -> tuple[str, list[Any]]:
    """The kind of a column and its cells as JSON values."""
    import pandas as pd

    types = pd.api.types
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
        column = column.astype(object)
    values = [None if _missing(value) else value for value in column.tolist()]
    present = [value for value in values if value is not None]
    if types.is_bool_dtype(dtype) or (present and all(isinstance(value, bool) for value in present)):
        return "boolean", [None if value is None else bool(value) for value in values]
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number", [_number(value) for value in values]
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype) or (present and all(_is_date(value) for value in present)):
        return "date", _dates(values)
    if present and all(_is_number(value) for value in present):
        return "number", [_number(value) for value in values]
    kind = "text" if all(isinstance(value, str) for value in present) else "other"
    return kind, [None if value is None else _other(value) for value in values]


def _missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA: all but None are unequal to themselves, or refuse to say."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        import pandas as pd

        return value is pd.NA


def _is_number(value: Any) -> bool:
    return type(value).__name__ in ("int", "float", "Decimal", "Fraction") or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)


def _number(value: Any) -> int | float | str | None:
    if value is None:
        return None
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INTEGER else str(value)
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if isinstance(value, float) and number == int(number) and abs(number) <= _EXACT_INTEGER else number


def _is_date(value: Any) -> bool:
    return type(value).__name__ in ("date", "datetime", "Timestamp", "Period")


def _dates(values: list[Any]) -> list[str | None]:
    """ISO 8601; the time of day only where one of the shown values has one."""
    texts = [None if value is None else str(value) if type(value).__name__ == "Period" else str(value.isoformat()) for value in values]
    if all(text is None or text[10:] in ("", "T00:00:00") for text in texts):
        return [None if text is None else text[:10] for text in texts]
    return texts


def _other(value: Any) -> str | int | float | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        number = _number(value)
        return "" if number is None else number
    text = clean(str(value))
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"

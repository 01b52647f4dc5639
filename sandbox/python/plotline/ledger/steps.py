"""What is counted at the end of each watched function."""

from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
from pandas.core import indexing
from pandas.core.common import is_bool_indexer
from pandas.core.groupby.grouper import Grouping
from pandas.core.reshape import concat as concatenating
from pandas.core.reshape import merge as merging

from plotline.intake import loading
from plotline.ledger.book import BOOK, Step, names_of
from plotline.ledger.groups import codes_found, groupby_ended
from plotline.ledger.joins import join_ended, merge_ended, partners_found
from plotline.ledger.watch import Ended, is_of_a_cell, rows_at_start

_SKIPPING = ("skip", "warn")


def _load_ended(frame: FrameType, result: Any) -> None:
    if is_of_a_cell(frame):
        attrs = result._attrs
        BOOK.add_source(result, frame.f_locals["path"], attrs.get("table"), rows=attrs["source_rows"], rejected=attrs["rejected"])


def _read_ended(frame: FrameType, result: Any) -> None:
    """`read_csv` and its kin: what they leave out only when told to, nobody counts."""
    if isinstance(result, pd.DataFrame) and is_of_a_cell(frame):
        names = frame.f_locals
        uncounted = _leaves_out(names)
        BOOK.add_source(result, names.get("filepath_or_buffer", names.get("path_or_buf")), None, rows=len(result), uncounted=uncounted)


def _leaves_out(arguments: dict[str, Any]) -> bool:
    """Whether a reader was told to leave out rows of the file, how many it did not say."""
    return arguments.get("on_bad_lines") in _SKIPPING or any(
        not (arguments.get(name) is None or isinstance(arguments.get(name), int) and arguments[name] == 0) for name in ("nrows", "skiprows", "skipfooter", "comment")
    )


def _excel_ended(frame: FrameType, result: Any) -> None:
    if not is_of_a_cell(frame):
        return
    names = frame.f_locals
    asked = names["sheet_name"]
    for sheet, table in result.items() if isinstance(result, dict) else [(asked if isinstance(asked, str) else None, result)]:
        BOOK.add_source(table, getattr(names["io"], "_io", names["io"]), sheet, rows=len(table), uncounted=_leaves_out(names))


def _mask_ended(frame: FrameType, result: Any) -> None:
    """`df[mask]`. Nearly every call asks for a column and is over after the first line."""
    if type(result) is pd.DataFrame and is_of_a_cell(frame):
        names = frame.f_locals
        if _is_mask(names["key"], names["self"]):
            _filtered(names["self"], result)


def _values_ended(frame: FrameType, result: Any) -> None:
    """`series[mask]`."""
    if type(result) is pd.Series and is_of_a_cell(frame):
        names = frame.f_locals
        if _is_mask(names["key"], names["self"]):
            _filtered(names["self"], result)


def _loc_ended(frame: FrameType, result: Any) -> None:
    """`df.loc[mask]`, `df.loc[mask, columns]` and the same with `iloc`."""
    if isinstance(result, (pd.DataFrame, pd.Series)) and is_of_a_cell(frame):
        names = frame.f_locals
        table = names["self"].obj
        key = names.get("maybe_callable", names["key"])
        if _is_mask(key[0] if isinstance(key, tuple) else key, table):
            _filtered(table, result)


def _is_mask(key: Any, table: pd.DataFrame | pd.Series) -> bool:
    if isinstance(key, pd.DataFrame):
        return False
    if isinstance(key, list):
        return len(key) == len(table) and len(key) > 0 and isinstance(key[0], (bool, np.bool_))
    kind = getattr(getattr(key, "dtype", None), "kind", None)
    return kind == "b" or (kind == "O" and len(key) == len(table) and is_bool_indexer(key))


def _filtered(table: pd.DataFrame | pd.Series, result: Any) -> None:
    BOOK.add_step(Step("filter", BOOK.source_of(table), len(table), len(result), len(table) - len(result)), result)


def _sample_ended(frame: FrameType, result: Any) -> None:
    names = frame.f_locals
    if isinstance(result, pd.DataFrame) and names["axis"] in (None, 0, "index", "rows") and is_of_a_cell(frame):
        table = names["self"]
        BOOK.add_step(Step("sample", BOOK.source_of(table), len(table), len(result), max(0, len(table) - len(result))), result)


def _query_ended(frame: FrameType, result: Any) -> None:
    _rows_left_out("filter", frame, result, ())


def _dropna_ended(frame: FrameType, result: Any) -> None:
    if frame.f_locals.get("axis") in (0, "index", "rows"):
        names = frame.f_locals
        subset = names_of(names["subset"])
        # `all` leaves out empty rows, which miss no value that was asked for.
        _rows_left_out("dropna-all" if names.get("how") == "all" and not subset else "dropna", frame, result, subset)


def _duplicates_ended(frame: FrameType, result: Any) -> None:
    _rows_left_out("dedupe", frame, result, names_of(frame.f_locals["subset"]))


def _drop_ended(frame: FrameType, result: Any) -> None:
    names = frame.f_locals
    by_rows = names["index"] is not None or (names["labels"] is not None and names["axis"] in (0, "index", "rows"))
    if by_rows:
        _rows_left_out("drop", frame, result, ())


def _rows_left_out(op: str, frame: FrameType, result: Any, names: tuple[str, ...]) -> None:
    before = rows_at_start(frame)
    if before is None or not is_of_a_cell(frame):
        return
    table = frame.f_locals["self"]
    kept = table if result is None else result
    if hasattr(kept, "__len__"):
        source = BOOK.source_of(table)
        BOOK.add_step(Step(op, source, before, len(kept), before - len(kept), names), kept if isinstance(kept, pd.DataFrame) else None)


def _concat_ended(frame: FrameType, result: Any) -> None:
    if not isinstance(result, pd.DataFrame) or not is_of_a_cell(frame):
        return
    names = frame.f_locals
    parts = names["op"].objs
    below = names["axis"] in (0, "index", "rows")
    before = sum(map(len, parts)) if below else len(parts[0])
    sources = {BOOK.source_of(part) for part in parts}
    for source in sources - {None}:
        BOOK.touch(source)
    lost = before - len(result) if below else max(0, before - len(result))
    BOOK.add_step(Step("concat", sources.pop() if len(sources) == 1 else None, before, len(result), lost), result)


WATCHED: tuple[tuple[Any, Ended, bool], ...] = (
    (loading.load, _load_ended, False),
    (pd.read_csv, _read_ended, False),
    (pd.read_table, _read_ended, False),
    (pd.read_fwf, _read_ended, False),
    (pd.read_json, _read_ended, False),
    (pd.read_excel, _excel_ended, False),
    (pd.DataFrame.__getitem__, _mask_ended, False),
    (pd.Series.__getitem__, _values_ended, False),
    (pd.DataFrame.sample, _sample_ended, False),
    (indexing._LocationIndexer.__getitem__, _loc_ended, False),
    (pd.DataFrame.query, _query_ended, True),
    (pd.DataFrame.dropna, _dropna_ended, True),
    (pd.DataFrame.drop_duplicates, _duplicates_ended, True),
    (pd.DataFrame.drop, _drop_ended, True),
    (pd.DataFrame.groupby, groupby_ended, False),
    (vars(Grouping)["_codes_and_uniques"].fget, codes_found, False),
    (merging._MergeOperation._get_join_info, partners_found, False),
    (merging.merge, merge_ended, False),
    (pd.DataFrame.join, join_ended, False),
    (concatenating.concat, _concat_ended, False),
)
"""Function, what happens at its end, whether it may change its table in place."""

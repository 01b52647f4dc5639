"""How many rows of a join found a partner, read from the positions that pandas itself worked out."""

from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from plotline.ledger.book import BOOK, Step, names_of
from plotline.ledger.watch import is_of_a_cell

_METHODS = {pd.DataFrame.merge.__code__, pd.DataFrame.join.__code__}


@dataclass(frozen=True)
class _Partners:
    """`rows` of the side that the join goes by (the right one for `how="right"`), `matched` of them; `extra` rows by repeated keys."""

    operation: int
    rows: int
    matched: int
    extra: int


_found: list[_Partners] = []


def partners_found(frame: FrameType, result: Any) -> None:
    """At the end of `_MergeOperation._get_join_info`, for joins that a cell asked for."""
    asked = frame.f_back and frame.f_back.f_back  # get_result, then merge
    if asked is None or not _asked_by_cell(asked):
        return
    operation = frame.f_locals["self"]
    _, left, right = result
    by_right = operation.how == "right"
    rows = len(operation.right if by_right else operation.left)
    own, other = (right, left) if by_right else (left, right)
    _found[:] = [_Partners(id(operation), rows, *_count(operation.how, own, other, rows))]


def _count(how: str, own: np.ndarray | None, other: np.ndarray | None, rows: int) -> tuple[int, int]:
    """Matched and extra rows. `own` and `other` are the positions each result row was taken from: -1 for none, None for all in order."""
    size = rows if own is None else len(own)
    if how == "inner":
        if own is None:
            return rows, 0
        seen = np.zeros(rows, dtype=bool)
        seen[own] = True
        matched = int(np.count_nonzero(seen))
        return matched, size - matched
    if how == "outer" and own is not None:
        size = int(np.count_nonzero(own != -1))
    if other is None:
        return rows, size - rows
    alone = other == -1
    if how == "outer" and own is not None:
        alone &= own != -1
    return rows - int(np.count_nonzero(alone)), size - rows


def merge_ended(frame: FrameType, result: Any) -> None:
    """At the end of `pandas.merge`, which `DataFrame.merge` and `DataFrame.join` call too."""
    if not _asked_by_cell(frame):
        return
    names = frame.f_locals
    operation = names.get("op")
    found = _found.pop() if _found else None
    if operation is None or found is None or found.operation != id(operation):
        return  # A cross join has no partners.
    base = operation.orig_right if operation.how == "right" else operation.orig_left
    lost = found.rows - found.matched if operation.how == "inner" else 0
    keys = names_of([key for key in operation.join_names if key is not None])
    step = Step("join", BOOK.source_of(base), found.rows, len(result), lost, keys, found.matched, found.extra)
    BOOK.add_step(step, result)
    other = BOOK.source_of(operation.orig_left if base is operation.orig_right else operation.orig_right)
    if other is not None:
        BOOK.touch(other)


def join_ended(frame: FrameType, result: Any) -> None:
    """At the end of `DataFrame.join` with a list of tables; a join with one table ends in `merge_ended`."""
    names = frame.f_locals
    if "can_concat" not in names or not names["can_concat"] or not is_of_a_cell(frame):
        return
    table = names["self"]
    lost = max(0, len(table) - len(result)) if names["how"] == "inner" else 0
    BOOK.add_step(Step("concat", BOOK.source_of(table), len(table), len(result), lost), result)


def _asked_by_cell(frame: FrameType) -> bool:
    if is_of_a_cell(frame):
        return True
    caller = frame.f_back
    while caller is not None and caller.f_code.co_filename.endswith("/_decorators.py"):
        caller = caller.f_back
    return caller is not None and caller.f_code in _METHODS and is_of_a_cell(caller)

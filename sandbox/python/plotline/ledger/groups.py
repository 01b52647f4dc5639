"""Rows that no group has because a key is missing, counted when pandas itself finds out which group each row is in."""

from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from plotline.ledger.book import BOOK, Step, names_of
from plotline.ledger.watch import is_of_a_cell


@dataclass
class _Pending:
    """A grouping whose rows have no group numbers yet; `without` marks those known to be in none."""

    step: Step
    without: np.ndarray


_pending: WeakKeyDictionary[Any, _Pending] = WeakKeyDictionary()


def groupby_ended(frame: FrameType, result: Any) -> None:
    """At the end of `DataFrame.groupby`."""
    if not is_of_a_cell(frame):
        return
    names = frame.f_locals
    table = names["self"]
    rows = len(table)
    by = names["by"]
    keys = names_of(getattr(by, "name", None) if hasattr(by, "dtype") else by)
    step = Step("groupby", BOOK.source_of(table), rows, rows, 0, keys)
    BOOK.add_step(step)
    if not names["dropna"]:
        return
    without = _without_time(table, by)
    groupings = [] if without.all() else getattr(result._grouper, "groupings", [])
    if without.any():
        _tell(step, without)
    for grouping in groupings:
        _pending[grouping] = _Pending(step, without)


def codes_found(frame: FrameType, result: Any) -> None:
    """At the end of `Grouping._codes_and_uniques`, which is asked once per key, when the groups are first needed."""
    waiting = _pending.pop(frame.f_locals["self"], None)
    if waiting is None or len(result[0]) != len(waiting.without):
        return
    alone = result[0] < 0
    if alone.any():
        waiting.without |= alone
        _tell(waiting.step, waiting.without)


def _tell(step: Step, without: np.ndarray) -> None:
    lost = int(np.count_nonzero(without))
    step.after, step.lost = step.before - lost, lost
    # The groups of an earlier cell may be looked at only now.
    BOOK.add_step(step)


def _without_time(table: pd.DataFrame, by: Any) -> np.ndarray:
    """Rows without a time where a `pd.Grouper(freq=…)` sorts into periods: those are left out before there are group numbers."""
    without = np.zeros(len(table), dtype=bool)
    for key in by if isinstance(by, list) else [by]:
        if isinstance(key, pd.Grouper) and getattr(key, "freq", None) is not None:
            times = table.index if key.key is None else table._get_label_or_level_values(key.key)
            without |= np.asarray(pd.isna(times))
    return without

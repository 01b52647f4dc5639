"""One typed column, and what the ways of typing share."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.text_column import TextColumn

_ENOUGH = 0.95
"""Share of the values that must fit a type; the rest is named as unusable."""


@dataclass
class Column:
    """A typed column. `unusable` are (row, value as text, reason); the cell is missing in `values`."""

    values: Any
    type: str
    unit: str | None = None
    unusable: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str, int | list[int] | None]] = field(default_factory=list)
    """(code, message, row or rows) of warnings about the column."""
    readings: list[dict[str, Any]] = field(default_factory=list)
    """Where the values allow two readings: both, as `{reading, min, max, examples}`."""
    source: TextColumn | None = None
    """The cells as written; None where they brought their types."""
    distinct_values: np.ndarray | None = None
    """The typed value of each of the source's distinct texts, where the column was typed from its bytes."""


@dataclass
class Hints:
    """What other columns of the same table decided."""

    convention: str | None = None
    date_order: str | None = None


def fits(fitting: int, total: int) -> bool:
    bad = total - fitting
    return fitting > 0 and (bad <= total * (1 - _ENOUGH) or (total >= 8 and bad <= 2 and fitting >= total * 0.8))


def take(converted: list[Any], codes: np.ndarray) -> np.ndarray:
    table = np.empty(len(converted), dtype=object)
    table[:] = converted
    return table[codes] if len(converted) else np.empty(0, dtype=object)


def integers(values: np.ndarray, gone: np.ndarray, codes: np.ndarray) -> Any:
    return pd.arrays.IntegerArray(np.where(gone, 0, values)[codes], gone[codes])


def cells(codes: np.ndarray, texts: list[str] | dict[int, str], reasons: dict[int, str]) -> list[tuple[int, str, str]]:
    if not reasons:
        return []
    wanted = np.zeros(int(codes.max(initial=0)) + 1, dtype=bool)
    wanted[[index for index in reasons if index < len(wanted)]] = True
    return [(int(row), texts[codes[row]], reasons[int(codes[row])]) for row in np.flatnonzero(wanted[codes])]


def row_of(codes: np.ndarray, index: int) -> int | None:
    found = np.flatnonzero(codes == index)
    return int(found[0]) if len(found) else None


def ambiguous_words(example: str) -> str:
    other, read = ("thousands", "decimals") if "." in example else ("decimals", "thousands")
    return f"{example} was read with its mark as {read}; it could also mean {other}."


def rows_of(codes: np.ndarray, indexes: list[int]) -> list[int]:
    """The rows that hold one of these distinct values."""
    return np.flatnonzero(np.isin(codes, indexes)).tolist()

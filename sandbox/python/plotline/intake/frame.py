"""A raw table -> a typed DataFrame that carries what could not be loaded."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from plotline.intake.column import Column, Hints
from plotline.intake.column_types import type_column
from plotline.intake.line_notes import on_lines
from plotline.intake.model import Note, RawTable
from plotline.intake.totals import totals_rows
from plotline.intake.words import CURRENCY_CODES, CURRENCY_SIGNS

_UNIT_IN_NAME = re.compile(r"[\[(]\s*([^()\[\]]{1,15}?)\s*[\])]\s*$")
_UNIT_WORD = re.compile(
    rf"(?:{CURRENCY_CODES}|[{CURRENCY_SIGNS}%‰]|percent|pct|kg|mg|g|t|km|cm|mm|m|m2|m²|km2|km²|m3|m³|l|ml|s|ms|min|h|hrs?|hours?|days?|years?|°C|°F|C|F|K|kWh|MWh|GWh|kW|MW|W|V|A|Hz|kHz|MHz|GHz|Pa|hPa|kPa|bar|mph|km/h|m/s|GB|MB|KB|TB|bytes|pcs|units?|pp)"
    r"|(?:mn|bn|m|k|thousand|million|billion|thousands|millions)\.? ?[A-Z$€£]{0,3}|[A-Z$€£]{1,3} ?(?:mn|bn|m|k|thousand|million|billion)",
)


class Findings(list[dict[str, Any]]):
    """What was found while loading. pandas copies `attrs` with every new frame; this list is shared instead of copied."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Findings":
        return self


@dataclass
class TypedTable:
    """A table with its columns typed. The card looks at single columns; the whole frame is made where it is asked for."""

    raw: RawTable
    columns: list[Column]

    def series(self, index: int) -> pd.Series:
        """One typed column."""
        values = self.columns[index].values
        rows = range(self.raw.row_count)
        return pd.Series(np.full(len(rows), None, dtype=object) if values is None else values, index=rows, copy=False)

    @cached_property
    def totals(self) -> list[int]:
        """Positions of the rows that add up the others."""
        return totals_rows(self)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns, with what could not be loaded in `attrs`."""
        raw = self.raw
        frame = pd.DataFrame({index: self.series(index) for index in range(len(self.columns))}, index=range(raw.row_count))
        frame.columns = pd.Index(raw.header, dtype=object)
        frame.attrs = {
            "table": raw.name,
            "rejected": Findings({"line": found.line, "reason": found.reason} for found in raw.rejected),
            "unusable": Findings(_unusable(raw, self.columns)),
            "totals": Findings({"row": row, "line": int(raw.lines[row])} for row in self.totals),
            "source_rows": raw.row_count + len(raw.rejected) + raw.unread_lines,
        }
        return frame


def typed(raw: RawTable) -> TypedTable:
    """The typed table. Columns whose own values leave a choice are read again with what the others decided."""
    hints = Hints()
    columns = [type_column(name, values, hints) for name, values in zip(raw.header, raw.columns)]
    for index, column in enumerate(columns):
        codes = {code for code, _, _ in column.notes}
        if ("ambiguous-decimals" in codes and hints.convention == "comma") or ("ambiguous-dates" in codes and hints.date_order):
            columns[index] = type_column(raw.header[index], raw.columns[index], hints)
    for index, column in enumerate(columns):
        given = raw.units[index] if raw.units else None
        column.unit = column.unit or given or unit_in_name(raw.header[index])
    return TypedTable(raw, columns)


def _unusable(raw: RawTable, columns: list[Column]) -> list[dict[str, Any]]:
    return [
        {"line": int(raw.lines[row]), "column": name, "value": value, "reason": reason}
        for name, column in zip(raw.header, columns)
        for row, value, reason in column.unusable
    ]


def unit_in_name(name: str) -> str | None:
    """The unit that a column's name states: `Revenue (EUR)`, `Weight [kg]`, `price_usd`, `Share %`."""
    found = _UNIT_IN_NAME.search(name)
    if found:
        return found[1] if _UNIT_WORD.fullmatch(found[1]) or re.fullmatch(r"[^\w\s]{1,3}|\S*[%°$€£¥/²³]\S*|in [\w%$€£]+", found[1]) else None
    last = re.split(r"[\s_]+", name.strip())[-1]
    if last != name.strip() and len(last) > 1 or last in ("%", "$", "€", "£"):
        if re.fullmatch(rf"{CURRENCY_CODES}|[{CURRENCY_SIGNS}%]|kg|km|cm|mm|kWh|MWh|pct|percent", last) or re.fullmatch(r"usd|eur|gbp|chf|jpy", last):
            return "%" if last in ("pct", "percent") else last.upper() if re.fullmatch(r"usd|eur|gbp|chf|jpy", last) else last
    return None


def table_notes(table: TypedTable) -> list[Note]:
    """The warnings that typing gave, placed in the table."""
    notes = list(table.raw.notes)
    for name, column in zip(table.raw.header, table.columns):
        for code, words, place in column.notes:
            rows = place if isinstance(place, list) else [] if place is None else [place]
            lines = [int(table.raw.lines[row]) for row in rows]
            message = f"{name}: {words}"
            notes += on_lines(code, message, table.raw.name, lines, table.raw.place) if lines else [Note(code, message, table.raw.name)]
    return notes

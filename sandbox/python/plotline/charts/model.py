"""What a chart holds. The JSON form is `ChartData` in src/types.ts."""

import math
from dataclasses import dataclass, field
from typing import Any

SERIES_LIMIT = 12
POINTS_LIMIT = 200
"""Larger charts are thinned evenly for the JSON form; the words are made from all points."""

Value = str | float | int | None

BOX_PARTS = ("lower whisker", "lower quartile", "median", "upper quartile", "upper whisker")
"""`x` of a box's series; `y` are its values."""


@dataclass
class Series:
    name: str
    x: list[Value]
    y: list[Value]


@dataclass
class Chart:
    type: str = "unknown"
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    x_unit: str | None = None
    y_unit: str | None = None
    x_scale: str = "other"
    """`linear`, `log`, `date`, `category` or `other`; like the labels of the axis as it is drawn, also of bars that lie."""
    y_scale: str = "other"
    series: list[Series] = field(default_factory=list)
    panels: int = 1
    """Separate plots in one figure; their series are named after them."""
    horizontal: bool = False
    """Bars that lie: `x` still holds the categories."""

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "title": self.title,
            "xLabel": self.x_label,
            "yLabel": self.y_label,
            "xUnit": self.x_unit,
            "yUnit": self.y_unit,
            "xScale": self.x_scale,
            "yScale": self.y_scale,
            "series": [_thinned(series) for series in self.series[:SERIES_LIMIT]],
        }


def _thinned(series: Series) -> dict[str, Any]:
    count = min(len(series.x), len(series.y))
    if count <= POINTS_LIMIT:
        picked = range(count)
    else:
        picked = [round(index * (count - 1) / (POINTS_LIMIT - 1)) for index in range(POINTS_LIMIT)]
    return {"name": series.name, "x": [series.x[index] for index in picked], "y": [series.y[index] for index in picked]}


def tidy_number(value: Any) -> Value:
    """A number for JSON: not-a-number becomes None, whole numbers lose their `.0`, the rest keeps 10 digits."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if number == int(number) and abs(number) < 1e15:
        return int(number)
    return float(f"{number:.10g}")


def tidy_value(value: Any) -> Value:
    """Any coordinate: numbers, ISO 8601 text for dates and periods, text for the rest."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if hasattr(value, "to_timestamp"):
        value = value.to_timestamp()
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return None if text == "NaT" else iso_date(text)
    if type(value).__name__ == "datetime64":
        text = str(value)
        return None if text == "NaT" else iso_date(text)
    number = tidy_number(value)
    return number if number is not None or _is_number(value) else str(value)


def iso_date(text: str) -> str:
    """Without a time of day where that is midnight, and without a zone where it is UTC."""
    text = text.removesuffix("+00:00").split(".")[0]
    return text[:10] if text[10:] in ("T00:00:00", "T00:00", "T00") else text


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True

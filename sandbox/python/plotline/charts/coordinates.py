"""From places on an axis back to what was plotted there: category names, dates, numbers."""

from collections.abc import Callable
from typing import Any

from plotline.charts.model import Value, tidy_number, tidy_value

Reader = Callable[[float], Value]


def reader_of(axes: Any, axis: Any) -> Reader:
    """How to read coordinates of this axis."""
    names = category_names(axis)
    if names:
        return lambda place: _nearest(names, place)
    period = _period_reader(axes, axis)
    if period is not None:
        return period
    if is_date_axis(axis):
        return _date
    return tidy_number


def category_names(axis: Any) -> dict[float, str]:
    """Names of places, where the axis has names instead of a scale."""
    from matplotlib.ticker import FixedLocator

    mapping = getattr(getattr(axis, "units", None), "_mapping", None)
    if isinstance(mapping, dict):
        return {float(place): str(name) for name, place in mapping.items()}
    locator = axis.get_major_locator()
    if not isinstance(locator, FixedLocator) or is_date_axis(axis):
        return {}
    formatter = axis.get_major_formatter()
    names = {float(place): str(formatter(place, index)) for index, place in enumerate(locator.locs)}
    return names if any(text and not _reads_as_number(text) for text in names.values()) else {}


def _reads_as_number(text: str) -> bool:
    try:
        float(text.replace(",", "").replace("\N{MINUS SIGN}", "-").strip("%$€£ "))
    except ValueError:
        return False
    return True


def is_date_axis(axis: Any) -> bool:
    from matplotlib import dates

    if isinstance(axis.get_major_locator(), dates.DateLocator):
        return True
    kinds = {kind.__name__ for kind in type(axis.get_converter()).__mro__} if hasattr(axis, "get_converter") else set()
    return bool(kinds & {"DateConverter", "ConciseDateConverter", "_SwitchableDateConverter", "DatetimeConverter"})


def _nearest(names: dict[float, str], place: float) -> Value:
    """Bars of a group stand beside their category's tick, never half a step away."""
    best = min(names, key=lambda known: abs(known - place))
    return names[best] if abs(best - place) <= 0.5 else tidy_number(place)


def _period_reader(axes: Any, axis: Any) -> Reader | None:
    """pandas draws time series with a frequency as counts of periods."""
    frequency = getattr(axis, "freq", None) or (getattr(axes, "freq", None) if axis is getattr(axes, "xaxis", None) else None)
    if frequency is None or "pandas" not in type(axis.get_major_formatter()).__module__:
        return None

    def read(place: float) -> Value:
        import pandas as pd

        return tidy_value(pd.Period(ordinal=round(place), freq=frequency))

    return read


def _date(place: float) -> Value:
    from matplotlib import dates

    try:
        return tidy_value(dates.num2date(place).replace(microsecond=0, tzinfo=None))
    except (ValueError, OverflowError):
        return None

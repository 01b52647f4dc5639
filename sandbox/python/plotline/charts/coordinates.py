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


def scale_of(axes: Any, axis: Any) -> str:
    """`linear`, `log`, `date`, `category`, or `other` (symlog, logit, a function's)."""
    scale = axis.get_scale()
    if scale != "linear":
        return "log" if scale == "log" else "other"
    if category_names(axis):
        return "category"
    return "date" if is_date_axis(axis) or _period_reader(axes, axis) is not None else "linear"


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
    written = _written(formatter)
    names = written or {float(place): str(formatter(place, index)) for index, place in enumerate(locator.locs)}
    if any(text and _number_in(text) is None for text in names.values()):
        return names
    # Years under the bars of a group: labels that someone set, one step apart, and not the places' own numbers.
    steps = [second - first for first, second in zip(sorted(names), sorted(names)[1:])]
    own = all(not text or _number_in(text) == place for place, text in names.items())
    return names if written and not own and all(abs(step - 1) < 1e-6 for step in steps) else {}


def _written(formatter: Any) -> dict[float, str]:
    """Labels that were set as a list, by place: matplotlib keeps them behind a function, also those thinned out later."""
    call = getattr(formatter, "func", None)
    if getattr(getattr(call, "func", None), "__name__", "") != "_format_with_dict":
        return {}
    return {float(place): str(text.get_text() if hasattr(text, "get_text") else text) for place, text in call.args[0].items()}


def _number_in(text: str) -> float | None:
    try:
        return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-").strip("%$€£ "))
    except ValueError:
        return None


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

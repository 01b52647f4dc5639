"""plotly figures: a page that works without a network, the data they hold, and a still picture."""

import re
from typing import Any

from plotline.charts.model import BOX_PARTS, Chart, Series, tidy_number, tidy_value
from plotline.charts.pages import page_around
from plotline.charts.summaries import box_values
from plotline.charts.units import unit_in_title, unit_of_labels

_BINS = 20
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?(T|$)")
_POINTS = 100_000

# plotly takes its height from the elements around it, of which the inner one has none.
_STYLE = "body > div { height: 100%; }"


def page(figure: Any) -> str:
    """A complete HTML page with plotly.js inside. A figure without a size of its own fills the window."""
    body = figure.to_html(include_plotlyjs=True, full_html=False, config={"displaylogo": False, "responsive": True})
    return page_around(str(body), _plain(figure.layout.title.text), _STYLE)


def needs_network(figure: Any) -> bool:
    """Maps: their outlines or tiles are not in plotly.js, which fetches them when the page is opened."""
    return any(trace.type.endswith(("geo", "mapbox")) or trace.type == "choropleth" for trace in figure.data)


def read(figure: Any) -> Chart:
    """What the figure holds; `unknown` where its traces are of a kind that is not read."""
    layout = figure.layout
    chart = Chart(
        title=_plain(layout.title.text),
        x_label=_plain(layout.xaxis.title.text),
        y_label=_plain(layout.yaxis.title.text),
    )
    for trace in figure.data:
        reader = _READERS.get(trace.type)
        kind = reader(trace, chart) if reader is not None else None
        if kind is not None and chart.type == "unknown":
            chart.type = kind
    if chart.type == "pie":
        chart.x_scale, chart.y_scale = "category", "linear"
    elif chart.series:
        along, across = ([str(x) for series in chart.series for x in series.x], []) if chart.type != "histogram" else ([], [])
        if chart.type == "heatmap":
            across = [series.name for series in chart.series]
        elif chart.type == "box":
            along = ["box"]
        if chart.horizontal:
            along, across = across, along
        chart.x_scale, chart.y_scale = _scale(layout.xaxis, along), _scale(layout.yaxis, across)
        chart.x_unit, chart.y_unit = _unit(layout.xaxis, chart.x_label), _unit(layout.yaxis, chart.y_label)
    return chart


def _scale(axis: Any, places: list[str]) -> str:
    """As the figure says, else as plotly.js would judge by the values."""
    if axis.type in ("linear", "log", "date", "category"):
        return str(axis.type)
    if axis.type not in (None, "-"):
        return "category" if axis.type == "multicategory" else "other"
    if not places or all(isinstance(tidy_number(place), (int, float)) for place in places):
        return "linear"
    return "date" if all(_DATE.match(place) for place in places) else "category"


def _unit(axis: Any, title: str) -> str | None:
    labels = f"{axis.tickprefix or ''}1{axis.ticksuffix or ''}"
    if axis.tickformat:
        labels = f"{'$' if '$' in axis.tickformat else ''}{labels}{'%' if axis.tickformat.endswith(('%', 'p')) and axis.type != 'date' else ''}"
    return unit_in_title(title) or unit_of_labels([labels])


def _scatter(trace: Any, chart: Chart) -> str:
    ys = _list(trace.y)
    xs = _list(trace.x) or list(range(len(ys)))
    chart.series.append(Series(_plain(trace.name), [tidy_value(x) for x in xs], [tidy_number(y) for y in ys]))
    mode = trace.mode or ("lines" if len(ys) >= 20 else "lines+markers")
    return "line" if "lines" in mode else "scatter"


def _bar(trace: Any, chart: Chart) -> str:
    lying = trace.orientation == "h"
    names, values = (_list(trace.y), _list(trace.x)) if lying else (_list(trace.x), _list(trace.y))
    chart.horizontal = lying
    chart.series.append(Series(_plain(trace.name), [tidy_value(x) for x in names or range(len(values))], [tidy_number(y) for y in values]))
    return "bar"


def _pie(trace: Any, chart: Chart) -> str:
    values = _list(trace.values)
    chart.series.append(Series("", [str(label) for label in _list(trace.labels)], [tidy_number(value) for value in values]))
    return "pie"


def _histogram(trace: Any, chart: Chart) -> str | None:
    """plotly counts in the browser, so the bins here are ours."""
    import numpy as np

    lying = trace.x is None
    raw = _list(trace.y if lying else trace.x)
    numbers = [number for value in raw if isinstance(number := tidy_number(value), (int, float))]
    if raw and not numbers:
        return _counted(trace, chart, raw, lying)
    if not numbers:
        return None
    counts, edges = np.histogram(numbers, bins=trace.nbinsx or _BINS)
    names: list[Any] = [f"{low:,.4g} to {high:,.4g}" for low, high in zip(edges, edges[1:])]
    chart.series.append(Series(_plain(trace.name), names, [int(count) for count in counts]))
    return "histogram"


def _counted(trace: Any, chart: Chart, names: list[Any], lying: bool) -> str | None:
    """A histogram of categories is a bar chart of how often each occurs, or of the sum of its values."""
    values = _list(trace.x if lying else trace.y)
    if trace.histfunc not in (None, "count", "sum") or any(_DATE.match(str(tidy_value(name))) for name in names):
        return None
    sums: dict[str, float] = {}
    for index, name in enumerate(names):
        value = tidy_number(values[index]) if trace.histfunc == "sum" and index < len(values) else 1
        sums[str(name)] = sums.get(str(name), 0) + (value if isinstance(value, (int, float)) else 0)
    chart.horizontal = lying
    chart.series.append(Series(_plain(trace.name), [*sums], [tidy_number(value) for value in sums.values()]))
    return "bar"


def _box(trace: Any, chart: Chart) -> str | None:
    groups: dict[str, list[float]] = {}
    values, places = _list(trace.y), _list(trace.x)
    if not values:
        values, places = places, []
    for index, value in enumerate(values):
        number = tidy_number(value)
        if isinstance(number, (int, float)):
            groups.setdefault(str(places[index]) if index < len(places) else _plain(trace.name), []).append(number)
    for name, numbers in groups.items():
        chart.series.append(Series(name, [*BOX_PARTS], box_values(numbers)))
    return "box" if groups else None


def _heat_map(trace: Any, chart: Chart) -> str:
    rows = [_list(row) for row in _list(trace.z)]
    names = [tidy_value(x) for x in _list(trace.x)] or list(range(len(rows[0]) if rows else 0))
    sides = _list(trace.y) or list(range(len(rows)))
    for side, row in zip(sides, rows):
        chart.series.append(Series(str(tidy_value(side)), [*names], [tidy_number(value) for value in row]))
    return "heatmap"


_READERS = {
    "scatter": _scatter,
    "scattergl": _scatter,
    "bar": _bar,
    "pie": _pie,
    "histogram": _histogram,
    "box": _box,
    "heatmap": _heat_map,
}


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)[:_POINTS]


def _plain(text: Any) -> str:
    """Titles may hold simple HTML."""
    return " ".join(re.sub(r"<[^<>]*>", " ", str(text or "")).split())

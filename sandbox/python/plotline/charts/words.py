"""A chart in words, from the values that were plotted: the text for people who cannot see it, and for the model."""

import statistics
from collections.abc import Callable

from plotline.charts.model import BOX_PARTS, Chart, Series, Value
from plotline.charts.numbers import percent, places, spoken

LIMIT_CHARACTERS = 1000
"""As in `Artifact.altText` of src/types.ts."""

_SERIES_TOLD = 5
_LISTED_VALUES = 8
_NAMES = {
    "line": "Line chart",
    "scatter": "Scatter plot",
    "bar": "Bar chart",
    "pie": "Pie chart",
    "box": "Box plot",
    "histogram": "Histogram",
    "heatmap": "Heat map",
    "unknown": "Chart",
}


def describe(chart: Chart) -> str:
    """One paragraph of at most 1,000 characters."""
    sentences = [_heading(chart), *_axes(chart)]
    if chart.type == "pie":
        sentences += [_pie(series) for series in chart.series[:_SERIES_TOLD]]
    elif chart.type == "heatmap":
        sentences += _heat_map(chart)
    else:
        tell = _TELLERS.get(chart.type)
        if tell is not None:
            sentences += [tell(series, chart) for series in chart.series[:_SERIES_TOLD]]
        if len(chart.series) > _SERIES_TOLD and chart.type in _TELLERS:
            sentences.append(f"{len(chart.series) - _SERIES_TOLD} more series are drawn.")
    return _fit([sentence for sentence in sentences if sentence])


def _heading(chart: Chart) -> str:
    name = "Horizontal bar chart" if chart.type == "bar" and chart.horizontal else _NAMES[chart.type]
    if chart.panels > 1:
        name = f"{chart.panels} plots, the first a {name[0].lower()}{name[1:]}"
    return f"{name}: {_ended(chart.title)}" if chart.title else f"{name}."


def _axes(chart: Chart) -> list[str]:
    """A lying bar's categories are on its y axis."""
    if chart.type == "pie" or chart.panels > 1:
        return []
    labels = [(name, label) for name, label in (("X axis", chart.x_label), ("Y axis", chart.y_label)) if label]
    return ["; ".join(f"{name}: {label}" for name, label in labels) + "."] if labels else []


def _line(series: Series, chart: Chart) -> str:
    points = _points(series)
    if not points:
        return ""
    at = places([x for x, _ in points], chart.x_label)
    if len(points) == 1:
        return f"{_lead(series)}one point, {spoken(points[0][1])} at {at(points[0][0])}."
    (first_x, first), (last_x, last) = points[0], points[-1]
    low, high = min(points, key=_value), max(points, key=_value)
    text = f"{_lead(series)}{len(points)} points from {spoken(first)} ({at(first_x)}) to {spoken(last)} ({at(last_x)})"
    if first > 0 and last > 0 and first != last:
        text += f", {'up' if last > first else 'down'} {percent(abs(last - first) / first)}"
    extremes = []
    if low[0] not in (first_x, last_x):
        extremes.append(f"lowest {spoken(low[1])} ({at(low[0])})")
    if high[0] not in (first_x, last_x):
        extremes.append(f"highest {spoken(high[1])} ({at(high[0])})")
    if extremes:
        text += "; " + ", ".join(extremes)
    trend = _trend([value for _, value in points])
    return f"{text}; {trend}." if trend else f"{text}."


def _bar(series: Series, chart: Chart) -> str:
    points = _points(series)
    if not points:
        return ""
    at = places([x for x, _ in points], chart.y_label if chart.horizontal else chart.x_label)
    if len(points) <= _LISTED_VALUES:
        listed = ", ".join(f"{at(x)} {spoken(y)}" for x, y in points)
        return f"{_lead(series)}{listed}."
    low, high = min(points, key=_value), max(points, key=_value)
    return (
        f"{_lead(series)}{len(points)} bars, highest {at(high[0])} with {spoken(high[1])}, "
        f"lowest {at(low[0])} with {spoken(low[1])}, median {spoken(statistics.median(y for _, y in points))}."
    )


def _histogram(series: Series, chart: Chart) -> str:
    points = _points(series)
    if not points:
        return ""
    total = sum(y for _, y in points)
    fullest = max(points, key=_value)
    start, end = str(points[0][0]).split(" to ")[0], str(points[-1][0]).split(" to ")[-1]
    share = f" ({percent(fullest[1] / total)} of all)" if total > 0 else ""
    return f"{_lead(series)}{len(points)} bins from {start} to {end}; the fullest is {fullest[0]} with {spoken(fullest[1])}{share}."


def _scatter(series: Series, chart: Chart) -> str:
    points = _points(series)
    if not points:
        return ""
    ys = [y for _, y in points]
    text = f"{_lead(series)}{len(points):,} point{'s' if len(points) != 1 else ''}, y from {spoken(min(ys))} to {spoken(max(ys))}"
    xs = [x for x, _ in points if isinstance(x, (int, float))]
    if len(xs) == len(points):
        at = places(xs, chart.x_label)
        text += f", x from {at(min(xs))} to {at(max(xs))}"
        if len(points) > 2 and len(set(xs)) > 1 and len(set(ys)) > 1:
            correlation = statistics.correlation(xs, ys)
            text += f"; correlation {correlation:.2f}, {_strength(correlation)}"
    return f"{text}."


def _box(series: Series, chart: Chart) -> str:
    values = dict(zip(series.x, series.y))
    told = [spoken(values.get(part)) for part in BOX_PARTS]
    return f"{_lead(series)}median {told[2]}, middle half from {told[1]} to {told[3]}, whiskers from {told[0]} to {told[4]}."


def _pie(series: Series) -> str:
    points = sorted(_points(series), key=_value, reverse=True)
    total = sum(y for _, y in points)
    if total <= 0:
        return ""
    shown = [f"{x or 'unnamed'} {percent(y / total)} ({spoken(y)})" for x, y in points[:_LISTED_VALUES]]
    rest = points[_LISTED_VALUES:]
    if rest:
        shown.append(f"{len(rest)} more {percent(sum(y for _, y in rest) / total)}")
    return f"{len(points)} slices: {', '.join(shown)}."


def _heat_map(chart: Chart) -> list[str]:
    cells = [(series.name, x, y) for series in chart.series for x, y in _points(series)]
    if not cells:
        return []
    low, high = min(cells, key=lambda cell: cell[2]), max(cells, key=lambda cell: cell[2])
    columns = max(len(series.x) for series in chart.series)
    return [
        f"{len(chart.series)} rows by {columns} columns; highest {spoken(high[2])} ({high[0]}, {spoken(high[1])}), "
        f"lowest {spoken(low[2])} ({low[0]}, {spoken(low[1])})."
    ]


_TELLERS: dict[str, Callable[[Series, Chart], str]] = {
    "line": _line,
    "bar": _bar,
    "histogram": _histogram,
    "scatter": _scatter,
    "box": _box,
}


def _points(series: Series) -> list[tuple[Value, float]]:
    """Points that have a number; gaps are left out."""
    return [(x, y) for x, y in zip(series.x, series.y) if isinstance(y, (int, float))]


def _value(point: tuple[Value, float]) -> float:
    return point[1]


def _lead(series: Series) -> str:
    return f"{series.name}: " if series.name else ""


def _trend(values: list[float]) -> str:
    """A word for a clear direction only: each value passes the one before, or the ranks of the values follow their position."""
    if len(values) < 4 or len(set(values)) < 2:
        return ""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    for rank, index in enumerate(order):
        ranks[index] = rank
    direction = statistics.correlation(list(range(len(values))), ranks)
    steps = [after - before for before, after in zip(values, values[1:])]
    if all(step > 0 for step in steps):
        return "rising throughout"
    if all(step < 0 for step in steps):
        return "falling throughout"
    if abs(direction) >= 0.7:
        return "rising overall" if direction > 0 else "falling overall"
    return "no steady direction" if abs(direction) < 0.3 else ""


def _strength(correlation: float) -> str:
    size = abs(correlation)
    word = "strong" if size >= 0.7 else "moderate" if size >= 0.4 else "weak" if size >= 0.2 else ""
    if not word:
        return "no linear relation"
    return f"a {word} {'positive' if correlation > 0 else 'negative'} relation"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _fit(sentences: list[str]) -> str:
    """Whole sentences while they fit; the first is cut if even that is too long."""
    text = sentences[0]
    if len(text) > LIMIT_CHARACTERS:
        return text[: LIMIT_CHARACTERS - 1] + "…"
    for sentence in sentences[1:]:
        if len(text) + 1 + len(sentence) > LIMIT_CHARACTERS:
            break
        text += " " + sentence
    return text

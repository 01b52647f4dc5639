"""Drawing a `Chart` with matplotlib: the still picture of a chart that was made with another library."""

from typing import Any

from plotline.charts.model import Chart, Series


def draw(chart: Chart) -> Any | None:
    """A new figure in the current style (the caller closes it); None where there is nothing that can be drawn."""
    import matplotlib.pyplot as plt

    painter = _PAINTERS.get(chart.type)
    if painter is None or not chart.series or chart.panels > 1:
        return None
    figure, axes = plt.subplots()
    painter(axes, chart)
    if chart.type != "pie":
        axes.set_xlabel(chart.x_label)
        axes.set_ylabel(chart.y_label)
    axes.set_title(chart.title)
    if chart.type in _WITH_LEGEND and any(series.name for series in chart.series) and len(chart.series) > 1:
        axes.legend(ncols=2 if len(chart.series) > 6 else 1)
    return figure


def _lines(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        xs, ys = _drawable(series)
        axes.plot(xs, ys, label=series.name, marker="o" if len(xs) <= 30 else None)


def _points(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        xs, ys = _drawable(series)
        axes.scatter(xs, ys, label=series.name, s=18)


def _bars(axes: Any, chart: Chart) -> None:
    names = list(dict.fromkeys(str(x) for series in chart.series for x in series.x))
    width = 0.8 / len(chart.series)
    for index, series in enumerate(chart.series):
        offset = (index - (len(chart.series) - 1) / 2) * width
        places = [names.index(str(x)) + offset for x in series.x]
        heights = [y if isinstance(y, (int, float)) else 0 for y in series.y]
        (axes.barh if chart.horizontal else axes.bar)(places, heights, width, label=series.name)
    if chart.horizontal:
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
    else:
        axes.set_xticks(range(len(names)), names)


def _histogram(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        heights = [y if isinstance(y, (int, float)) else 0 for y in series.y]
        axes.bar(range(len(heights)), heights, 1, label=series.name, edgecolor="white")
        axes.set_xticks(range(len(heights)), [str(x) for x in series.x])


def _pie(axes: Any, chart: Chart) -> None:
    series = chart.series[0]
    axes.pie([y if isinstance(y, (int, float)) else 0 for y in series.y], labels=[str(x or "") for x in series.x], autopct="%.0f%%")


def _boxes(axes: Any, chart: Chart) -> None:
    keys = ("whislo", "q1", "med", "q3", "whishi")
    axes.bxp([{**dict(zip(keys, series.y)), "label": series.name} for series in chart.series], showfliers=False)


def _heat_map(axes: Any, chart: Chart) -> None:
    grid = [[float("nan") if y is None else float(y) for y in series.y] for series in chart.series]
    image = axes.imshow(grid, aspect="auto")
    axes.set_yticks(range(len(grid)), [series.name for series in chart.series])
    axes.set_xticks(range(len(chart.series[0].x)), [str(x) for x in chart.series[0].x])
    axes.grid(visible=False)
    axes.figure.colorbar(image)


def _drawable(series: Series) -> tuple[list[Any], list[Any]]:
    """Dates as dates, so that the axis is one of time; gaps stay gaps."""
    import pandas as pd

    xs: list[Any] = list(series.x)
    if xs and all(isinstance(x, str) and len(x) >= 7 and x[:4].isdigit() and x[4] == "-" for x in xs):
        dates = pd.to_datetime(pd.Series(xs), errors="coerce", format="ISO8601")
        if dates.notna().all():
            xs = list(dates)
    elif any(isinstance(x, str) for x in xs):
        xs = [str(x) for x in xs]
    return xs, [float("nan") if y is None else y for y in series.y]


_WITH_LEGEND = ("line", "scatter", "bar", "histogram")
_PAINTERS = {
    "line": _lines,
    "scatter": _points,
    "bar": _bars,
    "histogram": _histogram,
    "pie": _pie,
    "box": _boxes,
    "heatmap": _heat_map,
}

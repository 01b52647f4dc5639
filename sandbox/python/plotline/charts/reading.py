"""Reads a drawn matplotlib figure back into a `Chart`."""

from dataclasses import replace
from typing import Any

from plotline.charts.coordinates import category_names, is_date_axis, reader_of, scale_of
from plotline.charts.model import BOX_PARTS, Chart, Series, tidy_number, tidy_value
from plotline.charts.recording import AREAS, BOXES, HISTOGRAMS, PIES
from plotline.charts.units import unit_of_axis

_READ_LIMIT = 100_000
"""Points of one series that are looked at."""


def read_figure(figure: Any) -> Chart:
    """The figure's content; `type` is `unknown` where it holds nothing that can be read."""
    panels = [axes for axes in figure.axes if axes.get_visible() and not _is_colour_bar(axes)]
    charts = [(axes, chart) for axes in panels if (chart := _read_axes(axes)).series]
    heading = _text(figure.get_suptitle())
    if not charts:
        first = panels[0] if panels else None
        return Chart(title=heading or (_title(first) if first is not None else ""))
    main_axes, main = charts[0]
    twins = {id(axes) for axes, _ in charts if axes is not main_axes and _same_place(axes, main_axes)}
    separate = [chart for axes, chart in charts if id(axes) not in twins]
    result = replace(main, title=heading or main.title, series=[], panels=len(separate))
    for number, (axes, chart) in enumerate(charts, start=1):
        for series in chart.series:
            if id(axes) in twins:
                name = series.name or chart.y_label
            elif len(separate) > 1:
                panel = chart.title or chart.y_label or f"Plot {number}"
                name = f"{panel}: {series.name}" if series.name and series.name != panel else panel
            else:
                name = series.name
            result.series.append(Series(name, series.x, series.y))
    if not result.title and len(separate) == 1:
        result.title = next((chart.title for _, chart in charts if chart.title), "")
    return result


def _read_axes(axes: Any) -> Chart:
    chart = Chart(title=_title(axes), x_label=_text(axes.get_xlabel()), y_label=_text(axes.get_ylabel()))
    for read in (_pies, _boxes, _heat_map, _histograms, _bars, _areas, _lines, _points):
        if read(axes, chart):
            break
    if chart.series:
        _add_scales(axes, chart)
    return chart


def _add_scales(axes: Any, chart: Chart) -> None:
    if chart.type == "pie":
        chart.x_scale, chart.y_scale = "category", "linear"
        return
    chart.x_unit, chart.y_unit = unit_of_axis(axes.xaxis, chart.x_label), unit_of_axis(axes.yaxis, chart.y_label)
    chart.x_scale, chart.y_scale = scale_of(axes, axes.xaxis), scale_of(axes, axes.yaxis)
    if chart.type == "box":
        # Unnamed boxes stand at 1, 2, 3.
        if chart.horizontal:
            chart.y_scale = "category"
        else:
            chart.x_scale = "category"


def _pies(axes: Any, chart: Chart) -> bool:
    for values, names in getattr(axes, PIES, ()):
        chart.type = "pie"
        chart.series.append(Series("", [*names], [tidy_number(value) for value in values]))
    return chart.type == "pie"


def _boxes(axes: Any, chart: Chart) -> bool:
    for place, label, numbers, vertical in getattr(axes, BOXES, ()):
        chart.type = "box"
        chart.horizontal = not vertical
        named = category_names(axes.xaxis if vertical else axes.yaxis)
        near = min(named, key=lambda known: abs(known - place), default=None)
        name = named[near] if near is not None and abs(near - place) <= 0.5 else label
        chart.series.append(Series(name, [*BOX_PARTS], [tidy_number(number) for number in numbers]))
    return chart.type == "box"


def _heat_map(axes: Any, chart: Chart) -> bool:
    import numpy as np

    columns, rows = reader_of(axes, axes.xaxis), reader_of(axes, axes.yaxis)
    for artist in [*axes.images, *axes.collections]:
        values = artist.get_array() if hasattr(artist, "get_array") else None
        if values is None:
            continue
        if type(artist).__name__ == "QuadMesh":
            edges = artist.get_coordinates()
            height, width = edges.shape[0] - 1, edges.shape[1] - 1
            grid = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).reshape(height, width)
            xs = (edges[0, :-1, 0] + edges[0, 1:, 0]) / 2
            ys = (edges[:-1, 0, 1] + edges[1:, 0, 1]) / 2
        elif artist in axes.images and np.ndim(values) == 2:
            grid = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
            left, right, bottom, top = artist.get_extent()
            xs = left + (np.arange(grid.shape[1]) + 0.5) * (right - left) / grid.shape[1]
            ys = np.arange(grid.shape[0]) * (top - bottom) / grid.shape[0] + bottom + (top - bottom) / grid.shape[0] / 2
            if artist.origin == "upper":
                ys = ys[::-1]
        else:
            continue
        if grid.size > _READ_LIMIT:
            continue
        chart.type = "heatmap"
        names = [columns(float(x)) for x in xs]
        for y, row in zip(ys, grid):
            chart.series.append(Series(str(rows(float(y))), [*names], [tidy_number(value) for value in row]))
        return True
    return False


def _histograms(axes: Any, chart: Chart) -> bool:
    legend = _legend_names(axes)
    for edges, counts, artist, lying in getattr(axes, HISTOGRAMS, ()):
        first = next(iter(artist), None)
        if first is None or first.axes is not axes:
            continue  # The axes were cleared since.
        chart.type, chart.horizontal = "histogram", lying
        name = (_name(artist) if hasattr(artist, "get_label") else "") or _name(first)
        xs: list[Any] = [f"{_edge(low)} to {_edge(high)}" for low, high in zip(edges, edges[1:])]
        chart.series.append(Series(name or legend.get(_colour(first), ""), xs, [tidy_number(count) for count in counts]))
    return chart.type == "histogram"


def _bars(axes: Any, chart: Chart) -> bool:
    from matplotlib.container import BarContainer

    legend = _legend_names(axes)
    for container in axes.containers:
        if not isinstance(container, BarContainer) or len(container) == 0:
            continue
        patches = list(container)[:_READ_LIMIT]
        lying = container.orientation == "horizontal"
        axis = axes.yaxis if lying else axes.xaxis
        read = reader_of(axes, axis)
        if lying:
            spans = [(patch.get_y(), patch.get_height(), patch.get_width()) for patch in patches]
        else:
            spans = [(patch.get_x(), patch.get_width(), patch.get_height()) for patch in patches]
        chart.horizontal = lying
        if _touching(spans) and not category_names(axis) and not is_date_axis(axis):
            chart.type = "histogram"
            xs: list[Any] = [f"{_edge(start)} to {_edge(start + width)}" for start, width, _ in spans]
        else:
            chart.type = "bar" if chart.type != "histogram" else chart.type
            xs = [read(start + width / 2) for start, width, _ in spans]
        name = _name(container) or legend.get(_colour(patches[0]), "")
        chart.series.append(Series(name, xs, [tidy_number(value) for _, _, value in spans]))
    if chart.type == "bar":
        _merge_single_bars(chart)
        for line in _data_lines(axes):
            if not _is_whisker(line):
                _add_line(axes, chart, line)
    return chart.type in ("bar", "histogram")


def _merge_single_bars(chart: Chart) -> None:
    """seaborn draws one container a category when it colours by the category itself."""
    if len(chart.series) > 1 and all(len(series.x) == 1 for series in chart.series):
        xs = [series.x[0] for series in chart.series]
        if len(set(map(str, xs))) == len(xs):
            chart.series = [Series("", xs, [series.y[0] for series in chart.series])]


def _areas(axes: Any, chart: Chart) -> bool:
    for xs, ys, name in getattr(axes, AREAS, ()):
        chart.type = "line"
        chart.series.append(Series(name, [tidy_value(x) for x in xs], [tidy_number(y) for y in ys]))
    return bool(chart.series)


def _lines(axes: Any, chart: Chart) -> bool:
    lines = _data_lines(axes)
    for line in lines:
        _add_line(axes, chart, line)
    if not chart.series:
        return False
    if getattr(axes, "_stacker_pos_prior", None):
        _unpile(chart.series)
    drawn = any(line.get_linestyle() not in ("None", "none", "", " ") for line in lines)
    points = [artist for artist in axes.collections if type(artist).__name__ == "PathCollection"]
    if points and drawn:
        # A trend line through points: the points are the data.
        lines_only = chart.series
        chart.series = []
        if _points(axes, chart):
            chart.series += [series for series in lines_only if series.name]
            return True
        chart.series = lines_only
    chart.type = "line" if drawn else "scatter"
    return True


def _unpile(series: list[Series]) -> None:
    """pandas draws stacked areas as lines that lie on top of each other."""
    for upper, lower in reversed(list(zip(series[1:], series))):
        if upper.x != lower.x:
            return
        upper.y = [tidy_number(a - b) if isinstance(a, (int, float)) and isinstance(b, (int, float)) else a for a, b in zip(upper.y, lower.y)]


def _points(axes: Any, chart: Chart) -> bool:
    read_x, read_y = reader_of(axes, axes.xaxis), reader_of(axes, axes.yaxis)
    for artist in axes.collections:
        if type(artist).__name__ != "PathCollection":
            continue
        offsets = artist.get_offsets()[:_READ_LIMIT]
        if len(offsets) == 0:
            continue
        chart.type = "scatter"
        for name, points in _by_colour(axes, artist, offsets):
            chart.series.append(Series(name, [read_x(float(x)) for x, _ in points], [read_y(float(y)) for _, y in points]))
    return chart.type == "scatter"


def _by_colour(axes: Any, artist: Any, offsets: Any) -> list[tuple[str, Any]]:
    """seaborn draws all groups as one collection; its legend tells which colour is which."""
    name, legend, colours = _name(artist), _legend_names(axes), artist.get_facecolors()
    if name or len(legend) < 2 or len(colours) != len(offsets):
        return [(name, offsets)]
    groups: dict[str, list[Any]] = {}
    for place, colour in zip(offsets, colours):
        known = legend.get(_hex(colour))
        if known is None:
            return [(name, offsets)]
        groups.setdefault(known, []).append(place)
    return list(groups.items())


def _add_line(axes: Any, chart: Chart, line: Any) -> None:
    read_x, read_y = reader_of(axes, axes.xaxis), reader_of(axes, axes.yaxis)
    xs, ys = line.get_xdata(orig=False)[:_READ_LIMIT], line.get_ydata(orig=False)[:_READ_LIMIT]
    name = _name(line) or _legend_names(axes).get(_colour(line), "")
    chart.series.append(Series(name, [read_x(float(x)) for x in xs], [read_y(float(y)) for y in ys]))


def _data_lines(axes: Any) -> list[Any]:
    """Lines in data coordinates: not the guides of `axhline`, the caps of error bars or seaborn's empty legend lines."""
    inside = [child for container in axes.containers for child in _flat(container) if type(container).__name__ == "ErrorbarContainer"]
    main = {id(container[0]) for container in axes.containers if type(container).__name__ == "ErrorbarContainer"}
    hidden = {id(child) for child in inside} - main | {id(container.baseline) for container in axes.containers if hasattr(container, "baseline")}
    lines = [
        line
        for line in axes.get_lines()
        if id(line) not in hidden and line.get_visible() and len(line.get_xdata()) > 0 and line.get_transform() == axes.transData
    ]
    if category_names(axes.xaxis) or category_names(axes.yaxis):
        # Upright strokes at a category are the error bars of its point, or the inside of its violin.
        upright = {id(line) for line in lines if len(line.get_xdata()) > 1 and _is_whisker(line)}
        if upright:
            lines = [line for line in lines if id(line) not in upright and (len(line.get_xdata()) > 1 or _name(line))]
    return lines


def _is_whisker(line: Any) -> bool:
    """seaborn draws the error bars of a bar as lines of their own."""
    xs, ys = line.get_xdata(orig=False), line.get_ydata(orig=False)
    return _name(line) == "" and (len(set(map(float, xs))) <= 1 or len(set(map(float, ys))) <= 1)


def _flat(items: Any) -> list[Any]:
    return [leaf for item in items for leaf in (_flat(item) if isinstance(item, (tuple, list)) else [item])]


def _touching(spans: list[tuple[float, float, float]]) -> bool:
    """Bars without gaps between them are a histogram's."""
    if len(spans) < 3:
        return False
    width = max(abs(span[1]) for span in spans)
    return all(abs(first[0] + first[1] - second[0]) <= width * 0.02 for first, second in zip(spans, spans[1:]))


def _edge(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _legend_names(axes: Any) -> dict[Any, str]:
    """Legend texts by colour, for artists that do not carry their own label."""
    legend = axes.get_legend()
    if legend is None:
        return {}
    handles = getattr(legend, "legend_handles", [])
    return {_colour(handle): text.get_text() for handle, text in zip(handles, legend.get_texts())}


def _colour(artist: Any) -> Any:
    marked = getattr(artist, "get_linestyle", lambda: "")() in ("None", "none", "", " ") and hasattr(artist, "get_markerfacecolor")
    return _hex(artist.get_markerfacecolor() if marked else artist.get_color() if hasattr(artist, "get_color") else artist.get_facecolor())


def _hex(colour: Any) -> str | None:
    from matplotlib.colors import to_hex

    try:
        return to_hex(colour)
    except (TypeError, ValueError):
        return None


def _name(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else _text(label)


def _title(axes: Any) -> str:
    return next((text for place in ("left", "center", "right") if (text := _text(axes.get_title(loc=place)))), "")


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _is_colour_bar(axes: Any) -> bool:
    return hasattr(axes, "_colorbar") or axes.get_label() == "<colorbar>"


def _same_place(first: Any, second: Any) -> bool:
    return first.get_position().bounds == second.get_position().bounds

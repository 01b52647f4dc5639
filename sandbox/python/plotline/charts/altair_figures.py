"""altair charts: a page that works without a network, the data they hold, and a still picture."""

import json
import os
from typing import Any

from plotline.charts.model import BOX_PARTS, Chart, Series, iso_date, tidy_number, tidy_value
from plotline.charts.pages import page_around
from plotline.charts.summaries import box_values, round_edges
from plotline.charts.units import unit_in_title
from plotline.paths import VEGA_SCRIPTS

_FILES = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")
_MARKS = {"line": "line", "area": "line", "bar": "bar", "point": "scatter", "circle": "scatter", "square": "scatter", "arc": "pie", "rect": "heatmap", "boxplot": "box"}
_FACETS = {"row", "column", "facet"}
_AGGREGATES = {"sum": "sum", "mean": "mean", "average": "mean", "median": "median", "min": "min", "max": "max", "count": "size"}

# Vega-Lite's own sizes are meant for a column of a notebook: plots of 200 to 300 pixels with letters of 10.
_SIZES: dict[str, dict[str, Any]] = {
    "view": {"continuousHeight": 420, "discreteHeight": {"step": 28}},
    "axis": {"labelFontSize": 12, "titleFontSize": 13},
    "legend": {"labelFontSize": 12, "titleFontSize": 13},
    "title": {"fontSize": 16},
}
# What altair writes into every chart, which is therefore nobody's wish.
_ALTAIR_VIEW = {"continuousWidth": 300, "continuousHeight": 300}
# SVG stays sharp when it is enlarged or printed; browsers get slow with tens of thousands of its elements.
_SVG_ROWS = 5_000
_LABELS_PIXELS, _LETTER_PIXELS = 600, 8
_STYLE = """#chart { display: block; width: 100%; max-width: 960px; margin: 0 auto; }
#chart.fixed { width: fit-content; max-width: none; }"""

_BODY = """<div id="chart"{kind}></div>
{scripts}
<script>
vegaEmbed("#chart", {spec}, {{renderer: "{renderer}", actions: {{export: true, source: false, compiled: false, editor: false}}}})
  .catch((error) => {{ document.getElementById("chart").textContent = "This chart could not be drawn: " + error.message; }});
</script>"""


def page(chart: Any) -> str | None:
    """A complete HTML page with Vega inside; None when the image does not have Vega's scripts."""
    scripts = []
    for name in _FILES:
        try:
            with open(os.path.join(VEGA_SCRIPTS, name), encoding="utf-8") as file:
                scripts.append(f"<script>{file.read()}</script>")
        except OSError:
            return None
    spec = chart.to_dict()
    fills = _fill_window(spec)
    # JSON is JavaScript, NaN included; without "<" nothing in it can end the script element.
    text = json.dumps(spec, default=str).replace("<", "\\u003c")
    renderer = "svg" if sum(map(len, spec.get("datasets", {}).values())) <= _SVG_ROWS else "canvas"
    kind = "" if fills else ' class="fixed"'
    body = _BODY.format(kind=kind, scripts="\n".join(scripts), spec=text, renderer=renderer)
    return page_around(body, _title(spec), _STYLE)


def _fill_window(spec: dict[str, Any]) -> bool:
    """Gives a single plot without a size of its own the window's width. Plots beside each other cannot take theirs from it."""
    if not ("mark" in spec or "layer" in spec) or _FACETS & spec.get("encoding", {}).keys():
        return False
    config = spec.setdefault("config", {})
    if config.get("view") == _ALTAIR_VIEW:
        del config["view"]
    for part, sizes in _SIZES.items():
        config[part] = {**sizes, **config.get(part, {})}
    fills = spec.setdefault("width", "container") == "container"
    if fills and _labels_fit_level(spec):
        config.setdefault("axisXDiscrete", {"labelAngle": 0})
    return fills


def _labels_fit_level(spec: dict[str, Any]) -> bool:
    """Whether the names along x, which Vega-Lite always turns upright, have room side by side."""
    x = spec.get("encoding", {}).get("x", {})
    rows = _rows(spec)
    if rows is None or x.get("field") not in rows:
        return False
    names = rows[x["field"]].astype(str).unique()
    return len(names) * max(map(len, names)) * _LETTER_PIXELS <= _LABELS_PIXELS


def read(chart: Any) -> Chart:
    """What the chart holds. Charts that compute more than one aggregate, are layered or in facets stay `unknown`."""
    spec = chart.to_dict()
    result = Chart(title=_title(spec))
    mark = spec.get("mark")
    kind = _MARKS.get(mark.get("type") if isinstance(mark, dict) else mark)
    encoding = spec.get("encoding", {})
    rows = _rows(spec)
    if kind is None or rows is None or spec.get("transform") or _FACETS & encoding.keys():
        return result
    if kind == "pie":
        keys, value, group = encoding.get("color"), encoding.get("theta"), None
    elif kind == "heatmap":
        keys, value, group = encoding.get("x"), encoding.get("color"), encoding.get("y")
    else:
        keys, value, group = encoding.get("x"), encoding.get("y"), encoding.get("color")
        lying_bins = isinstance(value, dict) and value.get("bin")
        if kind == "bar" and lying_bins or kind in ("bar", "box") and _is_quantity(keys) and not _is_quantity(value):
            keys, value, result.horizontal = value, keys, True
    if kind == "bar" and isinstance(keys, dict) and keys.get("bin"):
        kind, series = "histogram", _bins(rows, keys, value, group)
    elif kind == "box":
        series = _boxes(rows, keys, value)
    else:
        series = _series(rows, keys, value, group)
    if series is None:
        return result
    result.type, result.series = kind, series
    result.x_label, result.y_label = _label(encoding.get("x")), _label(encoding.get("y"))
    result.x_unit, result.y_unit = _unit(encoding.get("x"), result.x_label), _unit(encoding.get("y"), result.y_label)
    if kind == "pie":
        result.x_scale, result.y_scale = "category", "linear"
    else:
        result.x_scale, result.y_scale = _scale(encoding.get("x")), _scale(encoding.get("y"))
    return result


def _scale(channel: Any) -> str:
    if not isinstance(channel, dict):
        return "other"
    scale = channel.get("scale")
    own = scale.get("type") if isinstance(scale, dict) else None
    if own in ("log", "sqrt", "pow", "symlog"):
        return "log" if own == "log" else "other"
    if _is_quantity(channel):
        return "linear"
    return {"temporal": "date", "nominal": "category", "ordinal": "category"}.get(channel.get("type", ""), "other")


def _unit(channel: Any, title: str) -> str | None:
    """The title's unit, else the one of the axis' number format (a d3 format: `%`, `$`)."""
    axis = channel.get("axis") if isinstance(channel, dict) else None
    form = str(axis.get("format", "")) if isinstance(axis, dict) and channel.get("type") == "quantitative" else ""
    return unit_in_title(title) or ("%" if form.endswith(("%", "p")) else "$" if "$" in form else None)


def _series(rows: Any, keys: Any, value: Any, group: Any) -> list[Series] | None:
    """Rows of the data as series: `keys` along x, `value` along y, one series for each value of `group`."""
    if not isinstance(keys, dict) or not isinstance(value, dict) or keys.get("bin") or keys.get("timeUnit") or value.get("bin"):
        return None
    x, y = keys.get("field"), value.get("field")
    by = group.get("field") if isinstance(group, dict) and "field" in group else None
    aggregate = value.get("aggregate")
    if x not in rows or (y not in rows and aggregate != "count") or (by is not None and by not in rows):
        return None
    columns = [x] if by is None or by == x else [by, x]
    if aggregate is not None:
        if aggregate not in _AGGREGATES:
            return None
        grouped = rows.groupby(columns, sort=False)
        rows = grouped.size().reset_index(name="__value") if aggregate == "count" else grouped[y].agg(_AGGREGATES[aggregate]).reset_index(name="__value")
        y = "__value"
    parts = [("", rows)] if len(columns) == 1 else [(str(name), part) for name, part in rows.groupby(by, sort=False)]
    place = _date if keys.get("type") == "temporal" else tidy_value
    return [Series(name, [place(item) for item in part[x]], [tidy_number(item) for item in part[y]]) for name, part in parts]


def _bins(rows: Any, keys: Any, value: Any, group: Any) -> list[Series] | None:
    """A histogram: how many rows are in each bin of `keys`."""
    import numpy as np

    if not isinstance(value, dict) or value.get("aggregate") != "count" or keys.get("field") not in rows:
        return None
    options = keys["bin"] if isinstance(keys["bin"], dict) else {}
    if options.keys() - {"maxbins"}:
        return None
    numbers = [float(number) for item in rows[keys["field"]] if isinstance(number := tidy_number(item), (int, float))]
    if not numbers:
        return None
    edges = round_edges(min(numbers), max(numbers), options.get("maxbins", 10))
    names: list[Any] = [f"{low:,.4g} to {high:,.4g}" for low, high in zip(edges, edges[1:])]
    by = group.get("field") if isinstance(group, dict) else None
    parts = [("", rows)] if by not in rows else [(str(name), part) for name, part in rows.groupby(by, sort=False)]
    return [Series(name, [*names], [int(count) for count in np.histogram(part[keys["field"]].dropna(), edges)[0]]) for name, part in parts]


def _boxes(rows: Any, keys: Any, value: Any) -> list[Series] | None:
    y = value.get("field") if isinstance(value, dict) else None
    by = keys.get("field") if isinstance(keys, dict) else None
    if y not in rows or value.get("aggregate"):
        return None
    parts = [("", rows)] if by not in rows else [(str(name), part) for name, part in rows.groupby(by, sort=False)]
    found = [(name, [float(number) for item in part[y] if isinstance(number := tidy_number(item), (int, float))]) for name, part in parts]
    return [Series(name, [*BOX_PARTS], box_values(numbers)) for name, numbers in found if numbers]


def _date(value: Any) -> Any:
    return iso_date(value) if isinstance(value, str) else tidy_value(value)


def _rows(spec: dict[str, Any]) -> Any:
    import pandas as pd

    data = spec.get("data", {})
    values = data.get("values") if "values" in data else spec.get("datasets", {}).get(data.get("name"))
    return pd.DataFrame(values) if isinstance(values, list) and values else None


def _is_quantity(channel: Any) -> bool:
    return isinstance(channel, dict) and (channel.get("type") == "quantitative" or "aggregate" in channel)


def _label(channel: Any) -> str:
    if not isinstance(channel, dict):
        return ""
    axis = channel.get("axis")
    title = channel.get("title", axis.get("title") if isinstance(axis, dict) else None)
    if title is not None:
        return str(title)
    field, aggregate = channel.get("field", ""), channel.get("aggregate")
    if aggregate == "count":
        return "Count"
    return f"{str(aggregate).capitalize()} of {field}" if aggregate else str(field)


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text or "")

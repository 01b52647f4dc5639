"""Notes taken while a figure is drawn, of what its artists no longer know: pie values, box statistics, saved files."""

import functools
import os
from collections.abc import Callable
from typing import Any

from plotline.charts.finish import finish

PIES = "_plotline_pies"
BOXES = "_plotline_boxes"
AREAS = "_plotline_areas"
HISTOGRAMS = "_plotline_histograms"
SAVED = "_plotline_saved"


def _note(owner: Any, key: str, value: Any) -> None:
    vars(owner).setdefault(key, []).append(value)


def install_recording(on_save: Callable[[Any], None]) -> None:
    """Wraps the methods once. `on_save(figure)` is called before a figure goes to a file."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    _wrap(Axes, "pie", _record_pie)
    _wrap(Axes, "bxp", _record_boxes)
    _wrap(Axes, "stackplot", _record_areas)
    _wrap(Axes, "hist", _record_histogram)
    original = Figure.savefig

    @functools.wraps(original)
    def savefig(self: Any, fname: Any, *args: Any, **keywords: Any) -> Any:
        finish(self)
        result = original(self, fname, *args, **keywords)
        if isinstance(fname, (str, os.PathLike)):
            _note(self, SAVED, os.path.abspath(os.fspath(fname)))
            on_save(self)
        return result

    Figure.savefig = savefig  # type: ignore[method-assign]


def _wrap(owner: Any, name: str, record: Callable[..., None]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **keywords: Any) -> Any:
        result = original(self, *args, **keywords)
        try:
            record(self, result, *args, **keywords)
        except Exception:
            pass  # A note that cannot be taken costs the description, never the chart.
        return result

    setattr(owner, name, wrapper)


def _record_pie(axes: Any, result: Any, x: Any, explode: Any = None, labels: Any = None, *_: Any, **keywords: Any) -> None:
    values = [float(value) for value in x]
    names = [str(label) for label in labels] if labels is not None else [""] * len(values)
    _note(axes, PIES, (values, names))
    if not keywords.get("wedgeprops") and not keywords.get("textprops"):
        _make_legible(result)


def _make_legible(pie: Any) -> None:
    """White gaps between the slices, and percentages in whichever of black and white stands out."""
    from matplotlib.colors import to_rgb

    for wedge in pie[0]:
        wedge.set_edgecolor("white")
        wedge.set_linewidth(1.5)
    for wedge, text in zip(pie[0], pie[2] if len(pie) > 2 else ()):
        red, green, blue = to_rgb(wedge.get_facecolor())
        # Relative brightness after ITU-R BT.601.
        text.set_color("white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.6 else "black")


def _record_boxes(axes: Any, result: Any, bxpstats: Any, positions: Any = None, *_: Any, **keywords: Any) -> None:
    places = list(range(1, len(bxpstats) + 1)) if positions is None else [float(place) for place in positions]
    vertical = keywords.get("orientation", "vertical") == "vertical" and keywords.get("vert") is not False
    for place, stats in zip(places, bxpstats):
        numbers = [float(stats[key]) for key in ("whislo", "q1", "med", "q3", "whishi")]
        _note(axes, BOXES, (place, str(stats.get("label", "")), numbers, vertical))


def _record_histogram(axes: Any, result: Any, x: Any, *args: Any, **keywords: Any) -> None:
    import numpy as np

    counts, edges, drawn = np.asarray(result[0], dtype=float), [float(edge) for edge in result[1]], result[2]
    if counts.ndim == 1:
        counts, drawn = counts[np.newaxis], [drawn]
    elif keywords.get("stacked") or keywords.get("histtype") == "barstacked":
        # matplotlib gives the tops of the piles.
        counts = np.diff(counts, axis=0, prepend=0)
    lying = keywords.get("orientation") == "horizontal"
    for row, artist in zip(counts, drawn):
        _note(axes, HISTOGRAMS, (edges, [float(count) for count in row], artist, lying))


def _record_areas(axes: Any, result: Any, x: Any, *args: Any, labels: Any = (), **keywords: Any) -> None:
    import numpy as np

    rows = np.vstack(args)
    names = [str(label) for label in labels]
    for index, row in enumerate(rows):
        _note(axes, AREAS, (list(x), [float(value) for value in row], names[index] if index < len(names) else ""))

"""matplotlib figures become results: once each, at `plt.show()` or at the end of the cell, and then they are closed."""

import hashlib
import io
import os
import sys
from typing import Any

import numpy as np

from plotline.charts.finish import finish
from plotline.charts.layout import draw
from plotline.charts.model import Chart
from plotline.charts.picture import png_of
from plotline.charts.reading import read_figure
from plotline.charts.recording import SAVED
from plotline.charts.words import describe
from plotline.kernel.bundles import CHART_MIME, Bundle, Publisher
from plotline.paths import WORKSPACE

PIXELS_LIMIT = 4000
"""Longest side of a chart; a larger figure is drawn at a lower resolution."""

FIGURES_LIMIT = 50
"""Figures of one cell that are shown; matplotlib itself warns at 20 open ones."""

SAVED_MIME = "application/vnd.plotline.saved+json"
"""Files of the working directory that a chart was saved to: `{"files": ["chart.png"]}`."""


class FigureCollector:
    """Remembers what a cell has shown already."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._shown: set[bytes] = set()
        self._saved: dict[int, tuple[Any, Bundle]] = {}

    def begin(self) -> None:
        """A new cell begins."""
        self._shown.clear()
        self._saved.clear()

    def show(self, figure: Any) -> None:
        """Publishes the figure, unless it is empty or the same picture was shown in this cell already."""
        if is_empty(figure):
            return
        png = render(figure)
        digest = hashlib.sha256(png).digest()
        self._saved.pop(id(figure), None)
        if digest in self._shown or len(self._shown) >= FIGURES_LIMIT:
            return
        self._shown.add(digest)
        self._publisher.publish({"image/png": png, **_described(figure)})

    def show_open(self) -> None:
        """Every open figure, in the order they were made; then they are closed."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        try:
            for number in pyplot.get_fignums():
                self.show(pyplot.figure(number))
        finally:
            pyplot.close("all")

    def note_saved(self, figure: Any) -> None:
        """A figure went to a file. If it is closed without being shown, its description is published all the same."""
        if not is_empty(figure):
            self._saved[id(figure)] = (figure, _described(figure))

    def discard(self) -> None:
        """The cell was stopped: half-drawn figures must not turn up in the next one."""
        self._saved.clear()
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            pyplot.close("all")

    def end(self) -> None:
        """The cell is over."""
        self.show_open()
        for _, bundle in self._saved.values():
            if SAVED_MIME in bundle:
                self._publisher.publish(bundle)
        self._saved.clear()


def is_empty(figure: Any) -> bool:
    """Nothing was drawn: no axes, or axes without any data."""
    if figure.texts or figure.images or figure.lines or figure.patches or figure.legends or figure.subfigs:
        return False
    return not any(axes.has_data() or axes.texts or axes.images or axes.tables or axes.patches or axes.artists for axes in figure.axes)


def render(figure: Any) -> bytes:
    """The figure as PNG at its own resolution, bounded."""
    width, height = figure.get_size_inches()
    dpi = min(figure.get_dpi(), PIXELS_LIMIT / max(width, height, 0.1))
    # The figure's own resolution too: its texts are measured on a canvas of that size, which for a poster takes gigabytes.
    figure.set_dpi(dpi)
    try:
        return _png(figure, dpi)
    except Exception:
        # The layout may be what fails; if it is not, the second error is the one to tell.
        figure.set_layout_engine("none")
        return _png(figure, dpi)


def _png(figure: Any, dpi: float) -> bytes:
    if not _draws_as_shown(figure):
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=dpi)
        return target.getvalue()
    finish(figure)
    draw(figure)
    return png_of(np.asarray(figure.canvas.buffer_rgba()), dpi)


def _draws_as_shown(figure: Any) -> bool:
    """Whether what `savefig` would write is what the canvas shows: no other size, colours or cut asked for in the settings."""
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    settings = (rcParams["savefig.bbox"], rcParams["savefig.facecolor"], rcParams["savefig.edgecolor"], rcParams["savefig.transparent"])
    return type(figure.canvas) is FigureCanvasAgg and settings == (None, "auto", "auto", False)


def _described(figure: Any) -> dict[str, Any]:
    try:
        chart = read_figure(figure)
    except Exception:
        chart = Chart()
    bundle: dict[str, Any] = {"text/plain": describe(chart)}
    if chart.type != "unknown":
        bundle[CHART_MIME] = chart.as_json()
    files = [os.path.relpath(path, WORKSPACE) for path in vars(figure).get(SAVED, ()) if path.startswith(WORKSPACE + os.sep)]
    if files:
        bundle[SAVED_MIME] = {"files": sorted(set(files))}
    return bundle


def install_show(collector: FigureCollector) -> None:
    """`plt.show()` and `figure.show()` publish and close. Every backend without a window comes through here."""
    from matplotlib.backend_bases import FigureManagerBase

    def show(self: Any) -> None:
        import matplotlib.pyplot as plt

        try:
            collector.show(self.canvas.figure)
        finally:
            plt.close(self.num)

    FigureManagerBase.show = show  # type: ignore[method-assign]

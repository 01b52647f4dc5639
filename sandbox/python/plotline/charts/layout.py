"""Room for titles and labels: nothing is cut off at the edges of the figure.

matplotlib's own layout engines measure every artist two or three times, which nearly doubles the time of a plain chart.
A figure with one plot in it needs its axes, title and legend measured once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EDGE_INCHES = 0.12
"""Free space around everything."""

_ARRANGED = "_plotline_arranged"
"""Where a figure keeps the place that was chosen here, so that it can be chosen again when the figure changes."""

_SIDES = ("left", "right", "bottom", "top")


def arrange(figure: Any, renderer: Any) -> None:
    """Lays the figure out, unless the cell did that itself."""
    if figure.get_layout_engine() is not None or not _is_untouched(figure):
        return
    if _is_simple(figure):
        with steady_ticks(figure):
            _fit(figure, renderer)
    else:
        # Constrained layout cannot arrange colour bars that were made before it was chosen.
        has_colour_bar = any(hasattr(axes, "_colorbar") for axes in figure.axes)
        figure.set_layout_engine("tight" if has_colour_bar else "constrained")


def draw(figure: Any) -> None:
    """Draws the figure on its canvas."""
    if figure.get_layout_engine() is None and _is_simple(figure):
        with steady_ticks(figure):
            figure.canvas.draw()
    else:
        figure.canvas.draw()


@contextmanager
def steady_ticks(figure: Any) -> Iterator[None]:
    """Ticks are worked out once for each axis instead of nine times a drawing. Inside, neither sizes nor limits may change."""
    axes_of_figure = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    for axis in axes_of_figure:
        axis._update_ticks = _once(axis._update_ticks)
    try:
        yield
    finally:
        for axis in axes_of_figure:
            vars(axis).pop("_update_ticks", None)


def _once(work_out: Any) -> Any:
    found: list[Any] = []

    def ticks() -> Any:
        if not found:
            found.append(work_out())
        # A list of its own for each caller, as the original gives.
        return list(found[0])

    return ticks


def _is_untouched(figure: Any) -> bool:
    import matplotlib

    now = [getattr(figure.subplotpars, side) for side in _SIDES]
    return now in ([matplotlib.rcParams[f"figure.subplot.{side}"] for side in _SIDES], vars(figure).get(_ARRANGED))


def _is_simple(figure: Any) -> bool:
    """One plot that fills the figure, perhaps with a second scale over it, and nothing beside it."""
    if figure.get_suptitle() or figure.legends or figure.texts or figure.subfigs or not figure.axes:
        return False
    first = figure.axes[0].get_position().bounds
    return all(
        axes.name == "rectilinear"
        and axes.get_aspect() == "auto"
        and axes.get_subplotspec() is not None
        and not axes.tables
        and not axes.child_axes
        and axes.get_position().bounds == first
        for axes in figure.axes
    )


def _fit(figure: Any, renderer: Any) -> None:
    """Moves each side of the plot so that what stands out on that side ends at the edge's free space."""
    from matplotlib.transforms import Bbox

    inner = figure.axes[0].get_window_extent(renderer)
    boxes = [box for axes in figure.axes for box in _outer_boxes(axes, renderer) if box is not None and box.width + box.height > 0]
    outer = Bbox.union([inner, *boxes])
    width, height = figure.bbox.width, figure.bbox.height
    free = EDGE_INCHES * figure.dpi
    left = (inner.x0 - outer.x0 + free) / width
    right = 1 - (outer.x1 - inner.x1 + free) / width
    bottom = (inner.y0 - outer.y0 + free) / height
    top = 1 - (outer.y1 - inner.y1 + free) / height
    if right - left > 0.2 and top - bottom > 0.2:
        figure.subplots_adjust(left=left, right=right, bottom=bottom, top=top)
        vars(figure)[_ARRANGED] = [left, right, bottom, top]


def _outer_boxes(axes: Any, renderer: Any) -> list[Any]:
    boxes = [axis.get_tightbbox(renderer) for axis in (axes.xaxis, axes.yaxis) if axis.get_visible()] if axes.axison else []
    # A title has its final place only once the ticks above the plot are known; its height is what matters.
    axes._update_title_position(renderer)
    boxes += [title.get_window_extent(renderer) for title in (axes.title, axes._left_title, axes._right_title) if title.get_text()]
    legend = axes.get_legend()
    if legend is not None:
        boxes.append(legend.get_window_extent(renderer))
    boxes += [text.get_window_extent(renderer) for text in axes.texts if text.get_visible() and not text.get_clip_on()]
    return boxes

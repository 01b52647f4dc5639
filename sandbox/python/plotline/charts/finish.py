"""The last touch before a figure is drawn: nothing cut off at the edges, no tick labels on top of each other."""

from typing import Any

from plotline.charts.labels import shorten_categories, show_dollars
from plotline.charts.layout import arrange

GAP_PIXELS = 4
TILT_DEGREES = 35
_TILTED_SPACING = 1.9
_UPRIGHT_SPACING = 1.05
"""Line heights that a tilted or an upright label needs sideways."""

_VALUES_LOOKED_AT = 2000



def finish(figure: Any) -> None:
    """Touches only what the cell left at its default. Never raises: a chart that looks less good is still a chart."""
    try:
        renderer = figure.canvas.get_renderer()
        plots = [axes for axes in figure.axes if axes.get_visible() and axes.name == "rectilinear"]
        for axes in plots:
            shorten_categories(axes)
            _use_whole_numbers(axes)
            _arrange_grid(axes, plots)
        tick_labels = {axes: (axes.get_xticklabels(), axes.get_yticklabels()) for axes in plots}
        show_dollars(figure)
        _complete_fonts(figure, [label for labels in tick_labels.values() for side in labels for label in side])
        for axes in plots:
            _spread_labels(axes, tick_labels[axes][0], renderer)
        arrange(figure, renderer)
    except Exception:
        return


def _use_whole_numbers(axes: Any) -> None:
    """No tick at 2,019.5 or at 1.5 orders where all values are whole numbers."""
    from matplotlib.ticker import AutoLocator

    for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
        locator = axis.get_major_locator()
        if type(locator) is AutoLocator and axis.isDefault_majloc and _all_whole(axes, side):
            locator.set_params(integer=True)


def _all_whole(axes: Any, side: int) -> bool:
    import numpy as np

    values: list[Any] = [line.get_data(orig=False)[side][:_VALUES_LOOKED_AT] for line in axes.lines]
    values += [artist.get_offsets()[:_VALUES_LOOKED_AT, side] for artist in axes.collections if type(artist).__name__ == "PathCollection"]
    bars = [patch for container in axes.containers for patch in container if hasattr(patch, "get_height")][:_VALUES_LOOKED_AT]
    lying = any(getattr(container, "orientation", "") == "horizontal" for container in axes.containers)
    if bars and (side == 0) == lying:
        values.append([patch.get_width() if lying else patch.get_height() for patch in bars])
    elif bars:
        values.append([patch.get_y() + patch.get_height() / 2 if lying else patch.get_x() + patch.get_width() / 2 for patch in bars])
    if not values:
        return False
    numbers = np.concatenate([np.ma.filled(np.ma.asarray(part, dtype=float), np.nan) for part in values])
    numbers = numbers[np.isfinite(numbers)]
    return bool(len(numbers)) and bool(np.all(np.abs(numbers - np.round(numbers)) < 1e-9))


def _arrange_grid(axes: Any, plots: list[Any]) -> None:
    """Grid lines cross the bars, whichever way those lie; a second axis over the first brings none of its own."""
    import matplotlib

    if matplotlib.rcParams["axes.grid.axis"] != "y" or not axes.yaxis.get_tick_params().get("gridOn"):
        return
    first = next(other for other in plots if other.get_position().bounds == axes.get_position().bounds)
    if first is not axes:
        axes.grid(visible=False)
        return
    ways = {getattr(container, "orientation", None) for container in axes.containers}
    if "horizontal" in ways:
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
    elif "vertical" in ways:
        axes.grid(visible=False, axis="x")


def _complete_fonts(figure: Any, tick_labels: list[Any]) -> None:
    """Texts in other scripts get fonts that know them, behind the ones they have."""
    from plotline.charts.style import fonts_for_all_scripts

    texts = [*tick_labels, *figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        texts += [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        texts += [text for table in axes.tables for text in table.findobj(type(axes.title))]
        legend = axes.get_legend()
        texts += [] if legend is None else [legend.get_title(), *legend.get_texts()]
    if figure._suptitle is not None:
        texts.append(figure._suptitle)
    more: list[str] = []
    for text in texts:
        if all(_is_common(character) for character in text.get_text()):
            continue
        more = more or fonts_for_all_scripts()
        given = text.get_fontfamily()
        if not set(more) <= set(given):
            text.set_fontfamily([*given, *(name for name in more if name not in given)])


def _is_common(character: str) -> bool:
    """Latin, Greek and Cyrillic, general punctuation, currency, arrows and mathematics: every usual font has them."""
    return character < "\u0530" or "\u1e00" <= character < "\u2500"


def _spread_labels(axes: Any, tick_labels: list[Any], renderer: Any) -> None:
    low, high = sorted(axes.get_xlim())
    places = axes.get_xticks()
    labels = [label for label, place in zip(tick_labels, places) if low <= place <= high and label.get_visible() and label.get_text()]
    if len(labels) < 2 or any(label.get_rotation() != 0 for label in labels):
        return
    boxes = [label.get_window_extent(renderer) for label in labels]
    if not _overlap(boxes):
        return
    centres = sorted((box.x0 + box.x1) / 2 for box in boxes)
    spacing = min(second - first for first, second in zip(centres, centres[1:]))
    height = max(box.height for box in boxes)
    tilt_fits = spacing >= height * _TILTED_SPACING
    for label in tick_labels:
        label.set_rotation(TILT_DEGREES if tilt_fits else 90)
        label.set_horizontalalignment("right" if tilt_fits else "center")
        label.set_rotation_mode("anchor" if tilt_fits else "default")
    if spacing < height * _UPRIGHT_SPACING:
        _thin(axes, every=int(height * _UPRIGHT_SPACING / max(spacing, 0.1)) + 1)


def _thin(axes: Any, every: int) -> None:
    """Keeps each `every`-th label."""
    from matplotlib.ticker import FixedFormatter

    formatter = axes.xaxis.get_major_formatter()
    if isinstance(formatter, FixedFormatter):
        formatter.seq = [text if index % every == 0 else "" for index, text in enumerate(formatter.seq)]
    else:
        axes.set_xticks(list(axes.get_xticks())[::every])


def _overlap(boxes: list[Any]) -> bool:
    ordered = sorted(boxes, key=lambda box: box.x0)
    return any(first.x1 + GAP_PIXELS > second.x0 for first, second in zip(ordered, ordered[1:]))

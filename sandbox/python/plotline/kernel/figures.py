"""Open matplotlib figures become results: once each, and then they are closed."""

import hashlib
import io
import sys
from typing import Any

from plotline.kernel.bundles import Bundle, Publisher

PIXELS_LIMIT = 4000
"""Longest side of a chart; a larger figure is drawn at a lower resolution."""

_shown: set[bytes] = set()


def is_empty(figure: Any) -> bool:
    """Nothing was drawn: no axes, or axes without any artist of the user's."""
    return not figure.axes and not figure.texts and not figure.images and not figure.lines and not figure.patches


def render(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    width, height = figure.get_size_inches()
    dpi = min(figure.dpi, PIXELS_LIMIT / max(width, height, 0.1))
    target = io.BytesIO()
    FigureCanvasAgg(figure) if figure.canvas is None else None
    figure.savefig(target, format="png", dpi=dpi)
    return target.getvalue()


def bundle_once(figure: Any) -> Bundle | None:
    """The figure's bundle, or None when it is empty or the same picture was shown in this cell already."""
    if is_empty(figure):
        return None
    png = render(figure)
    digest = hashlib.sha256(png).digest()
    if digest in _shown:
        return None
    _shown.add(digest)
    return {"image/png": png, "text/plain": "chart"}


def publish_open_figures(publisher: Publisher) -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        bundle = bundle_once(pyplot.figure(number))
        if bundle is not None:
            publisher.publish(bundle)
    pyplot.close("all")
    _shown.clear()

"""How objects become MIME bundles. Libraries are looked up by name, so nothing is imported for a cell that does not use it."""

import io
from collections.abc import Callable
from typing import Any

from plotline.charts.scripts import install_scripts, remember_ordered
from plotline.kernel.after_import import after_import
from plotline.kernel.bundles import Bundle, Publisher
from plotline.kernel.figures import FigureCollector

IMAGE_PIXELS_LIMIT = 4000
_HANDLES_LOOKED_AT = 50


def register_formats(shell: Any, publisher: Publisher, figures: FigureCollector) -> None:
    """Teaches the shell's formatter our types, and adjusts libraries when they are imported."""
    from plotline.kernel import table_data, web_charts

    bundles = shell.display_formatter.mimebundle_formatter
    displays = shell.display_formatter.ipython_display_formatter

    def bundle(module: str, name: str, make: Callable[[Any], Bundle]) -> None:
        bundles.for_type_by_name(module, name, lambda value, include=None, exclude=None: (make(value), {}))

    def display(module: str, name: str, make: Callable[[Any], Bundle]) -> None:
        # For types with an `_ipython_display_` of their own, which would come first.
        displays.for_type_by_name(module, name, lambda value: publisher.publish(make(value)))

    displays.for_type_by_name("matplotlib.figure", "Figure", figures.show)
    bundle("pandas.core.frame", "DataFrame", lambda frame: table_data.frame_bundle(frame, publisher))
    bundle("pandas.core.series", "Series", lambda series: table_data.series_bundle(series, publisher))
    bundle("pandas.io.formats.style", "Styler", lambda styler: table_data.styled_bundle(styler, publisher))
    bundle("PIL.Image", "Image", image_bundle)
    display("plotly.basedatatypes", "BaseFigure", web_charts.plotly_bundle)
    display("altair.vegalite.v5.api", "TopLevelMixin", web_charts.altair_bundle)
    ordered: set[str] = set()
    install_scripts(ordered)
    after_import(
        {
            "plotly.basedatatypes": web_charts.adjust_plotly,
            "altair.vegalite.v5.api": web_charts.adjust_altair,
            "bidi.algorithm": remember_ordered(ordered),
        }
    )


def image_bundle(image: Any) -> Bundle:
    """A Pillow image as PNG, made smaller where it is very large."""
    shown = image
    if max(image.size) > IMAGE_PIXELS_LIMIT:
        shown = image.copy()
        shown.thumbnail((IMAGE_PIXELS_LIMIT, IMAGE_PIXELS_LIMIT))
    if shown.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        shown = shown.convert("RGB")
    target = io.BytesIO()
    shown.save(target, "PNG")
    # Pillow offers a JPEG as well; one picture is enough.
    return {"image/png": target.getvalue(), "image/jpeg": None, "text/plain": f"Image, {image.size[0]} × {image.size[1]} pixels."}


def is_drawing_handle(value: Any) -> bool:
    """What plotting calls return: axes, lines, bars … Their figure is shown; their repr helps nobody."""
    from matplotlib.artist import Artist
    from matplotlib.container import Container
    from matplotlib.figure import FigureBase

    if isinstance(value, (Artist, Container)):
        return not isinstance(value, FigureBase)
    if isinstance(value, dict):
        return any(is_drawing_handle(item) for item in list(value.values())[:_HANDLES_LOOKED_AT])
    if getattr(value, "dtype", None) == object and hasattr(value, "flat") and not hasattr(value, "index"):
        value = list(value.flat)
    if isinstance(value, (list, tuple)):
        return any(is_drawing_handle(item) or isinstance(item, FigureBase) for item in value[:_HANDLES_LOOKED_AT])
    return type(value).__module__.startswith("seaborn.") and hasattr(value, "figure")

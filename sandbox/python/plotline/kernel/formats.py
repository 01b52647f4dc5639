"""How objects become MIME bundles. Libraries are only looked up when the cell itself has imported them."""

from collections.abc import Callable
from typing import Any

from plotline.kernel.bundles import Bundle


def register_formats(shell: Any) -> None:
    """Teaches the shell's formatter our types."""

    def publishes(make: Callable[[Any], Bundle | None]) -> Callable[[Any], None]:
        def publish(value: Any) -> None:
            bundle = make(value)
            if bundle is not None:
                shell.publisher.publish(bundle)

        return publish

    from plotline.kernel import figures

    taken_over = shell.display_formatter.ipython_display_formatter
    taken_over.for_type_by_name("matplotlib.figure", "Figure", publishes(figures.bundle_once))


def is_drawing_handle(value: Any) -> bool:
    """What plotting calls return: axes, lines, bars … Their figure is shown; their repr helps nobody."""
    from matplotlib.artist import Artist
    from matplotlib.container import Container
    from matplotlib.figure import FigureBase

    if isinstance(value, (Artist, Container)):
        return not isinstance(value, FigureBase)
    if isinstance(value, dict):
        return bool(value) and all(is_drawing_handle(item) for item in value.values())
    items = value.flat if getattr(value, "dtype", None) == object and hasattr(value, "flat") else value
    if isinstance(value, (list, tuple)) or items is not value:
        return any(is_drawing_handle(item) or isinstance(item, FigureBase) for item in list(items)[:50])
    return False

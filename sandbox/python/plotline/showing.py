"""`plotline.show`: display something and mark it for the reply."""

from typing import Any


def show(obj: Any, title: str | None = None, alt: str | None = None) -> None:
    """Displays `obj` (figure, table, image, text …) and marks it for the reply, under `title` and described by `alt`.

    Works in a cell only; raises `RuntimeError` elsewhere.
    """
    from plotline.kernel.bundles import SHOW_MIME
    from plotline.kernel.shell import CellShell

    if not CellShell.initialized():
        raise RuntimeError("plotline.show works inside a cell only.")
    mark = {"title": None if title is None else str(title), "alt": None if alt is None else str(alt)}
    with CellShell.instance().publisher.adding({SHOW_MIME: mark}):
        from IPython.display import display

        display(obj)

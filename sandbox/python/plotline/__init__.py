"""What code in a Plotline cell can import: `load`, `tables` and `card` for files, `show` for displaying.

Everything is looked up when it is first used, so that `import plotline` costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "load": "plotline.intake",
    "tables": "plotline.intake",
    "card": "plotline.intake",
    "show": "plotline.showing",
}

__all__ = ["card", "load", "show", "tables"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'plotline' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__

"""IPython without its terminal: nobody types into a cell, and prompt_toolkit would take 8 MB of every session's memory."""

import sys
from types import ModuleType
from typing import Any, NoReturn


def _embed(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("IPython.embed() does not work here: nobody can type into a cell.")


def import_without_terminal() -> None:
    """`import IPython` with nothing behind its `embed`; to be called before anything else imports it."""
    if "IPython" not in sys.modules:
        stand_in = ModuleType("IPython.terminal.embed")
        stand_in.embed = _embed  # type: ignore[attr-defined]
        sys.modules[stand_in.__name__] = stand_in
    import IPython  # noqa: F401


import_without_terminal()

"""Hearing of pandas' calls without standing between: the interpreter reports where the watched functions begin and end."""

import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any

Ended = Callable[[FrameType, Any], None]
"""Called with the frame of a watched function that is about to return, and what it returns."""

_TOOL = 4
"""The first number that PEP 669 leaves free."""

_BETWEEN = ("/pandas/util/_decorators.py", "/contextlib.py")
_CALLS_BACK = ("/pandas/core/groupby/", "/pandas/core/apply.py", "/pandas/core/window/", "/pandas/core/resample.py")
_endings: dict[CodeType, Ended] = {}
_beginnings: dict[CodeType, tuple[int, int]] = {}


def install() -> bool:
    """Watches pandas and the loader from now on. False where that cannot be (another pandas, another tool in the place): nothing is counted then."""
    if _endings:
        return True
    monitoring = sys.monitoring
    try:
        from plotline.ledger.steps import WATCHED

        monitoring.use_tool_id(_TOOL, "plotline-ledger")
    except (ImportError, AttributeError, KeyError, ValueError):
        return False
    events = monitoring.events
    monitoring.register_callback(_TOOL, events.PY_RETURN, _on_return)
    monitoring.register_callback(_TOOL, events.PY_START, _on_start)
    for function, ended, changes_in_place in WATCHED:
        code = _code_of(function)
        _endings[code] = ended
        monitoring.set_local_events(_TOOL, code, events.PY_RETURN | (events.PY_START if changes_in_place else 0))
    return True


def uninstall() -> None:
    """Watches nothing any more: for measuring what watching costs."""
    for code in _endings:
        sys.monitoring.set_local_events(_TOOL, code, 0)
    _endings.clear()
    sys.monitoring.free_tool_id(_TOOL)


def is_of_a_cell(frame: FrameType | None) -> bool:
    """Whether the code of a cell itself made the call that `frame` runs, and not a library, nor pandas once per group."""
    caller = frame.f_back if frame is not None else None
    while caller is not None and caller.f_code.co_filename.endswith(_BETWEEN):
        caller = caller.f_back
    return caller is not None and is_cell(caller) and not (caller.f_back is not None and any(part in caller.f_back.f_code.co_filename for part in _CALLS_BACK))


def is_cell(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(("<cell", "<timed "))


def rows_at_start(frame: FrameType) -> int | None:
    """Rows that the table had when the function of `frame`, which may change it in place, began."""
    identity, rows = _beginnings.pop(frame.f_code, (0, 0))
    return rows if identity == id(frame) else None


def _on_start(code: CodeType, _: int) -> None:
    try:
        frame = sys._getframe(1)
        if is_of_a_cell(frame):
            _beginnings[code] = (id(frame), len(frame.f_locals["self"]))
    except Exception:
        pass  # What cannot be counted costs the count, never the cell.


def _on_return(code: CodeType, _: int, result: Any) -> None:
    try:
        _endings[code](sys._getframe(1), result)
    except Exception:
        pass  # As above.


def _code_of(function: Any) -> CodeType:
    while not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function.__code__

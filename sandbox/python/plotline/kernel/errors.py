"""A Python error as text for the person or the model that has to fix it."""

import difflib
import os
import re
import traceback

from plotline.text import clean, clip

MESSAGE_CHARACTERS = 8_000
TRACEBACK_CHARACTERS = 32_000
LIBRARY_FRAMES = 6
"""Frames of libraries kept on each side of a long run of them."""

COLUMNS_SHOWN = 40

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_HIDDEN = tuple(_PACKAGE + name for name in ("kernel", "charts", "driver")) + ("<frozen importlib",)
_IPYTHON = f"{os.sep}IPython{os.sep}core{os.sep}"


def describe(problem: BaseException) -> dict[str, str]:
    """`name`, `message` and `traceback` of an error; never raises, whatever the exception's own methods do."""
    name = type(problem).__name__
    message = _text(problem)
    if isinstance(problem, SystemExit):
        message = f"The cell called sys.exit({problem.code!r}). Variables are kept."
    try:
        text = _traceback(problem)
    except Exception:
        text = f"{name}: {message}\n"
    for hint in _hints(problem):
        text += f"\n{hint}\n"
    return {
        "name": clip(clean(name), 200),
        "message": clip(clean(message), MESSAGE_CHARACTERS),
        "traceback": clip(clean(text), TRACEBACK_CHARACTERS),
    }


def _text(problem: BaseException) -> str:
    try:
        if isinstance(problem, SyntaxError):
            return str(problem.msg)
        return str(problem)
    except BaseException:
        return "(the error's own message could not be made)"


def _traceback(problem: BaseException) -> str:
    described = traceback.TracebackException(type(problem), problem, problem.__traceback__, compact=True, limit=None)
    _trim(described, set())
    return "".join(described.format())


def _trim(described: traceback.TracebackException, seen: set[int]) -> None:
    """Takes out the frames of IPython and of this package, and the middle of long runs through libraries."""
    if id(described) in seen:
        return
    seen.add(id(described))
    frames = [frame for frame in described.stack if not frame.filename.startswith(_HIDDEN) and _IPYTHON not in frame.filename]
    if len(frames) > 4 * LIBRARY_FRAMES:
        own = [index for index, frame in enumerate(frames) if frame.filename.startswith("<cell")]
        first = (own[0] if own else 0) + LIBRARY_FRAMES
        last = len(frames) - LIBRARY_FRAMES
        frames = [frame for index, frame in enumerate(frames) if index < first or index >= last]
    described.stack = traceback.StackSummary.from_list(frames)
    for linked in (described.__cause__, described.__context__):
        if linked is not None:
            _trim(linked, seen)
    for inner in described.exceptions or ():
        _trim(inner, seen)


def _hints(problem: BaseException) -> list[str]:
    try:
        if isinstance(problem, MemoryError):
            return ["Hint: not enough memory for this step. Read only the columns that are needed, use smaller dtypes or chunks, delete what is no longer used."]
        if isinstance(problem, KeyError):
            return _column_hint(problem)
        if isinstance(problem, FileNotFoundError):
            return _file_hint(problem)
    except Exception:
        return []
    return []


def _column_hint(problem: KeyError) -> list[str]:
    """A misspelt column is the most frequent error of all; the frames know the table."""
    import pandas as pd

    wanted = str(problem.args[0]) if problem.args else ""
    # "['a', 'b'] not in index" and "None of [Index(['a'], dtype='object')] are in the [columns]"
    listed = re.match(r"(?:None of \[Index\()?\['([^']*)'", wanted)
    wanted = listed.group(1) if listed else wanted
    names: list[str] | None = None
    walker = problem.__traceback__
    while walker is not None:
        candidate = walker.tb_frame.f_locals.get("self")
        if isinstance(candidate, pd.DataFrame):
            names = [str(name) for name in candidate.columns]
        elif names is None and "pandas" in walker.tb_frame.f_code.co_filename and isinstance(getattr(candidate, "obj", None), pd.DataFrame):
            names = [str(name) for name in candidate.obj.columns]
        walker = walker.tb_next
    if names is None:
        return []
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(wanted.casefold(), list(folded), n=3, cutoff=0.5)
    partly = [name for key, name in folded.items() if wanted.casefold() in key and key not in close]
    best = [folded[key] for key in close] + partly[:2]
    shown = ", ".join(repr(name) for name in names[:COLUMNS_SHOWN]) + (f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else "")
    closest = f"; closest: {', '.join(repr(name) for name in best[:3])}" if best else ""
    return [f"Columns: {shown}{closest}"]


def _file_hint(problem: FileNotFoundError) -> list[str]:
    files = sorted(name for name in os.listdir(".") if not name.startswith("."))
    if not files:
        return ["The working directory is empty."]
    close = difflib.get_close_matches(os.path.basename(str(problem.filename or "")), files, n=1, cutoff=0.4)
    shown = ", ".join(repr(name) for name in files[:20]) + (f" and {len(files) - 20} more" if len(files) > 20 else "")
    return [f"Files here: {shown}" + (f"; closest: {close[0]!r}" if close else "")]

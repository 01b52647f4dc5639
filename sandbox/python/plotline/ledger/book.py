"""What was counted: the sources that tables came from, the steps that changed their rows, and which table is of which source."""

import os
import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEDGER_MIME = "application/vnd.plotline.ledger+json"
STEPS_LIMIT = 60
"""Different steps of one cell that are told; of the others only their number."""

SOURCES_LIMIT = 20
LINES_NAMED = 10
_NAME_CHARACTERS = 120
_NAMES_LIMIT = 6
_SIZES_LIMIT = 1000
_WORDS = re.compile(r"""\"[^"\n]*"|'[^'\n]*'|([^\W\d]\w*)""")
"""Names in code; text in quotes, such as that of files, is stepped over."""



@dataclass
class Source:
    """A table that a cell loaded. `rows` counts those of the file, `loaded` those of the table."""

    id: int
    file: str
    table: str | None
    rows: int
    loaded: int
    rejected: int = 0
    lines: list[int] = field(default_factory=list)
    uncounted: bool = False
    """pandas was told to read a part only, or to leave out lines it cannot read; nobody knows of how many."""

    sizes: set[int] = field(default_factory=set)
    """Row counts its tables have had, by which a table of unknown origin is taken for one of them."""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "file": self.file,
            "table": self.table,
            "rows": self.rows,
            "loaded": self.loaded,
            "rejected": self.rejected,
            "lines": self.lines[:LINES_NAMED],
            "uncounted": self.uncounted,
        }


@dataclass
class Step:
    """One counted call. `before` and `after` are rows; `lost` is how many of `before` are not in the result."""

    op: str
    source: int | None
    before: int
    after: int
    lost: int
    names: tuple[str, ...] = ()
    """Columns or keys it went by."""

    matched: int | None = None
    """Joins: rows of `before` that found a partner."""

    extra: int = 0
    """Joins: rows more than there were, because keys are repeated."""

    def as_json(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "source": self.source,
            "before": self.before,
            "after": self.after,
            "lost": self.lost,
            "names": list(self.names),
            "matched": self.matched,
            "extra": self.extra,
        }


class Book:
    """The ledger of one kernel."""

    def __init__(self) -> None:
        self.sources: dict[int, Source] = {}
        self.steps: list[Step] = []
        self._left_out = 0
        self._touched: set[int] = set()
        self._tables: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._findings: dict[int, tuple[Any, int]] = {}

    def add_source(self, frame: Any, file: Any, table: Any, *, rows: int, rejected: Any = (), uncounted: bool = False) -> None:
        """`rejected`: the loader's findings, which every table made from this one carries on, and which are known again by it."""
        same = (_file_name(file), None if table is None else short(table), rows, len(frame))
        known = next((found for found in self.sources.values() if (found.file, found.table, found.rows, found.loaded) == same), None)
        source = known or Source(len(self.sources) + 1, *same)
        source.rejected = len(rejected)
        source.lines = [int(found["line"]) for found in rejected[:LINES_NAMED]]
        source.uncounted = uncounted
        source.sizes.add(len(frame))
        self.sources[source.id] = source
        self._touched.add(source.id)
        if isinstance(rejected, list):
            self._findings[id(rejected)] = (rejected, source.id)
        self._remember(frame, source.id)

    def add_step(self, step: Step, result: Any = None) -> None:
        """Counts a step; the same one again in the same cell counts once. `result` is of the step's source from now on."""
        source = self.sources.get(step.source or 0)
        if source is not None:
            self._touched.add(source.id)
            if len(source.sizes) < _SIZES_LIMIT:
                source.sizes.add(step.after)
        if result is not None and source is not None:
            self._remember(result, source.id)
        if step in self.steps:
            return
        if len(self.steps) >= STEPS_LIMIT:
            self._left_out += 1
        else:
            self.steps.append(step)

    def touch(self, source: int) -> None:
        """The cell speaks of this source."""
        self._touched.add(source)

    def source_of(self, frame: Any) -> int | None:
        """The source whose rows a table's rows are: known by itself; else by what the loader left in it, or as the only source,
        where it has as many rows as a table of that source has had. Sums and groups carry the loader's marks too.
        """
        known = self._tables.get(id(frame))
        if known is not None and known[0]() is frame:
            return known[1]
        marked = self._certain_source(frame)
        if marked is not None:
            return marked if len(frame) in self.sources[marked].sizes else None
        if len(self.sources) != 1:
            return None
        only = next(iter(self.sources.values()))
        # A small table is more likely a summary.
        return only.id if len(frame) in only.sizes and 2 * len(frame) > only.loaded else None

    def page(self, code: str, names: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the cell `code` loaded and counted, as JSON, and the book is ready for the next cell. None: nothing at all.

        A table of an earlier cell that this one speaks of, by one of `names`, brings its source along.
        """
        if self.sources:
            self._touch_named(code, names)
        steps, left_out, touched = self.steps, self._left_out, self._touched
        self.steps, self._left_out, self._touched = [], 0, set()
        if not steps and not touched:
            return None
        told: list[dict[str, Any]] = []
        for step in map(Step.as_json, steps):
            if step not in told:
                told.append(step)
        sources = [source.as_json() for source in self.sources.values() if source.id in touched]
        return {"sources": sources[:SOURCES_LIMIT], "steps": told, "more": left_out}

    def _touch_named(self, code: str, names: Mapping[str, Any]) -> None:
        for word in set(_WORDS.findall(code)) - {""}:
            frame = names.get(word)
            if type(frame).__name__ == "DataFrame" and (source := self._certain_source(frame)) is not None:
                self._touched.add(source)

    def _certain_source(self, frame: Any) -> int | None:
        known = self._tables.get(id(frame))
        if known is not None and known[0]() is frame:
            return known[1]
        found = self._findings.get(id((getattr(frame, "_attrs", None) or {}).get("rejected")))
        return None if found is None else found[1]

    def _remember(self, frame: Any, source: int) -> None:
        key = id(frame)
        self._tables[key] = (weakref.ref(frame, lambda _, key=key: self._tables.pop(key, None)), source)


def says_something(page: Mapping[str, Any]) -> bool:
    """Whether a table was loaded or spoken of, or rows of one that code made were lost, left alone or repeated."""
    return bool(page["sources"] or page["more"] or any(step["lost"] or step["extra"] or (step["matched"] or 0) < step["before"] * (step["op"] == "join") for step in page["steps"]))


def short(name: Any) -> str:
    """A column's or table's name, cut to a length that a sentence can hold."""
    text = " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)
    return text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 1] + "…"


def names_of(columns: Any) -> tuple[str, ...]:
    """Names out of what pandas takes as `subset`, `on`, `by`: a label or several of them."""
    if columns is None or callable(columns):
        return ()
    several = columns if isinstance(columns, (list, set, frozenset)) or hasattr(columns, "dtype") else [columns]
    labels = [label for label in list(several)[: _NAMES_LIMIT + 1] if isinstance(label, (str, int, tuple))]
    return tuple(short(label) for label in labels[:_NAMES_LIMIT]) if len(labels) <= _NAMES_LIMIT else (*map(short, labels[: _NAMES_LIMIT - 1]), "…")


def _file_name(file: Any) -> str:
    return short(os.path.basename(os.fspath(file))) if isinstance(file, (str, os.PathLike)) and file else "a file"


BOOK = Book()

"""Which warnings come first, and which of them may name a line.

Whoever reads a card follows the lines it names. Lines that are named by the hundred help nobody, so they are given to what
matters most until a tenth of the file's lines is named; the rest keeps its sentence.
"""

from collections.abc import Iterable
from dataclasses import replace

from plotline.intake.line_notes import SAME
from plotline.intake.model import Note

_SHARE = 0.1

_USEFUL = (
    "rejected-lines", "sampled", "damaged-sheet", "missing-sheet", "not-read", "not-a-table", "many-files", "many-tables", "no-rows",
    "instruction-like-text", "totals-row", "unusable-values", "formulas-without-values", "spreadsheet-errors", "ambiguous-dates",
    "ambiguous-decimals", "duplicate-rows", "duplicate-keys", "mixed-types", "odd-number-format", "mixed-encoding", "nul-bytes",
    "garbled-text", "lost-characters", "odd-format", "odd-decimals", "may-be-cut", "joined-files", "few-missing", "same-but-spelling", "series-gap", "outliers", "odd-sign", "short-rows", "long-rows",
    "stray-quotes", "date-order", "leading-zeros", "hidden-sheets", "hidden-rows-or-columns", "cells-outside", "formula-text",
    "unusual-digits", "mixed-scripts", "control-characters", "invisible-characters", "edge-blanks", "preamble", "merged-cells",
    "numbers-as-text", "dates-1904", "multi-line-values", "guessed-encoding",
)  # fmt: skip
"""Codes from what changes an answer to what is good to know. Codes that are not here come between `guessed-encoding` and these:"""
_LAST = ("empty-rows", "empty-sheet", "other-files", "compressed", "empty-column", "constant-column")

_LINES_FIRST = (
    ("rejected-lines", "unusable-values", "spreadsheet-errors", "damaged-sheet", "totals-row"),
    ("short-rows", "long-rows", "may-be-cut", "stray-quotes", "joined-files", "carriage-returns", "header-other-delimiter", "mixed-encoding", "nul-bytes"),
    ("garbled-text", "lost-characters", "control-characters", "invisible-characters", "edge-blanks", "blank-cells", "odd-quotes", "unusual-digits", "mixed-scripts"),
    ("odd-number-format", "long-number", "leading-zeros", "odd-decimals", "no-final-line-end", "few-missing"),
    ("odd-date-form", "multi-line-values", "guessed-encoding", "instruction-like-text", "formula-text"),
    ("duplicate-rows", "duplicate-keys"),
    ("odd-format",),
    ("outliers", "odd-sign", "same-but-spelling", "series-gap"),
)  # fmt: skip
"""Whose lines are named first. Within one row the order of the notes counts."""

_ORDER = {code: place for place, code in enumerate((*_USEFUL, "", *_LAST))}
_RANK = {code: rank for rank, codes in enumerate(_LINES_FIRST) for code in codes}


def in_order(notes: Iterable[Note]) -> list[Note]:
    """The notes without repetitions, the most useful first; marks of further lines stay behind their sentence."""
    return sorted(dict.fromkeys(notes), key=lambda note: _ORDER.get(note.code, _ORDER[""]))


def within_budget(notes: list[Note], rejected: Iterable[int], source_lines: int) -> list[Note]:
    """
    The notes in their order, where the distinct lines named, `rejected` ones included, are at most a tenth of
    `source_lines`. Rejected lines are always named. A note over the budget loses its line; one that says nothing else, goes.
    """
    named = set(rejected)
    room = max(1, int(source_lines * _SHARE)) - len(named)
    kept: dict[int, Note | None] = {}
    for place in sorted(range(len(notes)), key=lambda place: _RANK.get(notes[place].code, len(_LINES_FIRST))):
        note = notes[place]
        if note.line is None or note.line in named:
            continue
        if room > 0:
            named.add(note.line)
            room -= 1
        else:
            kept[place] = None if note.message.startswith(SAME) else replace(note, line=None)
    return [found for place, note in enumerate(notes) if (found := kept.get(place, note)) is not None]

"""Sentences about lines: every line is named where they are few."""

from collections.abc import Iterable, Sequence
from itertools import islice

from plotline.intake.encoding import Decoded
from plotline.intake.model import Note

MOST_LINES = 200
"""Up to so many affected lines are each named by a note of their own."""
SAME = "The same on "
"""How the notes on further lines begin."""
_SHOWN_LINES = 8
_MARK = "\ufeff"


def encoding_notes(decoded: Decoded) -> list[Note]:
    """What the person must know about how bytes became text."""
    notes = []
    if decoded.mixed_lines:
        words = f"{len(decoded.mixed_lines)} line(s) are not {decoded.encoding} and were read as {decoded.mixed_with}: {listed(decoded.mixed_lines)}."
        notes += on_lines("mixed-encoding", words, None, decoded.mixed_lines)
    if decoded.nul_lines:
        words = f"NUL bytes were left out of the text on {len(decoded.nul_lines)} line(s): {listed(decoded.nul_lines)}."
        notes += on_lines("nul-bytes", words, None, decoded.nul_lines)
    if decoded.guessed:
        only = f" on {listed(decoded.foreign_lines)}" if decoded.foreign_lines else ""
        words = f"The encoding is not stated in the file; {decoded.encoding} gives the most plausible letters{only}."
        notes += on_lines("guessed-encoding", words, None, decoded.foreign_lines) if decoded.foreign_lines else [Note("guessed-encoding", words)]
    return notes


def file_notes(text: str, lines: list[str]) -> list[Note]:
    """What the ends of lines say: marks of files that were put together, a last line that may be cut. Takes the marks
    away from `lines`."""
    notes = []
    joined = [number for number, line in enumerate(lines, 1) if line.startswith(_MARK)] if _MARK in text else []
    for number in joined:
        lines[number - 1] = lines[number - 1].lstrip(_MARK)
    if joined:
        words = f"A byte-order mark stands in the middle of the file, as where files were put together; it was left out: {listed(joined)}."
        notes += on_lines("joined-files", words, None, joined)
    returns = [number for number, line in enumerate(lines, 1) if "\r" in line] if "\r" in text else []
    return notes + returns_note(returns) + end_note(len(lines), text[-1:])


def returns_note(lines: list[int]) -> list[Note]:
    """A note on lines with carriage returns that end no line."""
    if not lines:
        return []
    words = f"{len(lines)} line(s) hold a lone carriage return; it was kept as part of the value: {listed(lines)}."
    return on_lines("carriage-returns", words, None, lines)


def end_note(count: int, last: str) -> list[Note]:
    """A note where the file does not end its last line; `count` is the number of lines, `last` the last sign."""
    if count < 3 or last in ("\n", "\r", ""):
        return []
    return [Note("no-final-line-end", f"The last line ({count}) has no line end; if the file was cut, its last value is not whole.", None, count)]


def listed(lines: Iterable[int], place: str = "line") -> str:
    """`line 3` or `lines 3, 9, 12 …`, for the end of a sentence; in a sheet the place is a `row`."""
    some = list(islice(lines, _SHOWN_LINES + 1))
    shown = ", ".join(map(str, some[:_SHOWN_LINES])) + (" …" if len(some) > _SHOWN_LINES else "")
    return f"{place} {shown}" if len(some) == 1 else f"{place}s {shown}"


def on_lines(code: str, words: str, table: str | None, lines: Sequence[int], place: str = "line") -> list[Note]:
    """The whole sentence on the first line, a short mark on each further one: every line is named where they are few."""
    further = dict.fromkeys(line for line in lines[1:] if line != lines[0]) if len(lines) <= MOST_LINES else ()
    return [Note(code, words, table, lines[0]), *(Note(code, f"{SAME}{place} {line}.", table, line) for line in further)]

"""Where the records of a large text table lie in its bytes: a record is a line, or several where values hold line ends.

A line is *plain* where its own bytes prove what it is: its quotes come in pairs at the edges of fields, and it has as many
fields as most lines. All plain lines are found at once. Runs of other lines are left to the reader that knows damage.
"""

from dataclasses import dataclass

import numpy as np

_NEWLINE, _RETURN, _BACKSLASH, _SPACE = 10, 13, 92, 32
_PIECE = 1 << 22


@dataclass
class Scan:
    """`starts`/`ends` are the byte offsets of the records (without line end), `numbers` their physical lines from 1, `odd`
    marks those that are not plain and not blank. `plain` are the indexes of the plain ones, `edges[i]` holds the positions
    of plain record i's delimiters."""

    starts: np.ndarray
    ends: np.ndarray
    numbers: np.ndarray
    odd: np.ndarray
    blank: np.ndarray
    plain: np.ndarray
    edges: np.ndarray
    width: int
    has_quotes: bool
    has_inner_quotes: bool


_MUCH_BETTER = 0.1
_MANY_ODD = 0.02
"""Share of lines that are not plain from which values of several lines are looked for."""


def scan(codes: np.ndarray, delimiter: int, quote: int | None, escaped: bool) -> Scan | None:
    """The records of the file in `codes`; None where no width is common. `escaped`: a backslash can stand before a quote."""
    newlines = _positions(codes, _NEWLINE)
    delimiters = _positions(codes, delimiter)
    quotes = _positions(codes, quote) if quote is not None else newlines[:0]
    by_line = _scan(codes, newlines, newlines, delimiters, quotes, delimiter, quote, escaped)
    odd_share = float(by_line.odd.mean()) if by_line else 1.0
    outside = newlines[np.searchsorted(quotes, newlines) & 1 == 0] if len(quotes) and odd_share > _MANY_ODD else newlines
    if len(outside) == len(newlines):
        return by_line
    del by_line  # two scans at once would need twice the memory; the other way round is rare
    whole = _scan(codes, newlines, outside, delimiters, quotes, delimiter, quote, escaped)
    if whole and whole.odd.mean() < _MUCH_BETTER * odd_share:
        return whole
    return _scan(codes, newlines, newlines, delimiters, quotes, delimiter, quote, escaped)


def _scan(
    codes: np.ndarray, newlines: np.ndarray, ends: np.ndarray, delimiters: np.ndarray, quotes: np.ndarray, delimiter: int, quote: int | None, escaped: bool
) -> Scan | None:
    if not len(ends) or ends[-1] != len(codes) - 1:
        ends = np.append(ends, len(codes)).astype(newlines.dtype)
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    bare = ends - ((ends > starts) & (codes[np.maximum(ends - 1, 0)] == _RETURN))
    odd = np.zeros(len(starts), dtype=bool)
    inner = False
    if quote is not None and len(quotes):
        odd, inside, inner = _quoted(codes, quotes, delimiters, starts, bare, delimiter, quote)
        delimiters = delimiters[~inside]
        if escaped:
            before = quotes[codes[np.maximum(quotes - 1, 0)] == _BACKSLASH]
            odd[np.searchsorted(starts, before, side="right") - 1] = True
    upto = np.searchsorted(delimiters, bare)
    widths = np.diff(upto, prepend=0) + 1
    blank = bare == starts
    judged = ~odd & ~blank
    if not judged.any():
        return None
    counted = np.bincount(widths[judged])
    width = int(len(counted) - 1 - counted[::-1].argmax())
    odd |= ~blank & (widths != width)
    plain = np.flatnonzero(~odd & ~blank)
    if len(plain) == len(starts):
        edges = delimiters[: len(plain) * (width - 1)].reshape(len(plain), width - 1)
    else:
        mask = np.repeat(~odd & ~blank, widths - 1)
        edges = delimiters[: len(mask)][mask].reshape(len(plain), width - 1)
    numbers = np.arange(1, len(starts) + 1, dtype=np.int32) if len(ends) >= len(newlines) else (np.searchsorted(newlines, starts) + 1).astype(np.int32)
    return Scan(starts, bare, numbers, odd, blank, plain, edges, width, len(quotes) > 0, inner)


def _positions(codes: np.ndarray, sign: int) -> np.ndarray:
    """Where the byte stands, as small numbers where the file allows them."""
    kind = np.int32 if len(codes) < 2**31 - 16 else np.int64
    found = [np.flatnonzero(codes[start : start + _PIECE] == sign).astype(kind) + kind(start) for start in range(0, len(codes), _PIECE)]
    return np.concatenate(found) if found else np.empty(0, dtype=kind)


def _quoted(
    codes: np.ndarray, quotes: np.ndarray, delimiters: np.ndarray, starts: np.ndarray, ends: np.ndarray, delimiter: int, quote: int
) -> tuple[np.ndarray, np.ndarray, bool]:
    """(lines whose quotes are not in pairs at fields' edges, delimiters inside quotes, whether quotes are doubled)."""
    upto = np.searchsorted(quotes, ends)
    per_line = np.diff(upto, prepend=0)
    before_line = upto - per_line
    line = np.repeat(np.arange(len(starts), dtype=np.int32), per_line)
    quotes = quotes[: len(line)]
    opens = ((np.arange(len(quotes), dtype=np.int32) - before_line.astype(np.int32)[line]) & 1) == 0
    before = codes[np.maximum(quotes - 1, 0)]
    after = codes[np.minimum(quotes + 1, len(codes) - 1)]
    at_start = (quotes == starts[line]) | (before == delimiter)
    at_end = (quotes + 1 == ends[line]) | (after == delimiter)
    # A doubled quote closes and opens again; the opening one follows a quote that is not itself at a field's start.
    reopened = (before == quote) & (quotes != starts[line])
    closed_again = (after == quote) & (quotes + 1 != ends[line])
    fits = np.where(opens, at_start | reopened, at_end | closed_again)
    odd = (per_line & 1).astype(bool)
    odd[line[~fits]] = True
    doubled = bool((opens & ~at_start).any())
    # Delimiters inside quotes: an odd number of the line's quotes stands before them.
    where = np.searchsorted(delimiters, quotes)
    toggles = np.bincount(where, minlength=len(delimiters) + 1)[: len(delimiters)]
    parity = np.cumsum(toggles, dtype=np.int32)
    del where, toggles
    per_line_delimiters = np.diff(np.searchsorted(delimiters, ends), prepend=0)
    owner_before = np.repeat(before_line.astype(np.int32), per_line_delimiters)
    inside = np.zeros(len(delimiters), dtype=bool)
    inside[: len(owner_before)] = ((parity[: len(owner_before)] - owner_before) & 1).astype(bool)
    return odd, inside, doubled

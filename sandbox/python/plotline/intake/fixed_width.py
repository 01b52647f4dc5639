"""Tables whose columns stand at the same positions in every line, with blanks between them."""

import re
from dataclasses import dataclass

from plotline.intake.records import Records
from plotline.intake.model import Rejected

_MIN_LINES = 4
_SAMPLE_LINES = 2_000
_MAX_MISFITS = 0.02
_ONE_MISFIT_FROM = 12
_RULER = re.compile(r"[\s=+|-]*(?:-{2,}|={2,})[\s=+|-]*")


@dataclass(frozen=True)
class Layout:
    """The columns' positions: column i is `line[edges[i] : edges[i + 1]]`, its blanks stripped."""

    edges: tuple[int, ...]

    @property
    def width(self) -> int:
        return len(self.edges)


def find_layout(lines: list[str]) -> Layout | None:
    """The layout of a fixed-width table, None where the lines are none: where splitting at blanks gives rows of one
    width already, or where no blanks stand one below the other."""
    content = [line.expandtabs() for line in lines[:_SAMPLE_LINES] if line.strip() and not _RULER.fullmatch(line)]
    if len(content) < _MIN_LINES or any("\t" in line for line in lines[:50]):
        return None
    aligned = [line for line in content if "  " in line.strip()]
    if len(aligned) * 10 < len(content) * 7:
        return None
    by_blanks = [len(line.split()) for line in content]
    common = max(set(by_blanks), key=by_blanks.count)
    if by_blanks.count(common) >= 0.95 * len(content) and common > 1:
        return None
    longest = max(map(len, content))
    if longest > 4_000:
        return None
    filled = [0] * longest
    # Titles and sources run across the columns; they have no wide blanks.
    for line in aligned:
        for position, sign in enumerate(line):
            filled[position] += sign != " "
    allowed = max(int(len(aligned) * _MAX_MISFITS), len(aligned) >= _ONE_MISFIT_FROM)
    gaps = _gaps(filled, allowed)
    edges = tuple([0, *(end for start, end in gaps if any(_wide(line, start, end) for line in content))])
    if len(edges) < 2:
        return None
    layout = Layout(edges)
    used = [sum(bool(line[start:end].strip()) for line in content) for start, end in _columns(layout, longest)]
    return layout if min(used) * 4 >= len(content) or sum(count * 2 >= len(content) for count in used) >= 2 else None


def _gaps(filled: list[int], allowed: int) -> list[tuple[int, int]]:
    """Runs of positions at which no line has a sign, but for a few; (first, position after)."""
    gaps: list[tuple[int, int]] = []
    first = next((index for index, count in enumerate(filled) if count > allowed), 0)
    start: int | None = None
    for index in range(first, len(filled)):
        if filled[index] <= allowed:
            start = index if start is None else start
        elif start is not None:
            gaps.append((start, index))
            start = None
    return gaps


def _wide(line: str, start: int, end: int) -> bool:
    """Whether more than one blank stands around the gap: a blank between two words is no column's end."""
    return len(line) >= end and "  " in line[max(0, start - 1) : end + 1]


def _columns(layout: Layout, longest: int) -> list[tuple[int, int]]:
    return list(zip(layout.edges, (*layout.edges[1:], longest)))


def read_fixed(lines: list[str], layout: Layout) -> Records:
    """The records. A line with a word across a column's edge is rejected, rulers are left out."""
    out = Records()
    edges = layout.edges
    for number, line in enumerate(lines, 1):
        line = line.expandtabs()
        if not line.strip():
            out.blank_after.append(len(out.rows))
            continue
        if _RULER.fullmatch(line):
            continue
        across = next((edge for edge in edges[1:] if edge < len(line) and line[edge - 1] != " " and line[edge] != " "), None)
        if across is not None:
            out.rejected.append(Rejected(number, f"has text across the columns' edge at position {across + 1}"))
            continue
        out.rows.append([line[start:end].strip() for start, end in _columns(layout, max(len(line), edges[-1]))])
        out.lines.append(number)
    return out


def ruler_lines(lines: list[str]) -> list[int]:
    """The lines, from 1, that only draw a line under a header or a sum."""
    return [number for number, line in enumerate(lines, 1) if _RULER.fullmatch(line) and line.strip()]

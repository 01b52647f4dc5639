"""Text lines -> records, with the physical line of each. A line that cannot be a record is named, never guessed at."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from plotline.intake.model import Rejected

_MAX_LINES_IN_A_FIELD = 2_000
_MAX_CLOSINGS = 5


@dataclass
class Records:
    """`rows[i]` starts on physical line `lines[i]`. `stray` are lines whose quotes needed a lenient reading."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    blank_after: list[int] = field(default_factory=list)
    """Indexes of rows that follow at least one blank line."""
    rejected: list[Rejected] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    multi_line: list[int] = field(default_factory=list)
    """Lines on which records begin that go on over the next lines."""


class PhysicalLines(list[str]):
    """The lines of a file without their ends. `returns[i]` is true where line i ended with a carriage return too; empty
    where none did."""

    returns: Sequence[bool] = ()

    def joined(self, first: int, last: int) -> str:
        """The lines from `first` up to `last`, inclusive, as one text with the line ends of the file."""
        if not self.returns:
            return "\n".join(self[first : last + 1])
        pieces = [self[index] + ("\r\n" if self.returns[index] else "\n") for index in range(first, last)]
        return "".join(pieces) + self[last]


def physical_lines(text: str) -> PhysicalLines:
    """The lines of a file. A lone carriage return ends a line only where the file uses it so: in an otherwise `\\n`
    file it is data of a field."""
    if "\r" in text:
        pairs, lone = text.count("\r\n"), text.count("\r")
        lone -= pairs
        if lone and lone * 3 >= text.count("\n"):
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            pairs = 0
        if pairs:
            ended = text.split("\n")
            lines = PhysicalLines([line[:-1] if line[-1:] == "\r" else line for line in ended])
            lines.returns = [line[-1:] == "\r" for line in ended]
            if lines[-1] == "":
                lines.pop()
            return lines
    lines = PhysicalLines(text.split("\n"))
    if lines and lines[-1] == "":
        lines.pop()
    return lines


@dataclass(frozen=True)
class Tokeniser:
    """How one line becomes fields. `split` is for lines without the quote character."""

    quote: str | None
    split: Callable[[str], list[str]]
    quoted: re.Pattern[str] | None
    lenient: re.Pattern[str] | None
    plain: re.Pattern[str]
    separator: re.Pattern[str]
    unescape: Callable[[str], str]


@lru_cache(maxsize=256)
def tokeniser(delimiter: str, quote: str | None, escape: str | None) -> Tokeniser:
    """`delimiter` is any text; a single space stands for runs of blanks, the empty string for one column."""
    space = delimiter == " "
    between = r"[ ]+" if space else re.escape(delimiter) if delimiter else r"(?!)"
    end = rf"(?={between}|$)" if not space else r"(?=[ ]|$)"
    padding = "" if space or delimiter == "\t" else r"[ \t]*" if len(delimiter) else r"[ ]*"
    plain = rf"(?:(?!{between}).)*" if len(delimiter) != 1 else rf"[^{re.escape(delimiter)}]*"
    split: Callable[[str], list[str]]
    if space:
        split = str.split
    elif delimiter:
        split = lambda line: line.split(delimiter)  # noqa: E731 - the hot loop calls it once per line
    else:
        split = lambda line: [line]  # noqa: E731
    quoted = lenient = None
    unescape: Callable[[str], str] = str
    if quote:
        mark = re.escape(quote)
        inside = rf"(?:[^{mark}\\]|\\.|{mark}{mark})*" if escape == "\\" else rf"(?:[^{mark}]|{mark}{mark})*"
        quoted = re.compile(rf"{padding}{mark}({inside}){mark}[ \t]*{end}", re.DOTALL)
        lenient = re.compile(rf"{padding}{mark}(.*?){mark}{padding}{end}", re.DOTALL)
        doubled = quote * 2
        if escape == "\\":
            pattern = re.compile(rf"\\([{mark}\\])|{mark}({mark})")
            unescape = lambda value: pattern.sub(lambda found: found[1] or found[2], value)  # noqa: E731
        else:
            unescape = lambda value: value.replace(doubled, quote)  # noqa: E731
    return Tokeniser(quote, split, quoted, lenient, re.compile(plain, re.DOTALL), re.compile(between), unescape)


def tokenise(line: str, how: Tokeniser, lenient: bool = False) -> tuple[list[str], str]:
    """The fields of one record and its state: `ok`; `inner` (a quote inside a plain field); `open` (a quoted field does
    not end); `stray` (text after a closing quote)."""
    if how.quote is None or how.quote not in line:
        return how.split(line), "ok"
    assert how.quoted and how.lenient
    fields: list[str] = []
    state = "ok"
    position, size = 0, len(line)
    if how.separator.pattern == "[ ]+":
        position = size - len(line.lstrip(" "))
    while True:
        start = position
        while start < size and line[start] in " \t" and not how.separator.match(line, start):
            start += 1
        if line.startswith(how.quote, start):
            found = how.quoted.match(line, position)
            if not found and lenient:
                found = how.lenient.match(line, position)
                if found:
                    fields.append(found[1])
            elif found:
                fields.append(how.unescape(found[1]))
            if not found:
                closes = line.find(how.quote, start + 1) >= 0
                return fields, "open" if not closes or _is_open(line, start, how) else "stray"
            position = found.end()
        else:
            found = how.plain.match(line, position)
            assert found
            if how.quote in found[0]:
                state = "inner"
            fields.append(found[0])
            position = found.end()
        gap = how.separator.match(line, position)
        if not gap:
            return fields, state
        position = gap.end()
        if position >= size and how.separator.pattern == "[ ]+":
            return fields, state


def _is_open(line: str, start: int, how: Tokeniser) -> bool:
    """Whether the quoted field at `start` runs to the end of the line without a closing quote."""
    assert how.quote
    rest = line[start + 1 :].replace(how.quote * 2, "").replace("\\" + how.quote, "")
    return how.quote not in rest


def read_records(lines: Sequence[str], how: Tokeniser, width: int) -> Records:
    """All records of the file. `width` is how many fields a record of the table has; it decides whether a quoted field
    really runs over several lines or its quote was never closed."""
    out = Records()
    rows, starts = out.rows, out.lines
    quote, split = how.quote, how.split
    index, count = 0, len(lines)
    blank = False
    odd: list[int] | None = None
    whole = PhysicalLines()
    # A line of nothing but tabs has empty fields where tabs separate fields.
    separating = how.separator.pattern.startswith("\\\t")
    while index < count:
        line = lines[index]
        index += 1
        if not line or (line.isspace() and not (separating and "\t" in line)):
            blank = True
            continue
        if blank:
            out.blank_after.append(len(rows))
            blank = False
        if quote is None or quote not in line:
            rows.append(split(line))
            starts.append(index)
            continue
        fields, state = tokenise(line, how)
        if state in ("open", "stray"):
            joined = None
            if state == "open":
                if odd is None:
                    whole = lines if isinstance(lines, PhysicalLines) else PhysicalLines(lines)
                    odd = _odd_lines(whole, how)
                joined = _joined(whole, index, how, width, odd)
            if joined:
                fields, used = joined
                rows.append(fields)
                starts.append(index)
                out.multi_line.append(index)
                index += used
                continue
            fields, again = tokenise(line, how, lenient=True)
            if again in ("open", "stray") or (len(fields) != width and width > 1):
                words = "opens a quote that is never closed" if state == "open" else "has text after a closing quote"
                out.rejected.append(Rejected(index, words))
                continue
            state = "inner"
        if state == "inner":
            out.stray.append(index)
        rows.append(fields)
        starts.append(index)
    return out


def _odd_lines(lines: Sequence[str], how: Tokeniser) -> list[int]:
    """The lines with an odd number of quotes: after any other line a value that was open is open still."""
    assert how.quote
    mark, escaped = how.quote, "\\" + how.quote
    return [index for index, line in enumerate(lines) if mark in line and (line.count(mark) - line.count(escaped)) & 1]


def _joined(lines: PhysicalLines, index: int, how: Tokeniser, width: int, odd: list[int]) -> tuple[list[str], int] | None:
    """The record that starts on the line before `index` and goes on over the next lines, and how many it uses."""
    assert how.quote
    looks_whole = 0
    seen = index
    for closing in odd[bisect_left(odd, index) : bisect_left(odd, index) + _MAX_CLOSINGS]:
        used = closing - index + 1
        if used > _MAX_LINES_IN_A_FIELD:
            return None
        looks_whole += sum(how.quote not in line and len(how.split(line)) == width for line in lines[seen:closing])
        seen = closing + 1
        # Lines inside a field do not look like records again and again; a quote left open swallows such lines.
        if width > 1 and looks_whole > 3 and looks_whole * 2 > used:
            return None
        fields, state = tokenise(lines.joined(index - 1, closing), how)
        if state == "open":
            continue
        closes_itself = _is_record(lines[closing], how, width)
        if state == "stray" or (width > 1 and len(fields) != width and (looks_whole or closes_itself)):
            return None
        if width > 1 and looks_whole == used - 1 and closes_itself and (used > 1 or looks_whole):
            return None
        return fields, used
    return None


def _is_record(line: str, how: Tokeniser, width: int) -> bool:
    fields, state = tokenise(line, how)
    return state == "ok" and len(fields) == width


def modal_width(records: Records) -> int:
    """The width most records have; of equally frequent ones the wider."""
    widths = Counter(len(row) for row in records.rows)
    return max(widths.items(), key=lambda item: (item[1], item[0]))[0] if widths else 1

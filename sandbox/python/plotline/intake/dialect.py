"""Which delimiter, quote and escape a text table uses.

Every candidate reads a sample; it scores by how regular the records' widths are and by how many of the cells it gives are
values of a known kind (after van den Burg, Nazábal and Sutton 2019: regular rows of typed cells are what a table is).
"""

import math
import re
from collections import Counter
from functools import lru_cache

from plotline.intake.model import Dialect
from plotline.intake.records import modal_width, physical_lines, read_records, tokeniser
from plotline.intake.words import DATE, NUMBER, TIME

_SAMPLE_CHARACTERS = 60_000
_SAMPLE_LINES = 250

_PRIOR = {",": 1.0, ";": 1.0, "\t": 1.02, "|": 0.97, "||": 0.97, ":": 0.6, "^": 0.85, "~": 0.85, " ": 0.5, "#": 0.6, "\x01": 1.0}
_PRIOR |= {"\x1f": 1.0, "\x1e": 1.0, "¦": 0.9, "§": 0.9, "::": 0.8, ";;": 0.8, "|;|": 0.9, "~|~": 0.9, "|~|": 0.9, "@": 0.5, "*": 0.5}
_PRIOR |= {"&": 0.55, "!": 0.5, "=": 0.4, "/": 0.35, "=>": 0.5, "->": 0.5, "\t\t": 0.8, ",,": 0.5, "@@": 0.7, "##": 0.7, "^^": 0.8, "~~": 0.8, "$$": 0.7}

_URL = re.compile(r"(?:https?|ftp|file)://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_MONEY = re.compile(r"[-+(]?\s?[$€£¥₹]?\s?[-+]?\d[\d.,' \u00a0\u202f]*\s?[%$€£¥₹)]?\s?(?:[A-Za-z]{1,4})?")
_WORD = re.compile(r"[^\W_][\w'’./&()+-]*", re.UNICODE)
_TEXT = re.compile(r"[\w(\[#<@+-][\w\s'’´`.,;!?%&()\[\]/+:#@°§*<>=…–—„“”«»\"-]*", re.UNICODE)
_IDENTIFIER = re.compile(r"[\w.-]+(?:[/:\\][\w.-]+)*")


@lru_cache(maxsize=20_000)
def _cell_score(cell: str) -> float:
    """1 for a value of a known kind, less for loose text, little for debris such as half a quoted field."""
    value = cell.strip()
    if not value:
        return 0.9
    if len(value) > 400:
        return 0.5
    if NUMBER.fullmatch(value) and value.count(",") < 2 or DATE.fullmatch(value) or TIME.fullmatch(value):
        return 1.0
    if _WORD.fullmatch(value):
        return 1.0
    if _URL.fullmatch(value) or _MONEY.fullmatch(value) or _IDENTIFIER.fullmatch(value):
        return 0.95
    if value.lower() in ("n/a", "-", "--", "?", "\\n", "#n/a", "*"):
        return 1.0
    if any(sign in value for sign in "\t|^~"):
        return 0.25
    if value in ("''", '""'):
        return 0.9
    if re.search(r"[;,][^\s\d]", value):
        return 0.45  # prose has a blank after its commas, a list of fields has none
    if value[0] in "\"'" or value[-1] in "\"'":
        return 0.1 if value[0] in "\"'" and value[-1] == value[0] else 0.2
    if _TEXT.fullmatch(value):
        return 0.85 if "," not in value and ";" not in value else 0.65
    return 0.35


def detect_dialect(text: str, encoding: str) -> tuple[Dialect, int]:
    """The dialect and the width that most records of the sample have. One column: delimiter `,` and width 1."""
    declared = re.match(r"\s*\"?sep=(.{1,2}?)\"?\r?\n", text)
    sample = _sample(text)
    lines = _without_comments(physical_lines(sample)[:_SAMPLE_LINES])
    content = [line for line in lines if line.strip()]
    if not content:
        return Dialect(encoding, ",", None, None), 0
    candidates = [declared[1]] if declared else _candidates(content)
    quotes = [quote for quote in ('"', "'") if quote in sample]
    best: tuple[float, str, str | None, str | None, int] = (-1.0, ",", None, None, 1)
    for delimiter in candidates:
        for quote in [None, *quotes]:
            if quote and not _quote_possible(sample, quote, delimiter):
                continue
            for escape in _escapes(sample, quote, delimiter):
                score, width = _score(lines, delimiter, quote, escape)
                if quote == "'":
                    score *= 0.95
                if score > best[0] + 1e-9:
                    best = (score, delimiter, quote, escape, width)
    score, delimiter, quote, escape, width = best
    if width <= 1 or score < 0.08 or (delimiter == " " and _are_phrases(content)):
        whole = next((mark for mark in quotes if _all_quoted(content, mark)), None)
        return Dialect(encoding, ",", whole, None), 1
    if quote and escape == quote and not _doubled_inside(sample, quote, delimiter):
        escape = None
    if quote is None and '"' in text:
        # Quotes are the rule of such files even where the sample has none, or has them inside plain fields only.
        plain_reads_better = '"' in sample and score > 1.6 * _score(lines, delimiter, '"', None)[0]
        quote = None if plain_reads_better else '"'
        escape = next(iter(_escapes(text[: 20 * _SAMPLE_CHARACTERS], quote, delimiter))) if quote else None
        if escape == quote and not _doubled_inside(text, '"', delimiter):
            escape = None
    return Dialect(encoding, delimiter, quote, escape), width


def _without_comments(lines: list[str]) -> list[str]:
    """The lines without comments, where two lines are left."""
    kept = ["" if line.lstrip().startswith(("# ", "//")) or line.strip().strip("#") == "" else line for line in lines]
    return kept if sum(map(bool, kept)) >= 2 else lines


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    cut = max(text.rfind("\n", 0, _SAMPLE_CHARACTERS), text.rfind("\r", 0, _SAMPLE_CHARACTERS))
    return text[:cut] if cut > 0 else text[:_SAMPLE_CHARACTERS]


def _candidates(content: list[str]) -> list[str]:
    """Delimiters that occur in enough of the lines to structure them."""
    need = max(1, math.ceil(len(content) * 0.25))
    text = "\n".join(content)
    found = [delimiter for delimiter in _PRIOR if sum(delimiter in line for line in content) >= need]
    # Where every mark is doubled, the pair is the delimiter.
    doubled = {pair[0] for pair in found if len(pair) == 2 and pair[0] == pair[1] and text.count(pair[0]) == 2 * text.count(pair)}
    return [delimiter for delimiter in found if delimiter not in doubled] or [","]


def _quote_possible(sample: str, quote: str, delimiter: str) -> bool:
    """Whether some quote stands where a quoted field begins and some where one ends."""
    edge = re.escape(delimiter)
    mark = re.escape(quote)
    begins = re.search(rf"(?:^|[\r\n]|{edge})[ \t]*{mark}", sample)
    ends = re.search(rf"{mark}[ \t]*(?:{edge}|[\r\n]|$)", sample)
    return bool(begins and ends)


def _doubled_inside(sample: str, quote: str, delimiter: str) -> bool:
    mark, edge = re.escape(quote), re.escape(delimiter)
    return bool(re.search(rf"[^{mark}\r\n]{mark}{mark}(?!{mark})[^\r\n]|(?:^|[\r\n]|{edge}){mark}{mark}{mark}(?!{mark})", sample)) and bool(
        re.search(rf"(?!(?:{edge})){mark}{mark}(?!\s*(?:{edge}|[\r\n]|$))", sample)
    )


def _escapes(sample: str, quote: str | None, delimiter: str) -> list[str | None]:
    if quote is None:
        return [None]
    if "\\" + quote in sample:
        return ["\\", quote]
    return [quote] if quote * 2 in sample else [None]


def _all_quoted(content: list[str], quote: str) -> bool:
    """Whether lines of one value are quoted as a whole, all of them or those alone that have the quote at all."""
    quoted = sum(line.strip().startswith(quote) and line.strip().endswith(quote) and len(line.strip()) > 1 for line in content)
    return quoted * 2 > len(content) or 0 < quoted == sum(quote in line for line in content)


def _are_phrases(content: list[str]) -> bool:
    """Whether lines are words with single blanks between them, as names of persons are: no table."""
    fields = [line.split() for line in content]
    if max(map(len, fields)) > 4 or any("  " in line.strip() or "\t" in line for line in content):
        return False
    return not any(any(map(str.isdigit, field)) for row in fields[1:] for field in row) and len(fields[0]) != 2 + (len(fields) < 3)


def _score(lines: list[str], delimiter: str, quote: str | None, escape: str | None) -> tuple[float, int]:
    how = tokeniser(delimiter, quote, escape)
    first = read_records(lines, how, 0)
    if not first.rows:
        return 0.0, 1
    width = modal_width(first)
    records = read_records(lines, how, width) if first.rejected or quote else first
    if not records.rows:
        return 0.0, 1
    widths = Counter(len(row) for row in records.rows)
    total = len(records.rows) + len(records.rejected)
    entropy = -sum(count / total * math.log(count / total) for count in widths.values())
    regular = sum(count / total * _worth(size) for size, count in widths.items()) / math.exp(entropy)
    cells = Counter(cell for row in records.rows for cell in row[:60])
    number = sum(cells.values())
    typed = sum(_cell_score(cell) * count for cell, count in cells.items()) / max(1, number)
    if width > 1 and all(not row[-1].strip() for row in records.rows if len(row) == width):
        regular *= 0.6  # a mark at every line's end ends lines, it does not separate fields
    penalty = 1.0 - 0.5 * len(records.rejected) / total - 0.3 * len(records.stray) / total
    return regular * typed**1.5 * _PRIOR.get(delimiter, 0.5) * penalty, width


def _worth(width: int) -> float:
    """How much a width speaks for structure: nothing for one column, little more for ten than for four."""
    return 0.0 if width < 2 else width / (width + 0.8)

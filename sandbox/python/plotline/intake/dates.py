"""Texts -> dates, with the order of day and month decided from all values of a column."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

_TIME = re.compile(r"(?P<gap>[T ]\s?)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?P<fraction>\.\d{1,9})?)?)(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:Z|[-+]\d{2}:?\d{2}))?")
_PARTS = re.compile(r"(?P<a>\d{1,4})(?P<sep>[-/.])(?P<b>\d{1,2})(?:(?P=sep)(?P<c>\d{1,4}))?(?P<dot>\.)?(?P<rest>.*)", re.DOTALL)
_NAMED_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})(?P<rest>.*)", re.DOTALL)
_NAMED = re.compile(r"(?P<day>\d{1,2})(?P<s1>[-. /]{1,2})(?P<month>[A-Za-z]{3,9})\.?(?P<s2>[-, /]{1,2})(?P<year>\d{4}|\d{2})(?P<rest>.*)", re.DOTALL)
_MONTH_YEAR = re.compile(r"(?P<month>[A-Za-z]{3,9})(?P<sep>[- ])(?P<year>\d{4}|\d{2})")
_MONTHS = frozenset("jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august september october november december".split())


_MOSTLY = 0.8


@dataclass
class Dates:
    """`values[i]` is the date of text i, NaT where it is none. `order` is `day-first`, `month-first`, `conflict`,
    `ambiguous`, or None where the order is not in question."""

    values: np.ndarray
    order: str | None = None
    evidence: str = ""
    pattern: np.ndarray | None = None
    """Which of the formats found reads each text, -1 where none does."""


def date_format(text: str) -> tuple[str, bool] | None:
    """A strptime format of one text and whether day and month could be swapped in it (then it is given day first)."""
    found = _PARTS.fullmatch(text)
    if found:
        a, sep, b, c = found["a"], found["sep"], found["b"], found["c"]
        rest = _rest_format(found["rest"])
        if rest is None:
            return None
        if c is None:
            return (f"%Y{sep}%m", False) if len(a) == 4 and sep == "-" and not found["dot"] and not rest and 1 <= int(b) <= 12 else None
        if len(a) == 4 and len(c) <= 2:
            return f"%Y{sep}%m{sep}%d{rest}", False
        if len(a) <= 2 and len(c) in (2, 4):
            return f"%d{sep}%m{sep}{'%Y' if len(c) == 4 else '%y'}{found['dot'] or ''}{rest}", True
        return None
    for pattern in (_NAMED, _NAMED_FIRST):
        found = pattern.fullmatch(text)
        if found and found["month"].lower() in _MONTHS:
            rest = _rest_format(found["rest"])
            if rest is None:
                return None
            name = "%b" if len(found["month"]) == 3 else "%B"
            year = "%Y" if len(found["year"]) == 4 else "%y"
            if pattern is _NAMED:
                return f"%d{found['s1']}{name}{'.' if found[0][found.end('month')] == '.' else ''}{found['s2']}{year}{rest}", False
            between = text[found.end("day") : found.start("year")]
            return f"{name}{text[found.end('month') : found.start('day')]}%d{between}{year}{rest}", False
    found = _MONTH_YEAR.fullmatch(text)
    if found and found["month"].lower() in _MONTHS:
        name = "%b" if len(found["month"]) == 3 else "%B"
        return f"{name}{found['sep']}{'%Y' if len(found['year']) == 4 else '%y'}", False
    return None


def _rest_format(rest: str) -> str | None:
    if not rest:
        return ""
    found = _TIME.fullmatch(rest)
    if not found:
        return None
    colons = found["time"].count(":")
    clock = "%I:%M" if found["half"] else "%H:%M"
    out = found["gap"] + clock + (":%S" if colons == 2 else "") + (".%f" if found["fraction"] else "")
    if found["half"]:
        out += (" " if found["half"].startswith(" ") else "") + "%p"
    if found["zone"]:
        out += (" " if found["zone"].startswith(" ") else "") + "%z"
    return out


def read_dates(texts: list[str], order_hint: str | None, counts: Sequence[int] | None = None) -> Dates | None:
    """The dates of distinct `texts`; None where fewer than half of the values look like dates. `counts` says how many
    values each text stands for, `order_hint` is what other columns of the table decided."""
    step = max(1, len(texts) // 400)
    seen: Counter[tuple[str, bool]] = Counter()
    judged = 0
    for index in range(0, len(texts), step):
        weight = int(counts[index]) if counts is not None else 1
        judged += weight
        if found := date_format(texts[index]):
            seen[found] += weight
    if sum(seen.values()) * 2 < judged:
        return None
    swappable = any(swap for _, swap in seen)
    order, evidence = _order(texts, order_hint) if swappable else (None, "")
    result = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    if order in ("ambiguous", "conflict"):
        plain = sum(weight for (_, swap), weight in seen.items() if not swap)
        if plain < _MOSTLY * sum(seen.values()):
            return Dates(result, order, evidence)
        # The few that can be read two ways are not read; the others need no order.
        seen = Counter({found: weight for found, weight in seen.items() if not found[1]})
        order, evidence = None, ""
    open_positions = np.arange(len(texts))
    formats = dict.fromkeys(pattern for pattern, _ in seen)
    if step > 1:
        further = [found for text in texts[:: max(1, step // 7)] if (found := date_format(text))]
        formats |= dict.fromkeys(pattern for pattern, swap in further if not swap or order)
    pattern_of = np.full(len(texts), -1, dtype=np.int16)
    for number, pattern in enumerate(formats):
        actual = pattern.replace("%d", "%#", 1).replace("%m", "%d", 1).replace("%#", "%m", 1) if order == "month-first" and _swaps(pattern) else pattern
        converted = _convert([texts[position] for position in open_positions], actual)
        known = ~np.isnat(converted)
        result[open_positions[known]] = converted[known]
        pattern_of[open_positions[known]] = number
        open_positions = open_positions[~known]
        if not len(open_positions):
            break
    return Dates(result, order, evidence, pattern_of)


def _swaps(pattern: str) -> bool:
    return bool(re.match(r"%d[-/.]%m", pattern))


def _convert(texts: list[str], pattern: str) -> np.ndarray:
    zone = "%z" in pattern
    try:
        series = pd.to_datetime(pd.Series(texts, dtype=object), format=pattern, errors="coerce", utc=zone)
    except (ValueError, TypeError, OverflowError):
        return np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    if zone:
        series = series.dt.tz_localize(None)
    return series.to_numpy(dtype="datetime64[ns]")


def _order(texts: list[str], hint: str | None) -> tuple[str, str]:
    """Day or month first, from every value of the column."""
    day_first: list[str] = []
    month_first: list[str] = []
    dots = 0
    total = 0
    pairs: list[tuple[int, int, int]] = []
    for text in texts:
        found = _PARTS.match(text)
        if not found or not found["c"] or len(found["a"]) > 2:
            continue
        total += 1
        a, b = int(found["a"]), int(found["b"])
        dots += found["sep"] == "."
        pairs.append((int(found["c"]), a, b))
        if a > 12 >= b:
            day_first.append(text)
        elif b > 12 >= a:
            month_first.append(text)
    if day_first and month_first:
        few, many = sorted((day_first, month_first), key=len)
        if len(few) * 20 > len(many):
            return "conflict", f"{day_first[0]} has the day first, {month_first[0]} the month"
        winner = "day-first" if many is day_first else "month-first"
        return winner, f"{len(many)} values such as {many[0]} allow no other order"
    if day_first:
        return "day-first", f"{day_first[0]} allows no other order"
    if month_first:
        return "month-first", f"{month_first[0]} allows no other order"
    if total and dots == total:
        return "day-first", "dates with dots are written day first"
    if hint:
        return hint, "as in the other date columns of this table"
    if len(pairs) >= 6:
        as_day = [(year, b, a) for year, a, b in pairs]
        as_month = [(year, a, b) for year, a, b in pairs]
        rising_day, rising_month = as_day == sorted(as_day), as_month == sorted(as_month)
        if rising_day != rising_month:
            return ("day-first" if rising_day else "month-first"), "only so are the rows in order of time"
    return "ambiguous", "no day above 12 in any row"

"""What a number format shows: which numbers of a workbook are dates, times of day or elapsed times.

A format has up to four sections: positive; negative; zero; text, or sections with conditions such as `[<=100]`. Letters
between quotes, after a backslash, or in brackets (colours, currencies and locales such as `[$-409]`) show as they are.
"""

import datetime
import operator
import re
from functools import lru_cache
from typing import Any

_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 55), 57, 58, *range(71, 76), 78))
"""14 to 22 everywhere; 27 to 36 and 50 to 58 are the East Asian ones, 71 to 81 the Thai ones."""
_BUILT_IN_TIMES = frozenset((18, 19, 20, 21, 32, 33, 45, 47, 55, 56, 76, 77, 79, 81))
_BUILT_IN_ELAPSED = frozenset((46, 80))
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)(?:"|$)|\\(?P<escaped>.?)|[_*].?|\[(?P<bracket>[^\]]*)(?:\]|$)|general|standard|am/pm|a/p|上午/下午|午前/午後|오전/오후'
    r"|(?P<exponent>e[+-])|(?P<seconds>s+(?:[.,]0+)?)|(?P<letters>[ymdhbgae]+)|(?P<digits>[0#?]+)|.",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\s*(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*", re.IGNORECASE)
_COMPARE = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "=": operator.eq, "<>": operator.ne}
_LAST_SERIAL = 2_958_466
"""1 January 10000, the first day that Excel does not know."""


class Elapsed(datetime.timedelta):
    """A length of time as `[h]:mm:ss` shows it: `26:30:00`, not `1 day, 2:30:00`."""

    def __str__(self) -> str:
        minutes, seconds = divmod(self.days * 86_400 + self.seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}" + (f".{self.microseconds // 1000:03}" if self.microseconds else "")


def format_kind(number: int, code: str | None) -> str:
    """What a number format shows: `date`, `time`, `elapsed` or `number`; `varies` where its sections differ, see
    `kind_for`. `code` wins over the built-in meaning of `number`."""
    if not code:
        if number in _BUILT_IN_ELAPSED:
            return "elapsed"
        return "date" if number in _BUILT_IN_DATES else "time" if number in _BUILT_IN_TIMES else "number"
    kinds = {kind for _, kind in _sections(code)[:3] if kind not in ("literal", "text")}
    return "number" if not kinds else kinds.pop() if len(kinds) == 1 else "varies"


def kind_for(code: str, value: float) -> str:
    """The kind that the section for this value shows."""
    sections = _sections(code)
    numeric = [section for section in sections[:3] if section[1] != "text"] or sections[:1]
    if any(condition for condition, _ in numeric):
        chosen = next((kind for condition, kind in numeric if condition is None or _COMPARE[condition[0]](value, condition[1])), numeric[-1][1])
    elif len(numeric) == 1 or value > 0:
        chosen = numeric[0][1]
    else:
        chosen = numeric[1][1] if value < 0 else numeric[2][1] if len(numeric) > 2 else numeric[0][1]
    return "number" if chosen in ("literal", "text") else chosen


@lru_cache(maxsize=4096)
def _sections(code: str) -> list[tuple[tuple[str, float] | None, str]]:
    """(condition, kind) of every section; the kind `literal` shows no digit of the number."""
    out: list[tuple[tuple[str, float] | None, str]] = []
    condition: tuple[str, float] | None = None
    seen: set[str] = set()
    for found in _TOKEN.finditer(code + ";"):
        text = found[0].lower()
        if text == ";":
            out.append((condition, _kind(seen)))
            condition, seen = None, set()
        elif found["bracket"] is not None:
            if re.fullmatch(r"h+|m+|s+", found["bracket"], re.IGNORECASE):
                seen.add("elapsed")
            elif compared := _CONDITION.fullmatch(found["bracket"]):
                condition = (compared[1], float(compared[2]))
        elif text in ("general", "standard", "@") or found["exponent"]:
            seen.add("number" if text != "@" else "text")
        elif found["letters"]:
            letters = set(text)
            seen |= {"y" if letters & set("ydbgae") else "", "h" if "h" in letters else "", "m" if "m" in letters else ""}
            seen |= {"mmm"} if "mmm" in text else set()
        elif found["seconds"]:
            seen.add("s")
        elif found["digits"] and found["quoted"] is None:
            seen.add("digits")
    return out


def _kind(seen: set[str]) -> str:
    if "number" in seen:
        return "number"
    if "digits" in seen and not seen & {"y", "h", "s", "elapsed"}:
        return "number"
    if "elapsed" in seen and "y" not in seen:
        return "elapsed"
    if seen & {"y", "mmm"} or ("m" in seen and not seen & {"h", "s"}):
        return "date"
    if seen & {"h", "s"}:
        return "time"
    return "text" if "text" in seen else "literal"


def serial_date(number: float, kind: str, date1904: bool = False) -> Any:
    """A day count as date, time of day or length of time; the number itself where Excel's calendar has no such day."""
    if number < 0 or number >= _LAST_SERIAL - (1462 if date1904 else 0):
        return number
    if kind == "elapsed":
        return Elapsed(milliseconds=round(number * 86_400_000))
    if number < 1 and (kind == "time" or not date1904):
        if kind == "date" and number == 0:
            return 0  # Excel shows 1/0/1900: no day
        moment = datetime.datetime.min + datetime.timedelta(milliseconds=round(number * 86_400_000))
        return _whole_seconds(moment).time()
    if date1904:
        epoch = datetime.datetime(1904, 1, 1)
    elif 60 <= number < 61:
        return "1900-02-29"  # a day that only Excel has
    else:
        epoch = datetime.datetime(1899, 12, 31) if number < 60 else datetime.datetime(1899, 12, 30)
    days = int(number)
    return _whole_seconds(epoch + datetime.timedelta(days=days, milliseconds=round((number - days) * 86_400_000)))


def _whole_seconds(moment: datetime.datetime) -> datetime.datetime:
    """A millisecond beside a full second is the rounding of a fraction of a day."""
    beside = moment.microsecond % 1_000_000
    if 0 < beside <= 1000:
        return moment - datetime.timedelta(microseconds=beside)
    return moment + datetime.timedelta(microseconds=1_000_000 - beside) if beside >= 999_000 and moment.year < 9999 else moment

"""The value of one OpenDocument cell: its attributes hold it exactly, its paragraphs as it is shown."""

import datetime
import re
from typing import Any

from plotline.intake.model import CellError
from plotline.intake.number_formats import Elapsed
from plotline.intake.words import SPREADSHEET_ERRORS
from plotline.intake.xlsx_sheet import number_of

_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,6})\d*)?S)?)?")
_ERROR = re.compile(r"#[A-Z/0-9]+[!?]|#N/A|Err:\d{3}")


def cell_value(get: dict[str, str], shown: str) -> Any:
    """The value from a cell's attributes and its shown text, None for an empty cell."""
    if (get.get("formula") or get.get("value-type") == "error") and (_ERROR.fullmatch(shown) or shown.lower() in SPREADSHEET_ERRORS):
        return CellError(shown)
    match get.get("value-type"):
        case "float" | "currency" | "percentage":
            number = number_of(get.get("value", ""))
            if number is None or number != number or number in (float("inf"), float("-inf")):
                return shown or None
            return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number
        case "date":
            try:
                return datetime.datetime.fromisoformat(get.get("date-value", "")).replace(tzinfo=None)
            except ValueError:
                return shown or get.get("date-value") or None
        case "boolean":
            return get.get("boolean-value") == "true"
        case "time":
            return _duration(get.get("time-value", "")) or shown or None
        case "string":
            return shown or get.get("string-value") or None
        case _:
            return shown or None


def _duration(text: str) -> Any:
    found = _DURATION.fullmatch(text)
    if not found or found[1] or len(text) > 40:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:5])
    if days > 10_000_000:
        return None
    length = Elapsed(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=int((found[6] or "0").ljust(6, "0")))
    return (datetime.datetime.min + length).time() if length < datetime.timedelta(days=1) else length

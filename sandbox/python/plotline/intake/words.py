"""The words and shapes of values that the stages share."""

import re

NA_WORDS = frozenset(
    ("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "<na>", "-", "--", "---", "–", "—", "\\n", "#na", "(null)")
)
"""Words for a missing value in any column, lower case."""

NA_WORDS_AMONG_NUMBERS = NA_WORDS | frozenset(
    ("none", "nil", "?", "??", ".", "..", "...", "missing", "unknown", "not available", "n.d.", "nd", "tbd", "x", "*", "k.a.", "#ref!")
    + ("#div/0!", "#value!", "#name?", "#num!", "#null!", "-nan", "n/d", "s/d", "inf.")
)
"""Words that say nothing only where the column holds numbers or dates."""

SPREADSHEET_ERRORS = frozenset(
    ("#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!", "#n/a", "#getting_data", "#spill!", "#calc!")
)

CURRENCY_SIGNS = "$€£¥₹₽₩₺₪₫₴₦₱฿"
CURRENCY_CODES = (
    "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|RMB|INR|RUB|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|KRW|SGD|HKD|THB|IDR|ILS|AED|SAR|UAH|RON|BGN|kr|zł|Kč|Ft|R\\$|US\\$|Rs"
)

NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d+)*|[.,]\d+)(?:[eE][-+]?\d+)?")
DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?:Z|[ ]?[-+]\d{2}:?\d{2}|[ ]?[A-Z]{2,4})?)?"
)
TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?")


_LONGEST = max(map(len, NA_WORDS_AMONG_NUMBERS))


def is_na(text: str) -> bool:
    """Whether a stripped text says that there is no value, in a column of any type."""
    return len(text) <= _LONGEST and text.lower() in NA_WORDS


def is_na_among_numbers(text: str) -> bool:
    """The same in a column of numbers or dates."""
    return len(text) <= _LONGEST and text.lower() in NA_WORDS_AMONG_NUMBERS

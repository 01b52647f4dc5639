"""The row ledger: what code in a cell loads and loses, counted from outside.

    install()       begins to watch pandas and `plotline.load`; once, before any cell
    BOOK            what was counted; `BOOK.page(code, names)` is the part of the last cell

Nothing is wrapped: the interpreter reports the ends of pandas' own functions (PEP 669), so signatures, results, tracebacks and
warnings are those of pandas alone. Only calls that a cell makes itself count, not those that pandas or a library makes.
"""

from plotline.ledger.book import BOOK, LEDGER_MIME, says_something
from plotline.ledger.watch import install

__all__ = ["BOOK", "LEDGER_MIME", "install", "says_something"]

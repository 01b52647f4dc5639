"""How a clean table is written: the dialect of one file."""

import random
import re
from dataclasses import dataclass

from damage.tables import CleanTable

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Style:
    """`quoting` is minimal, all, nonnumeric or none; `encoding` a Python codec, `utf-16` meaning little endian with a mark."""

    delimiter: str
    quoting: str
    line_end: str
    encoding: str
    header: bool
    final_end: bool = True

    def cell(self, value: str) -> str:
        """The cell as written. Raises ValueError where it needs a quote and the style has none."""
        needed = any(sign in value for sign in (self.delimiter, '"', "\n", "\r"))
        if self.quoting == "none" and needed:
            raise ValueError("a cell that needs a quote in a style without one")
        quoted = needed or self.quoting == "all" or (self.quoting == "nonnumeric" and not _NUMBER.fullmatch(value))
        return '"' + value.replace('"', '""') + '"' if quoted else value

    def line(self, cells: list[str]) -> str:
        return self.delimiter.join(map(self.cell, cells))

    def encode(self, text: str) -> bytes:
        """Without a mark of the encoding."""
        return text.encode({"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(self.encoding, self.encoding))

    @property
    def mark(self) -> bytes:
        return {"utf-16": b"\xff\xfe", "utf-8-sig": b"\xef\xbb\xbf"}.get(self.encoding, b"")


def some_style(table: CleanTable, rng: random.Random) -> Style:
    """A style that can hold the table."""
    shape = table.shape
    quoting = rng.choice(["minimal", "minimal", "all", "nonnumeric", *(["none"] if shape.plain else [])])
    delimiter = rng.choice(shape.delimiters)
    encodings = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"]
    encoding = rng.choice(encodings)
    if encoding == "cp1252" and not _in_code_page(table):
        encoding = "utf-8"
    lone_returns = shape.plain and rng.random() < 0.1
    line_end = "\r" if lone_returns and encoding != "utf-16" else rng.choice(["\n", "\n", "\r\n"])
    header = shape.with_header_only or rng.random() < 0.85
    return Style(delimiter, quoting, line_end, encoding, header, rng.random() < 0.9)


def _in_code_page(table: CleanTable) -> bool:
    try:
        "".join(map("".join, table.rows)).encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True

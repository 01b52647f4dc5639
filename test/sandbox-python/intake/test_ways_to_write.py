"""Every way to write a tidy table gives the same rows: `python3 -m ways` prints those that do not."""

import unittest

from ways.__main__ import failures
from ways.writing import ways

OPEN = {
    *(f"quote {sign!r} {where}" for sign in "`~|$%“" for where in ("everywhere", "where needed")),
    *(f"escape {sign!r}" for sign in "/^"),
    *(f"line end {end!r}" for end in ("\x1e", "\u2028", "\x85", "\x0b", "|\n")),
    *(f"before{header}: {what}" for header in ("", ", no header") for what in ("titles and values", "ten lines of text")),
    "delimiter '\\x01'",
    "delimiter '&&'",
}
"""Ways that no table is read from exactly yet."""

OPEN_FOR = {("delimiter ' '", "companies"), ("delimiter '@'", "companies"), ("delimiter '!'", "companies")}
"""The same for single tables."""


class WaysToWrite(unittest.TestCase):
    def test_all_rows_come_out(self) -> None:
        found = [(name, table, fault) for name, table, fault in failures(1) if name not in OPEN and (name, table) not in OPEN_FOR]
        self.assertEqual(found, [])

    def test_open_ways_exist(self) -> None:
        self.assertLessEqual(OPEN | {name for name, _ in OPEN_FOR}, set(ways()))


if __name__ == "__main__":
    unittest.main()

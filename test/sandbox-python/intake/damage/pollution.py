"""One tidy table, one thing about how it is written at a time (the idea of the Pollock benchmark, Vitagliano et al. 2023).

Nothing is damaged here: every file holds all rows, and they must all come out. `python3 -m damage.pollution [SEED]` prints what
does not.
"""

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from damage.document import Unsuitable
from damage.tables import SHAPES, CleanTable, clean_table
from plotline.intake.card import card_and_reading


@dataclass(frozen=True)
class Polluted:
    """`rows` are those that must be loaded. None for a dialect's part that is not judged."""

    data: bytes
    rows: list[list[str]]
    header: list[str] | None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None


Pollution = Callable[[CleanTable], Polluted]


def write(table: CleanTable, delimiter: str = ",", quote: str = '"', escape: str = "double", end: str = "\n", every: bool = False, header: bool = True) -> str:
    """The table as text. `escape` is how a quote inside a quoted cell is written: double, or the sign before it."""

    def cell(value: str) -> str:
        if not every and not any(sign in value for sign in (delimiter, quote, "\n", "\r")) and not (delimiter == " " and not value):
            return value
        inner = value.replace(quote, quote * 2) if escape == "double" else value.replace(escape, escape * 2).replace(quote, escape + quote)
        return quote + inner + quote

    return "".join(delimiter.join(map(cell, row)) + end for row in [*([table.header] if header else []), *table.rows])


def _plain(text: str, table: CleanTable, **dialect: str | None) -> Polluted:
    return Polluted(text.encode(), table.rows, table.header, **dialect)


def _delimiters() -> Iterator[tuple[str, Pollution]]:
    for delimiter in (",", ";", "\t", "|", "^", "~", ":", " ", "||", "::", ";;", "|~|", "\x01", "\x1f", "§", "¦", "#", "&&", "\t\t", "@", "!"):
        yield f"delimiter {delimiter!r}", lambda table, delimiter=delimiter: _plain(write(table, delimiter), table, delimiter=delimiter)
    for delimiter in (", ", "; ", " | "):
        # With or without its blanks: the cells are the same.
        yield f"delimiter {delimiter!r}", lambda table, delimiter=delimiter: _plain(write(table, delimiter), table)


def _quotes() -> Iterator[tuple[str, Pollution]]:
    for quote in ('"', "'", "`", "~", "|", "$", "%", "“"):
        yield f"quote {quote!r} everywhere", lambda table, quote=quote: _plain(write(table, ",", quote, every=True), table, delimiter=",", quote=quote)
        yield f"quote {quote!r} where needed", lambda table, quote=quote: _plain(write(table, ",", quote), table, delimiter=",")
    for escape in ("\\", "double", "/", "^"):
        yield f"escape {escape!r}", lambda table, escape=escape: _plain(write(table, ",", '"', escape, every=True), table, delimiter=",", quote='"')


def _ends() -> Iterator[tuple[str, Pollution]]:
    for end in ("\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n", "\x1e", "\u2028", "\x85", "\x0b", "|\n", ",\n"):
        yield f"line end {end!r}", lambda table, end=end: _plain(write(table, end=end), table)


def _encodings() -> Iterator[tuple[str, Pollution]]:
    for codec in "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le cp1252 latin-1 cp850 cp437 mac_roman iso8859-15 cp1250".split():
        yield f"encoding {codec}", lambda table, codec=codec: Polluted(write(table).encode(codec), table.rows, table.header)


_TOPS = {
    "one title": "Sales report\n",
    "title and blank line": "Sales report\n\n",
    "title with delimiters": "Sales report,,,\n",
    "titles and values": "Report:,Sales\nPeriod:,2024\n\n",
    "ten lines of text": "".join(f"This is line {number} of the notes, which say nothing.\n" for number in range(1, 11)) + "\n",
    "comment lines": "# made by a program\n# on 2024-05-01\n",
    "sep line": "sep=,\n",
    "blank lines": "\n\n\n",
    "blank and hollow lines": "\n,,,\n,,,\n",
}
_FEET = {
    "note": "Source: our own figures\n",
    "blank line and note": "\nSource: our own figures\n",
    "note with a delimiter": "Note: one, two\n",
    "ten lines of text": "\n" + "".join(f"Footnote {number} says nothing.\n" for number in range(1, 11)),
    "hollow lines": ",,,\n" * 5,
    "row count": "(41 rows affected)\n",
}


def _around() -> Iterator[tuple[str, Pollution]]:
    for name, top in _TOPS.items():
        yield f"before: {name}", lambda table, top=top: _plain(top + write(table), table)
        yield f"before, no header: {name}", lambda table, top=top: Polluted((top + write(table, header=False)).encode(), table.rows, None)
    for name, foot in _FEET.items():
        yield f"after: {name}", lambda table, foot=foot: _plain(write(table) + foot, table)


def _headers() -> Iterator[tuple[str, Pollution]]:
    yield "no header", lambda table: Polluted(write(table, header=False).encode(), table.rows, None)
    yield "header in capitals", lambda table: Polluted((",".join(map(str.upper, table.header)) + "\n" + write(table, header=False)).encode(), table.rows, [name.upper() for name in table.header])
    yield "header twice the same name", lambda table: Polluted((",".join(["x"] * len(table.header)) + "\n" + write(table, header=False)).encode(), table.rows, None)
    yield "header with an empty name", lambda table: Polluted((",".join(["", *table.header[1:]]) + "\n" + write(table, header=False)).encode(), table.rows, ["Column 1", *table.header[1:]])
    yield "two header rows", lambda table: Polluted((",".join(["Group", *[""] * (len(table.header) - 1)]) + "\n" + write(table)).encode(), table.rows, None)
    yield "header quoted", lambda table: Polluted((",".join(f'"{name}"' for name in table.header) + "\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "header ends in a delimiter", lambda table: Polluted((",".join(table.header) + ",\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "rows end in a delimiter", lambda table: Polluted((",".join(table.header) + "\n" + write(table, header=False, end=",\n")).encode(), table.rows, table.header)
    yield "header with another delimiter", lambda table: Polluted((";".join(table.header) + "\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "header over long names", lambda table: Polluted((",".join(f"{name} as it was written down by the desk on the first day" for name in table.header) + "\n" + write(table, header=False)).encode(), table.rows, None)


def _sizes() -> Iterator[tuple[str, Pollution]]:
    for count in (0, 1, 2, 3, 5):
        yield f"{count} rows", lambda table, count=count: Polluted(write(CleanTable(table.shape, table.header, table.rows[:count])).encode(), table.rows[:count], table.header)
        if count:
            yield f"{count} rows, no header", lambda table, count=count: Polluted(write(CleanTable(table.shape, table.header, table.rows[:count]), header=False).encode(), table.rows[:count], None)
    yield "blank line after each row", lambda table: _plain(write(table, end="\n\n"), table)
    yield "two tables, one after the other", lambda table: Polluted((write(table) + "\n\n" + write(table)).encode(), table.rows * 2, table.header)
    yield "no line end at the end", lambda table: _plain(write(table)[:-1], table)
    yield "blanks around values", lambda table: _plain(_padded(table, " , ", 0), table)
    yield "aligned by blanks", lambda table: _plain(_padded(table, ",", 24), table)
    yield "index column without a name", lambda table: Polluted((write(CleanTable(table.shape, ["", *table.header], [[str(number), *row] for number, row in enumerate(table.rows)]))).encode(), [[str(number), *row] for number, row in enumerate(table.rows)], None)


def _padded(table: CleanTable, between: str, width: int) -> str:
    """Raises `Unsuitable` where values need quotes."""
    if not table.shape.plain:
        raise Unsuitable
    return "".join(between.join(value.ljust(width) for value in row) + "\n" for row in [table.header, *table.rows])


def pollutions() -> dict[str, Pollution]:
    return {name: make for family in (_delimiters, _quotes, _ends, _encodings, _around, _headers, _sizes) for name, make in family()}


def fault(path: Path, polluted: Polluted) -> str | None:
    """What is wrong with the loaded table, None where all is well."""
    path.write_bytes(polluted.data)
    card, reading = card_and_reading(path)
    if not card["ok"] or reading is None:
        return f"not loaded: {card['error']}"
    got = [list(row) for table in reading.tables for row in zip(*(table.texts(index) for index in range(len(table.header))))]
    rows = [[value.strip() for value in row] for row in got]
    wanted = [[value.strip() for value in row] for row in polluted.rows]
    if rows != wanted:
        first = next((number for number, (one, other) in enumerate(zip(rows, wanted)) if one != other), min(len(rows), len(wanted)))
        shown = rows[first][:6] if first < len(rows) else "nothing"
        return f"{len(rows)} rows of {len(wanted)}; row {first + 1} is {shown}, dialect {card['dialect']}, rejected {[found['line'] for found in card['rejected']][:6]}"
    if polluted.header and [name.strip() for name in reading.tables[0].header] != polluted.header:
        return f"header {reading.tables[0].header[:6]}"
    found = card["dialect"] or {}
    for part in ("delimiter", "quote"):
        wanted_part = getattr(polluted, part)
        if wanted_part is not None and found.get(part) != wanted_part:
            return f"{part} {found.get(part)!r}"
    return None


def failures(seed: int) -> list[tuple[str, str, str]]:
    """(pollution, table, fault) of those that fail."""
    shapes = [shape for shape in SHAPES if shape.name in ("orders", "notes", "parts", "accents", "log")]
    out = []
    with tempfile.TemporaryDirectory() as directory:
        for name, make in pollutions().items():
            for shape in shapes:
                table = clean_table(shape, 40, random.Random(f"{seed}/{name}/{shape.name}"))
                try:
                    polluted = make(table)
                except (UnicodeEncodeError, Unsuitable):
                    continue
                wrong = fault(Path(directory, "table.csv"), polluted)
                if wrong:
                    out.append((name, shape.name, wrong))
    return out


def main() -> int:
    found = failures(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for name, shape, wrong in found:
        print(f"{name:40} {shape:8} {wrong}")
    print(f"{len(pollutions())} ways to write 5 tables: {len(found)} not read exactly")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

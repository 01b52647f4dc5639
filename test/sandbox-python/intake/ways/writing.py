"""The ways to write a table: delimiters, quotes, line ends, encodings, what stands around it, its header, its size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from damage.clean import Row, Table


@dataclass(frozen=True)
class Way:
    """`rows` are those that must be loaded. None for a dialect's part that is not judged."""

    data: bytes
    rows: list[Row]
    header: Row | None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None


Writing = Callable[[Table], Way]


def write(table: Table, delimiter: str = ",", quote: str = '"', escape: str = "double", end: str = "\n", every: bool = False, header: bool = True) -> str:
    """The table as text. `escape` is how a quote inside a quoted cell is written: double, or the sign before it."""

    def cell(value: str) -> str:
        if not every and not any(sign in value for sign in (delimiter, quote, "\n", "\r")) and not (delimiter == " " and not value):
            return value
        inner = value.replace(quote, quote * 2) if escape == "double" else value.replace(escape, escape * 2).replace(quote, escape + quote)
        return quote + inner + quote

    return "".join(delimiter.join(map(cell, row)) + end for row in [*([table.header] if header else []), *table.rows])


def _plain(text: str, table: Table, **dialect: str | None) -> Way:
    return Way(text.encode(), table.rows, table.header, **dialect)


def _delimiters() -> Iterator[tuple[str, Writing]]:
    for delimiter in (",", ";", "\t", "|", "^", "~", ":", " ", "||", "::", ";;", "|~|", "\x01", "\x1f", "§", "¦", "#", "&&", "\t\t", "@", "!"):
        yield f"delimiter {delimiter!r}", lambda table, delimiter=delimiter: _plain(write(table, delimiter), table, delimiter=delimiter)
    for delimiter in (", ", "; ", " | "):
        # With or without its blanks: the cells are the same.
        yield f"delimiter {delimiter!r}", lambda table, delimiter=delimiter: _plain(write(table, delimiter), table)


def _quotes() -> Iterator[tuple[str, Writing]]:
    for quote in ('"', "'", "`", "~", "|", "$", "%", "“"):
        yield f"quote {quote!r} everywhere", lambda table, quote=quote: _plain(write(table, ",", quote, every=True), table, delimiter=",", quote=quote)
        yield f"quote {quote!r} where needed", lambda table, quote=quote: _plain(write(table, ",", quote), table, delimiter=",")
    for escape in ("\\", "double", "/", "^"):
        yield f"escape {escape!r}", lambda table, escape=escape: _plain(write(table, ",", '"', escape, every=True), table, delimiter=",", quote='"')


def _ends() -> Iterator[tuple[str, Writing]]:
    for end in ("\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n", "\x1e", "\u2028", "\x85", "\x0b", "|\n", ",\n"):
        yield f"line end {end!r}", lambda table, end=end: _plain(write(table, end=end), table)


def _encodings() -> Iterator[tuple[str, Writing]]:
    for codec in "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le cp1252 latin-1 cp850 cp437 mac_roman iso8859-15 cp1250".split():
        yield f"encoding {codec}", lambda table, codec=codec: Way(write(table).encode(codec), table.rows, table.header)


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


def _around() -> Iterator[tuple[str, Writing]]:
    for name, top in _TOPS.items():
        yield f"before: {name}", lambda table, top=top: _plain(top + write(table), table)
        yield f"before, no header: {name}", lambda table, top=top: Way((top + write(table, header=False)).encode(), table.rows, None)
    for name, foot in _FEET.items():
        yield f"after: {name}", lambda table, foot=foot: _plain(write(table) + foot, table)


def _headers() -> Iterator[tuple[str, Writing]]:
    yield "no header", lambda table: Way(write(table, header=False).encode(), table.rows, None)
    yield "header in capitals", lambda table: Way((",".join(map(str.upper, table.header)) + "\n" + write(table, header=False)).encode(), table.rows, [name.upper() for name in table.header])
    yield "header twice the same name", lambda table: Way((",".join(["x"] * len(table.header)) + "\n" + write(table, header=False)).encode(), table.rows, None)
    yield "header with an empty name", lambda table: Way((",".join(["", *table.header[1:]]) + "\n" + write(table, header=False)).encode(), table.rows, ["Column 1", *table.header[1:]])
    yield "two header rows", lambda table: Way((",".join(["Group", *[""] * (len(table.header) - 1)]) + "\n" + write(table)).encode(), table.rows, None)
    yield "header quoted", lambda table: Way((",".join(f'"{name}"' for name in table.header) + "\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "header ends in a delimiter", lambda table: Way((",".join(table.header) + ",\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "rows end in a delimiter", lambda table: Way((",".join(table.header) + "\n" + write(table, header=False, end=",\n")).encode(), table.rows, table.header)
    yield "header with another delimiter", lambda table: Way((";".join(table.header) + "\n" + write(table, header=False)).encode(), table.rows, table.header)
    yield "header over long names", lambda table: Way((",".join(f"{name} as it was written down by the desk on the first day" for name in table.header) + "\n" + write(table, header=False)).encode(), table.rows, None)


def _sizes() -> Iterator[tuple[str, Writing]]:
    for count in (0, 1, 2, 3, 5):
        yield f"{count} rows", lambda table, count=count: Way(write(replace(table, rows=table.rows[:count])).encode(), table.rows[:count], table.header)
        if count:
            yield f"{count} rows, no header", lambda table, count=count: Way(write(replace(table, rows=table.rows[:count]), header=False).encode(), table.rows[:count], None)
    yield "blank line after each row", lambda table: _plain(write(table, end="\n\n"), table)
    yield "two tables, one after the other", lambda table: Way((write(table) + "\n\n" + write(table)).encode(), table.rows * 2, table.header)
    yield "no line end at the end", lambda table: _plain(write(table)[:-1], table)
    yield "blanks around values", lambda table: _plain(_padded(table, " , ", 0), table)
    yield "aligned by blanks", lambda table: _plain(_padded(table, ",", 24), table)
    yield "index column without a name", lambda table: Way(write(_numbered(table)).encode(), _numbered(table).rows, None)


def _padded(table: Table, between: str, width: int) -> str:
    """Raises ValueError where values need quotes."""
    if any(sign in value for row in table.rows for value in row for sign in ',"\n'):
        raise ValueError("values that need quotes")
    return "".join(between.join(value.ljust(width) for value in row) + "\n" for row in [table.header, *table.rows])


def _numbered(table: Table) -> Table:
    return replace(table, header=["", *table.header], rows=[[str(number), *row] for number, row in enumerate(table.rows)])


def ways() -> dict[str, Writing]:
    return {name: make for family in (_delimiters, _quotes, _ends, _encodings, _around, _headers, _sizes) for name, make in family()}

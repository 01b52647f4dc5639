"""How findings are written: whole sentences with the right plural, and every affected line named where they are few."""

from collections.abc import Iterable, Iterator
from typing import Any

from plotline.intake.column_view import TableView
from plotline.intake.line_notes import on_lines
from plotline.intake.model import Note



def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def quoted(text: Any, most: int = 40) -> str:
    """A value in a sentence, cut, with what cannot be seen in it made visible."""
    shown = "".join(character if character.isprintable() else f"‹U+{ord(character):04X}›" for character in str(text))
    return f"“{shown if len(shown) <= most else shown[: most - 1] + '…'}”"


def on_rows(view: TableView, code: str, words: str, rows: Iterable[int]) -> Iterator[Note]:
    """`words` on the line of the first row, and a short mark on the line of each further one, where they are few."""
    lines = [view.line(int(row)) for row in rows]
    if lines:
        yield from on_lines(code, words, view.name, lines, view.place)


def few(count: int, total: int, share: float = 0.05) -> bool:
    """Whether so many rows are an accident among `total`, and not how the column is written."""
    return 0 < count <= max(2, share * total) and count * 2 < total

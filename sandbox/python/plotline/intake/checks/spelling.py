"""Values that differ only in case, blanks or the way an accent is written: they would be separate groups."""

import unicodedata
from collections.abc import Iterator

from plotline.intake.checks.findings import counted, few, on_rows, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_MOST_VALUES = 2000
_SHOWN_PAIRS = 3


def same_but_spelling(view: TableView, column: ColumnView) -> Iterator[Note]:
    if column.type not in ("text", "mixed") or not column.has_texts or not 2 <= len(column.present) <= _MOST_VALUES:
        return
    groups: dict[str, list[int]] = {}
    for index, text in enumerate(column.texts):
        groups.setdefault(_folded(text), []).append(index)
    pairs: list[tuple[str, str]] = []
    rare: list[int] = []
    for alike in groups.values():
        if len(alike) < 2:
            continue
        usual, *others = sorted(alike, key=lambda index: -column.rows_with([index]))
        rare += others
        pairs += [(column.texts[usual], column.texts[other]) for other in others]
    if not pairs:
        return
    shown = "; ".join(f"{quoted(one)} and {quoted(other)}" for one, other in pairs[:_SHOWN_PAIRS])
    more = f"; and {len(pairs) - _SHOWN_PAIRS} more" if len(pairs) > _SHOWN_PAIRS else ""
    rows = column.rows_of(rare).tolist()
    spelling = "the rarer spelling" if len(rare) == 1 else "the rarer spellings"
    words = f"{column.name}: {shown}{more} differ only in case, blanks or accents ({counted(len(rows), 'row')} with {spelling}: {view.where(rows)})."
    if few(len(rows), column.filled):
        yield from on_rows(view, "same-but-spelling", words, rows)
    else:
        yield Note("same-but-spelling", words, view.name)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()

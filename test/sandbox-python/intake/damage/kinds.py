"""All kinds of damage by name, and how often each is done to a file."""

import random
from collections.abc import Callable

from damage import added_kinds, cell_kinds, line_kinds
from damage.document import Document

Kind = Callable[[Document, random.Random], bool]
"""Damages a document, or returns False where the table has no place for it."""


def undamaged(doc: Document, rng: random.Random) -> bool:
    return True


_LINE = "extra_field missing_field unclosed_quote stray_quote text_after_quote wrong_delimiter merged_lines split_line split_last_field repeated_header"
_ADDED = "repeated_block duplicated_row comment_lines blank_line delimiter_only trailing_delimiter doubled_delimiter lone_return"
_CELL = (
    "other_encoding mojibake replacement_sign nul_byte control_sign mark_in_the_middle no_break_space padding blank_cell smart_quotes "
    "backslash_quotes decimal_comma thousands_marks other_date_format text_in_number swapped_cells shifted_row scientific_id zeros_lost message_line"
)
_REPEATED = {name: getattr(module, name) for module, names in ((line_kinds, _LINE), (added_kinds, _ADDED), (cell_kinds, _CELL)) for name in names.split()}
_ONCE: dict[str, Kind] = {
    "undamaged": undamaged,
    "truncated": line_kinds.truncated,
    "truncated_last_field": line_kinds.truncated_last_field,
    "footer": added_kinds.footer,
    "total_row": added_kinds.total_row,
    "preamble": added_kinds.preamble,
    "mixed_line_ends": added_kinds.mixed_line_ends,
    "control_z": added_kinds.control_z,
}
KINDS: dict[str, Kind] = {**_REPEATED, **_ONCE}
TWO = "two kinds"


def damage(doc: Document, kind: str, rng: random.Random) -> bool:
    """Does one kind of damage to one or a few lines; False where the table has no place for it."""
    if kind == TWO:
        first, second = rng.sample(sorted(_REPEATED), 2)
        doc.kinds = [first, second]
        return len(doc.table.rows) >= 60 and KINDS[first](doc, rng) and KINDS[second](doc, rng)
    doc.kinds = [kind]
    times = 1 if kind in _ONCE or len(doc.table.rows) < 60 else rng.choice([1, 1, 2, 3])
    done = [KINDS[kind](doc, rng) for _ in range(times)]
    return done[0]

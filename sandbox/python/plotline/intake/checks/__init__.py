"""What a careful colleague would point out about a table before computing with it. One kind of finding per file."""

from collections.abc import Callable, Iterator

from plotline.intake.checks.duplicates import duplicates
from plotline.intake.checks.gaps_in_columns import blank_cells, few_missing, odd_decimals
from plotline.intake.checks.hollow import hollow_columns, no_rows
from plotline.intake.checks.hostile import formula_text, instructions, instructions_in_names
from plotline.intake.checks.lost import rejected_lines, spreadsheet_errors, totals, unusable_values
from plotline.intake.checks.odd_forms import odd_numbers, odd_shapes
from plotline.intake.checks.outliers import odd_signs, outliers
from plotline.intake.checks.sequences import date_gaps, id_gaps
from plotline.intake.checks.spelling import same_but_spelling
from plotline.intake.checks.text_damage import text_damage
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_OF_COLUMNS: tuple[Callable[[TableView, ColumnView], Iterator[Note]], ...] = (
    unusable_values, spreadsheet_errors, instructions, formula_text, text_damage, odd_numbers, odd_shapes, hollow_columns,
    same_but_spelling, odd_decimals, few_missing, blank_cells, outliers, odd_signs, date_gaps, id_gaps,
)  # fmt: skip


MOST_COLUMNS = 500
"""Columns that are looked at, as many as the card describes: each costs about a millisecond, however few rows it has."""


def check(view: TableView) -> Iterator[Note]:
    """The warnings about the loaded table, in no particular order. Followers ("The same on line 9.") come right after their finding."""
    yield from rejected_lines(view)
    yield from no_rows(view)
    if view.rows == 0:
        return
    yield from totals(view)
    yield from instructions_in_names(view)
    yield from duplicates(view)
    for column in view.columns[:MOST_COLUMNS]:
        for look in _OF_COLUMNS:
            yield from look(view, column)
        column.forget()
    if len(view.columns) > MOST_COLUMNS:
        yield Note("many-columns", f"{view.name} has {len(view.columns):,} columns; the first {MOST_COLUMNS} were looked at closely, all can be loaded.", view.name)

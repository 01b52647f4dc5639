"""The numbers and identifiers that `load` gives for the undamaged rows of damaged files are those of the clean table."""

import random
import tempfile
import unittest
from pathlib import Path
from typing import Any

import pandas as pd

from damage.clean import Table
from damage.document import Document
from damage.kinds import KINDS
from damage.run import damaged
from plotline.intake import load
from plotline.intake.reading import read_file

FILES, SEED = 300, 31


def meant(table: Table, text: str) -> float | None:
    """What a number of the clean table means; None for an empty cell."""
    bare = text.strip("$%")
    bare = bare.replace(".", "").replace(",", ".") if table.shape == "european" else bare.replace(",", "")
    return float(bare) if bare else None


def changes(doc: Document, frame: pd.DataFrame, lines: dict[int, int]) -> list[str]:
    """Undamaged cells whose typed value is another one. `lines` gives the clean row (from 0) that begins on a line."""
    table = doc.table
    unusable = {(found["line"], found["column"]) for found in frame.attrs["unusable"]}
    starts = frame.attrs["lines"]
    out = []
    for column in sorted({*table.numbers, *table.ids}):
        name = table.header[column]
        for line, value in zip(starts, frame[name].tolist()):
            row = lines.get(line)
            if row is None or (line, name) in unusable:
                continue
            text = table.rows[row][column]
            if not same(value, text, meant(table, text) if column in table.numbers else None):
                out.append(f"{name} on line {line}: {text!r} became {value!r}")
    return out


def same(value: Any, text: str, number: float | None) -> bool:
    """Text as it stands in the file is never a change; a number must be the one that is meant, digit for digit."""
    if isinstance(value, str):
        return value == text
    if pd.isna(value):
        return text == ""
    if isinstance(value, float) and number is None:
        value = int(value) if value.is_integer() and abs(value) < 2**53 else value
    return float(value) == number if number is not None else str(value) == text


class TypedValues(unittest.TestCase):
    def loaded(self, doc: Document, folder: Path) -> tuple[pd.DataFrame, dict[int, int]] | None:
        path = folder / doc.name
        path.write_bytes(doc.bytes())
        raw = max(read_file(path).tables, key=lambda found: found.row_count)
        if list(raw.header) != doc.table.header:
            return None
        frame = load(path, raw.name)
        frame.attrs["lines"] = [int(line) for line in raw.lines]
        rows = {lines[0]: piece.row - 1 for piece, lines in zip(doc.pieces, doc.lines()) if piece.row and piece.site is None and not piece.more_rows}
        return frame, rows

    def test_undamaged_cells_keep_their_values(self) -> None:
        kinds = list(KINDS)
        looked_at = 0
        with tempfile.TemporaryDirectory() as directory:
            for number in range(FILES):
                kind = kinds[number % len(kinds)]
                doc = damaged(kind, random.Random(f"{SEED} {number}"), False)
                found = self.loaded(doc, Path(directory))
                if found is None:
                    continue
                frame, rows = found
                looked_at += 1
                with self.subTest(kind=kind, number=number):
                    self.assertEqual(changes(doc, frame, rows)[:3], [])
        self.assertGreater(looked_at, FILES * 0.95)

    def test_a_change_is_seen(self) -> None:
        doc = damaged("undamaged", random.Random("1"), False)
        with tempfile.TemporaryDirectory() as directory:
            found = self.loaded(doc, Path(directory))
        assert found
        frame, rows = found
        column = (*doc.table.numbers, *doc.table.ids)[0]
        doc.table.rows[3][column] = "98765"
        self.assertEqual(len(changes(doc, frame, rows)), 1)


if __name__ == "__main__":
    unittest.main()

"""The cells as text: RFC 4180, as loaded, and the grid of a sheet."""

import csv
import datetime
import io
import json
import os
import unittest
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from support import IntakeCase, sales, text

from plotline.intake import __main__ as command
from plotline.intake import card_batch
from plotline.intake.export import NoRoom, grid_rows, used_area, whole_card, write_csv
from plotline.intake.model import CellError, Sheet


class CellsTest(IntakeCase):
    def exported(self, path: Path) -> tuple[dict[str, Any], list[list[list[str]]]]:
        """The card, and the cells of each of its tables as Python's own csv reads them."""
        found = whole_card(path, str(self.directory / "out"))
        cells = []
        for table in found["tables"]:
            with open(table["cells_file"], encoding="utf-8", newline="") as file:
                cells.append(list(csv.reader(file, strict=True)))
        return found, cells

    def test_nothing_is_typed_or_formatted(self) -> None:
        lines = ["id;amount;day;share;flag"] + [f"{number:03};1.{number:03},50;0{number % 9 + 1}/04/2025;{number}.10 %;TRUE" for number in range(40)]
        _, [cells] = self.exported(self.file("a.csv", text(lines)))
        self.assertEqual(cells, [line.split(";") for line in lines])

    def test_large_files_too(self) -> None:
        lines = ["id,amount,day"] + [f"{number:07},{number % 997}.50,2024-01-{number % 28 + 1:02}" for number in range(60_000)]
        path = self.file("large.csv", text(lines))
        self.assertGreater(path.stat().st_size, 1_000_000)
        _, [cells] = self.exported(path)
        self.assertEqual(cells, [line.split(",") for line in lines])

    def test_text_that_needs_quotes(self) -> None:
        values = ['say "hi"', "two\nlines", "one,two", " padded ", "tab\tbed", "ß漢😀", ""]
        records = json.dumps([{"a": value, "b": 1} for value in values])
        _, [cells] = self.exported(self.file("a.json", records))
        self.assertEqual(cells, [["a", "b"], *([value, "1"] for value in values)])

    def test_a_single_column_of_missing_values_keeps_its_rows(self) -> None:
        _, [cells] = self.exported(self.file("a.json", '[{"a": null}, {"a": ""}, {"a": 1}]'))
        self.assertEqual(cells, [["a"], [""], [""], ["1"]])

    def test_a_lone_surrogate_is_escaped(self) -> None:
        _, [cells] = self.exported(self.file("a.json", '[{"a": "\\ud800!"}, {"a": "b"}]'))
        self.assertEqual(cells, [["a"], ["\\ud800!"], ["b"]])

    def test_all_rejected_lines(self) -> None:
        lines = sales(6000)
        damaged = list(range(20, 6000, 20))
        for index in damaged:
            lines[index] += ",more"
        found, [cells] = self.exported(self.file("a.csv", text(lines)))
        self.assertEqual([entry["line"] for entry in found["rejected"]], [index + 1 for index in damaged])
        self.assertEqual(len(cells), 6001 - len(damaged))

    def test_records_end_with_crlf(self) -> None:
        path = self.directory / "x.csv"
        write_csv(path, [["a", 'q"'], ["1", "c\r"], ["", ""]])
        self.assertEqual(path.read_bytes(), b'a,"q"""\r\n1,"c\r"\r\n,\r\n')

    def test_a_full_disk_is_said(self) -> None:
        path = self.file("a.csv", text(sales()))
        with mock.patch("plotline.intake.export.write_csv", side_effect=OSError(28, "No space left on device")), self.assertRaises(NoRoom):
            whole_card(path, str(self.directory / "out"))


class GridTest(unittest.TestCase):
    def test_begins_at_the_first_used_cell_and_is_padded(self) -> None:
        rows = [[None, None], [], [None, None, "x", 1.0], [], [None, datetime.date(2024, 2, 3)], [None, True, None, CellError("#DIV/0!"), None], [None]]
        sheet = Sheet("s", False, rows)
        self.assertEqual(used_area(sheet), (2, 6, 1, 4))
        self.assertEqual(list(grid_rows(sheet)), [["", "x", "1"], ["", "", ""], ["2024-02-03", "", ""], ["TRUE", "", "#DIV/0!"]])

    def test_an_empty_sheet(self) -> None:
        self.assertEqual(list(grid_rows(Sheet("s", False, [[None], []]))), [])


class BatchTest(IntakeCase):
    def test_a_card_for_each_job_and_nothing_left(self) -> None:
        self.file(".card-1", "a,b\n1,2\n3,4\n")
        self.file(".card-2", "")
        with chdir(self.directory):
            card_batch.describe([(".card-1", "x y\n.csv"), (".card-2", "none.csv")], export=True)
            one, two = map(json.loads, Path(".card/cards.jsonl").read_text().splitlines())
            self.assertEqual(Path(one["tables"][0]["cells_file"]).read_bytes(), b"a,b\r\n1,2\r\n3,4\r\n")
            self.file(".card-3", "left")
            card_batch.clean()
        self.assertEqual(one["tables"][0]["name"], "x y ")
        self.assertFalse(two["ok"])
        self.assertEqual(os.listdir(self.directory), [])

    def test_the_command_inside(self) -> None:
        path = self.file("a.csv", "a,b\n1,2\n3,4\n")
        out = self.directory / "out"
        printed = io.StringIO()
        with mock.patch("sys.argv", ["intake", "--json", "--export", str(out), str(path), str(self.directory / "none.csv")]), redirect_stdout(printed):
            self.assertEqual(command.main(), 1)
        one, two = map(json.loads, printed.getvalue().splitlines())
        self.assertEqual(Path(one["tables"][0]["cells_file"]).read_bytes(), b"a,b\r\n1,2\r\n3,4\r\n")
        self.assertEqual(two["error"], "There is no such file.")


if __name__ == "__main__":
    unittest.main()

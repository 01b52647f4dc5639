"""Tables inside sheets: where they are, what their header is, and that nothing beside them is lost in silence."""

import io
import unittest
from typing import Any

import openpyxl
from openpyxl.worksheet.table import Table
from support import IntakeCase

from plotline.intake import card
from plotline.intake.model import RawTable, Reading
from plotline.intake.reading import read_file

SALES = [["Region", "Amount", "Share"], ["North", 10, 0.1], ["South", 20, 0.2], ["East", 30, 0.3], ["West", 40, 0.4]]


class TablesCase(IntakeCase):
    def book(self, *sheets: list[list[Any]], change: Any = None) -> Reading:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets, 1):
            sheet = book.create_sheet(f"S{number}")
            for row in rows:
                sheet.append(row)
        if change:
            change(book.worksheets[0])
        out = io.BytesIO()
        book.save(out)
        self.path = self.file("book.xlsx", out.getvalue())
        return read_file(self.path)

    def table(self, *sheets: list[list[Any]], change: Any = None) -> RawTable:
        table, = self.book(*sheets, change=change).tables
        return table

    def notes(self, code: str) -> list[str]:
        """Messages in full, with the row each names in front."""
        reading = read_file(self.path)
        return [f"{note.line}: {note.message}" for table in reading.tables for note in [*table.notes] if note.code == code] + [f"{note.line}: {note.message}" for note in reading.notes if note.code == code]


class Places(TablesCase):
    def test_a_title_above_and_notes_below(self) -> None:
        table = self.table([["Sales 2024"], ["as of May"], [], *SALES, [], ["Source: ledger"], ["Prepared by Ann"]])
        self.assertEqual((table.header, table.lines, table.range), (SALES[0], [5, 6, 7, 8], "A4:C8"))
        self.assertEqual(self.notes("preamble"), ["1: The table begins on row 4; rows 1 to 3 above it hold a title: Sales 2024 · as of May"])
        self.assertEqual(self.notes("footer"), ["10: Rows 10 to 11 below the table hold notes and are not part of it: Source: ledger · Prepared by Ann"])

    def test_a_note_right_below_the_last_row(self) -> None:
        self.assertEqual(self.table([*SALES, ["Source: ledger"]]).lines, [2, 3, 4, 5])
        self.assertEqual(len(self.notes("footer")), 1)

    def test_a_row_with_one_text_is_no_note(self) -> None:
        self.assertEqual(self.table([*SALES, ["Abroad"]]).row_count, 5)

    def test_a_total_after_a_blank_row_stays(self) -> None:
        self.assertEqual(self.table([*SALES, [], ["Total", 100, 1]]).lines, [2, 3, 4, 5, 7])

    def test_side_by_side(self) -> None:
        right = [["City", "People"], ["Bern", 130], ["Graz", 290], ["Lyon", 520]]
        rows = [left + [None] + (right[index] if index < len(right) else []) for index, left in enumerate(SALES)]
        tables = self.book(rows).tables
        self.assertEqual([(table.name, table.header, table.row_count, table.range) for table in tables], [("S1 1", SALES[0], 4, "A1:C5"), ("S1 2", ["City", "People"], 3, "E1:F4")])

    def test_stacked_with_lines_between(self) -> None:
        second = [["City", "People"], ["Bern", 130], ["Graz", 290], ["Lyon", 520]]
        tables = self.book([["First"], *SALES, [], ["Second table"], [], *second, [], ["checked by Ann"]]).tables
        self.assertEqual([(table.header, table.lines) for table in tables], [(SALES[0], [3, 4, 5, 6]), (["City", "People"], [11, 12, 13])])
        self.assertEqual(self.notes("preamble"), ["1: The table begins on row 2; row 1 above it hold a title: First", "8: Above the table, row 8: Second table"])
        self.assertEqual(self.notes("cells-outside"), ["15: In no table of S1, row 15: checked by Ann"])

    def test_no_cell_is_lost(self) -> None:
        second = [["City", "People"], ["Bern", 130], ["Graz", 290], ["Lyon", 520]]
        layouts = [
            [["T"], [], *SALES, [], ["n"], [], *second],
            [*SALES, [None, None, None, None, "x"], [], *second, [], [1, 2], [3, 4]],
            [*[[*row, None, "far", 1] for row in SALES], [], *second],
            [["a"], [], ["b", "c"], [], *SALES],
        ]
        for rows in layouts:
            reading = self.book(rows)
            held = {str(value) for table in reading.tables for column in table.columns for value in column} | {part for table in reading.tables for name in table.header for part in name.split(" / ")}
            said = " ".join(note.message for table in reading.tables for note in table.notes)
            lost = [value for row in rows for value in row if value is not None and str(value) not in held and str(value) not in said]
            self.assertEqual(lost, [], rows)


class Headers(TablesCase):
    def test_group_names_merged_over_their_columns(self) -> None:
        rows = [["Region", "2023", None, "2024", None], [None, "Q1", "Q2", "Q1", "Q2"], *[[f"R{row}", row, 2, 3, 4] for row in range(5)]]

        def merge(sheet: Any) -> None:
            for area in ("A1:A2", "B1:C1", "D1:E1"):
                sheet.merge_cells(area)

        table = self.table(rows, change=merge)
        self.assertEqual((table.header, table.header_rows), (["Region", "2023 / Q1", "2023 / Q2", "2024 / Q1", "2024 / Q2"], 2))
        self.assertIn("2 rows (1 to 2)", self.notes("header-rows")[0])

    def test_one_group_name_over_most_columns_is_no_title(self) -> None:
        rows = [[None, "Sales by quarter", None, None, None], ["Region", "Q1", "Q2", "Q3", "Q4"], *[[f"R{row}", row, 2, 3, 4] for row in range(5)]]
        table = self.table(rows, change=lambda sheet: sheet.merge_cells("B1:E1"))
        self.assertEqual(table.header, ["Region", *[f"Sales by quarter / Q{number}" for number in range(1, 5)]])

    def test_a_title_merged_over_the_whole_table(self) -> None:
        rows = [["Sales by quarter", None, None, None], ["Region", "Q1", "Q2", "Q3"], *[[f"R{row}", row, 2, 3] for row in range(5)]]
        self.assertEqual(self.table(rows, change=lambda sheet: sheet.merge_cells("A1:D1")).header, ["Region", "Q1", "Q2", "Q3"])
        self.assertIn("Sales by quarter", self.notes("preamble")[0])


class Remarks(TablesCase):
    def test_hidden_rows_and_columns_are_named(self) -> None:
        def hide(sheet: Any) -> None:
            for row in (3, 4):
                sheet.row_dimensions[row].hidden = True
            sheet.column_dimensions["B"].hidden = True

        self.assertEqual(self.table(SALES, change=hide).row_count, 4)
        self.assertEqual(self.notes("hidden-rows-or-columns"), ["3: Hidden in S1: row(s) 3–4 and column(s) B; they are part of the table."])

    def test_merged_cells_in_the_body_are_named(self) -> None:
        rows = [SALES[0], ["North", 1, 0.1], [None, 2, 0.2], [None, 3, 0.3]]
        self.table(rows, change=lambda sheet: sheet.merge_cells("A2:A4"))
        self.assertIn("1 merged range(s): A2:A4", self.notes("merged-cells")[0])

    def test_errors_are_named_with_their_cells(self) -> None:
        rows = [*SALES, ["Abroad", "#DIV/0!", 0.5], ["Home", "#N/A", 0.5]]

        def errors(sheet: Any) -> None:
            for place in ("B6", "B7"):
                sheet[place].data_type = "e"

        self.table(rows, change=errors)
        self.assertEqual(self.notes("spreadsheet-errors"), ["6: 2 cell(s) of S1 hold an error: #DIV/0! in B6, #N/A in B7."])


class OwnTables(TablesCase):
    def test_the_workbooks_own_tables_and_what_lies_beside_them(self) -> None:
        def add(sheet: Any) -> None:
            sheet.add_table(Table(displayName="Sales", ref="A3:C8", totalsRowCount=1))

        rows = [["Report"], [], *SALES, ["Total", 100, 1], [], ["remark"]]
        table = self.table(rows, change=add)
        self.assertEqual((table.name, table.header, table.lines), ("S1", SALES[0], [4, 5, 6, 7]))
        said = " ".join(note.message for note in table.notes)
        for words in ("Report", "Total", "remark"):
            self.assertIn(words, said)

    def test_two_own_tables_and_a_plain_one(self) -> None:
        def add(sheet: Any) -> None:
            sheet.add_table(Table(displayName="One", ref="A1:C5"))
            sheet.add_table(Table(displayName="Two", ref="E1:F4"))

        right = [["City", "People"], ["Bern", 130], ["Graz", 290], ["Lyon", 520]]
        rows = [left + [None] + (right[index] if index < len(right) else []) for index, left in enumerate(SALES)]
        rows += [[], ["Item", "Price"], ["Pen", 1], ["Ink", 2], ["Cup", 3]]
        tables = self.book(rows, change=add).tables
        self.assertEqual([(table.name, table.row_count) for table in tables], [("One", 4), ("Two", 3), ("S1 3", 3)])

    def test_the_sheet_keeps_its_whole_grid(self) -> None:
        reading = self.book([["Title"], [], *SALES, [], ["Source: x"]], [["only"]], [])
        self.assertEqual([[value for row in sheet.rows for value in row if value is not None] for sheet in reading.sheets][0], ["Title", *[value for row in SALES for value in row], "Source: x"])
        self.assertEqual([sheet.name for sheet in reading.sheets], ["S1", "S2", "S3"])
        self.assertTrue(card(self.path)["ok"])


if __name__ == "__main__":
    unittest.main()

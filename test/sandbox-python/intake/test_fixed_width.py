"""Columns that stand at the same positions in every line."""

import unittest

from support import IntakeCase

ROWS = [("John Smith", "New York", 12.5), ("Ann", "Los Angeles", 100), ("Bob van Dyke", "", 3.25), ("Cy", "Rome", 1000.0)] * 4
HEAD = f"{'Name':15} {'City':14} {'Amount':>10}"
BODY = [f"{name:15} {city:14} {amount:10.2f}" for name, city, amount in ROWS]


def page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


class FixedWidth(IntakeCase):
    def test_cells_with_blanks_inside_and_empty_cells(self) -> None:
        frame = self.loaded(page([HEAD, *BODY]), "report.txt")
        self.assertEqual(list(frame.columns), ["Name", "City", "Amount"])
        self.assertEqual(frame["Name"].tolist(), [name for name, _, _ in ROWS])
        self.assertEqual(frame["City"][0], "New York")
        self.assertTrue(frame["City"].isna()[2])
        self.assertEqual(frame["Amount"].sum(), sum(amount for _, _, amount in ROWS))

    def test_rulers_titles_and_sources_are_no_rows(self) -> None:
        lines = ["Sales of the northern region in the year 2024", "", HEAD, "-" * 15 + " " + "-" * 14 + " " + "-" * 10, *BODY, "", "Source: our own books, which nobody audited"]
        frame = self.loaded(page(lines), "report.txt")
        self.assertEqual((len(frame), list(frame.columns)), (16, ["Name", "City", "Amount"]))
        self.assertEqual(self.lines_rejected(frame), [1, 22])
        warnings = self.carded(page(lines), "report.txt")["warnings"]
        self.assertEqual([warning["message"] for warning in warnings if warning["code"] == "rulers"], ["Lines of dashes were left out: line 4."])

    def test_a_line_out_of_its_columns_is_named(self) -> None:
        lines = [HEAD, *BODY]
        lines[5] = "somebody who does not care about columns at all 5.00"
        frame = self.loaded(page(lines), "report.txt")
        self.assertEqual((len(frame), self.lines_rejected(frame)), (15, [6]))

    def test_values_between_single_blanks_are_not_fixed(self) -> None:
        self.assertEqual(self.carded("a b c\n1 2 3\n4 5 6\n7 8 9\n", "x.txt")["kind"], "csv")


if __name__ == "__main__":
    unittest.main()

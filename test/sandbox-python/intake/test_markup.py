"""Tables of web pages and of Markdown."""

import unittest

from support import IntakeCase

from plotline.intake import card
from plotline.intake.model import RawTable
from plotline.intake.reading import read_file


class MarkupCase(IntakeCase):
    def tables(self, content: str, name: str = "t.html") -> list[RawTable]:
        return read_file(self.file(name, content)).tables

    def rows(self, content: str, name: str = "t.html") -> list[list[str]]:
        table, = self.tables(content, name)
        return [table.header, *map(list, zip(*table.columns))]


class Html(MarkupCase):
    def test_spans(self) -> None:
        content = (
            "<html><table><thead><tr><th rowspan=2>Region</th><th colspan='2'>Sales</th></tr>\n<tr><th>2023</th><th>2024</th></tr></thead>\n"
            "<tr><td rowspan=2>North</td><td>1</td><td>2</td></tr>\n<tr><td>3</td><td>4</td></tr>\n<tr><td colspan=2>both</td><td>5</td></tr></table>"
        )
        self.assertEqual(self.rows(content), [["Region", "Sales / 2023", "Sales / 2024"], ["North", "1", "2"], ["North", "3", "4"], ["both", "", "5"]])
        self.assertEqual((self.tables(content)[0].lines, [note.code for note in self.tables(content)[0].notes]), ([3, 4, 5], ["merged-cells"]))

    def test_texts(self) -> None:
        content = "<html><table><tr><th>a</th><th>b</th></tr><tr><td>&euro;&nbsp;5 &lt;x&gt;<br>y</td><td><b>b</b>old<script>no()</script><!-- no --></td></tr></table>"
        self.assertEqual(self.rows(content), [["a", "b"], ["€ 5 <x> y", "bold"]])

    def test_open_ends(self) -> None:
        self.assertEqual(self.rows("<table><tr><td>a<td>b<tr><td>1<td>2<tr><td>3<td>4"), [["a", "b"], ["1", "2"], ["3", "4"]])
        self.assertIn("cut", [note.code for note in read_file(self.file("t.html", "<table><tr><td>a<td>b<tr><td>1<td>2")).notes])
        self.assertEqual(self.rows("<table><td>a</td><td>b</td><tr><td>1</td><td>2</td></tr></table>"), [["a", "b"], ["1", "2"]])

    def test_nested_tables_and_layout(self) -> None:
        inner = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
        content = f"<html><table><tr><td>{inner}</td><td>{inner}</td></tr></table><table><tr><td>menu</td></tr></table>"
        self.assertEqual([table.header for table in self.tables(content)], [["a", "b"], ["a", "b"]])
        self.assertIn("2 table(s)", next(note.message for note in read_file(self.file("t.html", content)).notes if note.code == "layout-tables"))

    def test_cells_of_an_outer_table_stay_beside_an_inner_one(self) -> None:
        inner = "<table><tr><td>x</td><td>y</td></tr><tr><td>7</td><td>8</td></tr></table>"
        content = f"<html><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2{inner}</td></tr></table>"
        self.assertEqual([list(zip(*table.columns)) for table in self.tables(content)], [[("7", "8")], [("1", "2")]])

    def test_a_caption_is_kept(self) -> None:
        table, = self.tables("<html><table><caption>Sales</caption><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>")
        self.assertIn("Sales", table.notes[0].message)

    def test_a_page_saved_as_a_workbook(self) -> None:
        archive = (
            'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n--b\nContent-Type: text/html; charset="us-ascii"\nContent-Transfer-Encoding: quoted-printable\n\n'
            "<html><table><tr><td>a</td><td>b=\n</td></tr><tr><td>1</td><td>2</td></tr></table></html>\n--b--\n"
        )
        self.assertEqual(self.rows(archive, "book.xls"), [["a", "b"], ["1", "2"]])

    def test_pages_without_a_table(self) -> None:
        self.assertIn("no table", card(self.file("t.html", "<html><p>hello</p></html>"))["error"])
        self.assertIn("other files", card(self.file("t.xls", "<html><frameset><frame src='x'></frameset></html>"))["error"])


class Markdown(MarkupCase):
    def test_pipes_alignment_and_fences(self) -> None:
        content = "# t\n\na | b\n--|:-:\n1 | x\\|y\n2 | z\n\n```\n| c | d |\n|---|---|\n| 1 | 2 |\n```\n"
        self.assertEqual(self.rows(content, "t.md"), [["a", "b"], ["1", "x|y"], ["2", "z"]])

    def test_rows_of_another_width_are_named(self) -> None:
        table, = self.tables("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\n| 4 | 5 | 6 |\nseven\n\ntext | text\n", "t.md")
        self.assertEqual((table.columns, [found.line for found in table.rejected]), ([["1"], ["2"]], [4, 5, 6]))

    def test_several_tables(self) -> None:
        content = "| a | b |\n|---|---|\n| 1 | 2 |\n\nand\n\n| c |\n|---|\n| 3 |\n"
        self.assertEqual([(table.header, table.lines) for table in self.tables(content, "t.md")], [(["a", "b"], [3]), (["c"], [9])])


if __name__ == "__main__":
    unittest.main()

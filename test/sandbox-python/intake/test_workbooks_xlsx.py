"""XLSX packages in the forms that other programs than Excel write, and damaged ones."""

import datetime
import io
import unittest
import zipfile
from typing import Any

from support import IntakeCase
from workbook_files import LINKS, MAIN, formats, parts_of, relations, xlsx, zipped

from plotline.intake import card
from plotline.intake.model import CellError, Reading, Sheet
from plotline.intake.reading import read_file


class XlsxCase(IntakeCase):
    def reading(self, content: bytes, name: str = "book.xlsx") -> Reading:
        return read_file(self.file(name, content))

    def only(self, content: bytes) -> Sheet:
        sheet, = self.reading(content).sheets
        return sheet

    def cells(self, content: bytes) -> dict[tuple[int, int], Any]:
        """The cells that hold something, by the sheet's row and column."""
        sheet = self.only(content)
        return {(sheet.row_number(row), sheet.column_number(column)): value for row, cells in enumerate(sheet.rows) for column, value in enumerate(cells) if value is not None}

    def codes(self, content: bytes) -> list[str]:
        return [warning["code"] for warning in card(self.file("book.xlsx", content))["warnings"]]


class Packages(XlsxCase):
    ROWS = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>5</v></c></row>'

    def parts(self) -> dict[str, str | bytes]:
        return parts_of(self.ROWS, strings="<si><t>a</t></si>")

    def assert_reads(self, parts: dict[str, str | bytes], wanted: dict[tuple[int, int], Any] | None = None) -> None:
        self.assertEqual(self.cells(zipped(parts)), wanted or {(1, 1): "a", (1, 2): 5})

    def test_strict_namespaces(self) -> None:
        parts = {name: str(content).replace("http://schemas.openxmlformats.org/officeDocument/2006", "http://purl.oclc.org/ooxml/officeDocument").replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main") for name, content in self.parts().items()}
        self.assert_reads(parts)

    def test_a_prefix_on_every_element(self) -> None:
        parts = self.parts()
        parts["xl/worksheets/sheet1.xml"] = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c><x:c r="B1"><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>'
        parts["xl/sharedStrings.xml"] = f'<x:sst xmlns:x="{MAIN}"><x:si><x:t>a</x:t></x:si></x:sst>'
        parts["xl/workbook.xml"] = f'<x:workbook xmlns:x="{MAIN}" xmlns:q="{LINKS}"><x:sheets><x:sheet name="S" sheetId="1" q:id="rId1"/></x:sheets></x:workbook>'
        self.assert_reads(parts)

    def test_parts_in_utf_16(self) -> None:
        self.assert_reads({name: f'<?xml version="1.0" encoding="UTF-16"?>{content}'.encode("utf-16") for name, content in self.parts().items()})

    def test_odd_targets(self) -> None:
        for target in ("/xl/worksheets/sheet1.xml", "worksheets\\sheet1.xml", "Worksheets/SHEET1.xml", "./worksheets/../worksheets/sheet1.xml"):
            parts = self.parts()
            parts["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", target), ("rId2", "sharedStrings", "sharedStrings.xml"))
            with self.subTest(target):
                self.assert_reads(parts)

    def test_backslashes_in_the_archive(self) -> None:
        self.assert_reads({name.replace("/", "\\"): content for name, content in self.parts().items()})

    def test_missing_parts(self) -> None:
        for missing in ("[Content_Types].xml", "_rels/.rels", "xl/styles.xml", "xl/_rels/workbook.xml.rels"):
            with self.subTest(missing):
                self.assert_reads({name: content for name, content in self.parts().items() if name != missing})

    def test_missing_texts_are_said(self) -> None:
        content = zipped({name: part for name, part in self.parts().items() if name != "xl/sharedStrings.xml"})
        self.assertEqual(self.cells(content), {(1, 2): 5})
        self.assertIn("texts-lost", self.codes(content))

    def test_workbook_and_sheet_in_other_folders(self) -> None:
        parts = self.parts()
        moved = {
            "[Content_Types].xml": '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
            "_rels/.rels": relations(("rId1", "officeDocument", "main/book.xml")),
            "main/book.xml": parts["xl/workbook.xml"],
            "main/_rels/book.xml.rels": relations(("rId1", "worksheet", "/data/one.xml"), ("rId2", "sharedStrings", "../texts.xml")),
            "data/one.xml": parts["xl/worksheets/sheet1.xml"],
            "texts.xml": parts["xl/sharedStrings.xml"],
        }
        self.assert_reads(moved)

    def test_charts_are_named_and_hidden_sheets_listed(self) -> None:
        parts = self.parts()
        parts["xl/workbook.xml"] = f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="C" sheetId="3" r:id="rId9"/><sheet name="A&amp;B" state="veryHidden" sheetId="1" r:id="rId1"/></sheets></workbook>'
        parts["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId9", "chartsheet", "chartsheets/sheet1.xml"))
        reading = self.reading(zipped(parts))
        self.assertEqual([(sheet.name, sheet.hidden) for sheet in reading.sheets], [("A&B", True)])
        self.assertIn("C (chart)", next(note.message for note in reading.notes if note.code == "sheets-without-cells"))

    def test_a_sheet_cut_off_gives_its_rows_and_says_so(self) -> None:
        parts = self.parts()
        parts["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData>{self.ROWS}<row r="2"><c r="A2"><v>7</v></c><c r="B2"><v'
        content = zipped(parts)
        self.assertEqual(self.cells(content), {(1, 1): "a", (1, 2): 5, (2, 1): 7})
        self.assertIn("damaged-sheet", self.codes(content))

    def test_a_damaged_sheet_does_not_hide_the_others(self) -> None:
        parts = self.parts()
        parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace("</sheets>", '<sheet name="T" sheetId="2" r:id="rId4"/></sheets>')
        parts["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml"), ("rId4", "worksheet", "worksheets/sheet2.xml"))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
            archive.writestr("xl/worksheets/sheet2.xml", "<worksheet>MARK</worksheet>")
        reading = self.reading(out.getvalue().replace(b"MARK", b"mark"))
        self.assertEqual([(sheet.name, len(sheet.rows)) for sheet in reading.sheets], [("S", 1), ("T", 0)])
        self.assertIn("damaged-sheet", [note.code for note in reading.notes])

    def test_document_types_are_refused(self) -> None:
        parts = self.parts()
        parts["xl/sharedStrings.xml"] = '<!DOCTYPE sst [<!ENTITY a "b">]><sst><si><t>&a;</t></si></sst>'
        self.assertIn("document type", card(self.file("bomb.xlsx", zipped(parts)))["error"])


class Cells(XlsxCase):
    def test_types(self) -> None:
        rows = (
            '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="str"><f>X</f><v>a&amp;b&#10;c</v></c><c r="D1" t="b"><v>1</v></c>'
            '<c r="E1" t="e"><v>#DIV/0!</v></c><c r="F1" t="d"><v>2024-03-01T00:00:00Z</v></c><c r="G1" t="inlineStr"><is><r><t>in</t></r><r><t xml:space="preserve"> line</t></r></is></c>'
            '<c r="H1"><v>1E3</v></c><c r="I1"><v>-12</v></c><c r="J1"><v>0.1</v></c><c r="K1" t="str"><v>tab_x0009__x005F_x0041_</v></c><c r="L1" t="n"><v> 7 </v></c></row>'
        )
        strings = "<si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r><rPh sb='0' eb='1'><t>NO</t></rPh></si><si><t xml:space='preserve'> </t></si>"
        wanted = ["rich", " ", "a&b\nc", True, CellError("#DIV/0!"), datetime.datetime(2024, 3, 1), "in line", 1000.0, -12, 0.1, "tab\t_x0041_", 7]
        self.assertEqual(list(self.cells(xlsx(rows, strings=strings)).values()), wanted)

    def test_the_quick_way_and_the_parser_agree(self) -> None:
        rows = '<row r="2" hidden="1"><c r="B2" s="1"><v>45352</v></c><c r="C2" t="s"><v>0</v></c><c r="D2" t="str"><f>A&amp;B</f><v></v></c><c r="E2"><f>1+1</f></c></row><row r="3"/>'
        given = {"strings": "<si><t>x &lt; y_x000D_</t></si>", "styles": formats(0, 14)}
        quick, parsed = self.only(xlsx(rows, **given)), self.only(xlsx(f"<!-- not plain -->{rows}", **given))
        self.assertEqual(quick, parsed)
        self.assertEqual((quick.rows, quick.hidden_rows, quick.formulas_without_values), ([[datetime.datetime(2024, 3, 1), "x < y\r"]], [2], [(2, 5)]))

    def test_cells_and_rows_without_references(self) -> None:
        self.assertEqual(self.cells(xlsx("<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>")), {(1, 1): 1, (1, 2): 2, (2, 1): 3})
        self.assertEqual(self.cells(xlsx('<row><c r="B7"><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>')), {(7, 2): 1, (7, 3): 2, (8, 1): 3})

    def test_rows_out_of_order_and_cells_twice(self) -> None:
        content = xlsx('<row r="3"><c r="B3"><v>4</v></c><c r="A3"><v>3</v></c></row><row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>')
        self.assertEqual(self.cells(content), {(1, 1): 2, (3, 1): 3, (3, 2): 4})
        self.assertIn("cells-twice", self.codes(content))

    def test_far_cells_do_not_make_a_huge_grid(self) -> None:
        content = xlsx('<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="1048576"><c r="XFD1048576"><v>9</v></c></row>')
        self.assertEqual(self.cells(content), {(1, 1): "a", (1048576, 16384): 9})
        self.assertIn("far-cells", self.codes(content))

    def test_cells_beyond_the_sheet_are_kept_and_said(self) -> None:
        content = xlsx('<row r="1"><c r="ZZZ1"><v>1</v></c></row><row r="2000000"><c r="A2000000"><v>2</v></c></row>')
        self.assertEqual(sorted(self.cells(content).values()), [1, 2])
        self.assertIn("beyond-the-sheet", self.codes(content))

    def test_what_is_no_number_stays_text(self) -> None:
        self.assertEqual(list(self.cells(xlsx('<row r="1"><c r="A1"><v>1_000</v></c><c r="B1"><v>abc</v></c><c r="C1"><v>NaN</v></c></row>')).values()), ["1_000", "abc"])

    def test_formulas_without_values_are_named_with_their_cells(self) -> None:
        content = xlsx('<row r="1"><c r="A1" t="str"><v>k</v></c><c r="B1" t="str"><v>v</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2"><f t="shared" ref="B2:B3" si="0">A2*2</f></c></row><row r="3"><c r="A3"><v>2</v></c><c r="B3"><f t="shared" si="0"/><v/></c></row>')
        message = next(warning["message"] for warning in card(self.file("b.xlsx", content))["warnings"] if warning["code"] == "formulas-without-values")
        self.assertIn("2 formula(s) of S have no stored value and are missing: B2, B3", message)


if __name__ == "__main__":
    unittest.main()

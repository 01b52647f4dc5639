"""Workbooks of other kinds: XLSB, encrypted ones, Excel's XML of 2003, OpenDocument."""

import datetime
import io
import struct
import unittest
from typing import Any

import msoffcrypto.format.ooxml
import odf.opendocument
import odf.table
import odf.text
import openpyxl
from support import IntakeCase
from workbook_files import ole, record12, relations, wide, zipped

from plotline.intake import card
from plotline.intake.model import CellError, Reading
from plotline.intake.number_formats import Elapsed
from plotline.intake.reading import read_file

DAY = datetime.datetime(2024, 3, 1)


def read(case: IntakeCase, content: str | bytes, name: str) -> Reading:
    return read_file(case.file(name, content))


class Binary(IntakeCase):
    def test_cells_styles_and_hidden_sheets(self) -> None:
        def cell(kind: int, column: int, body: bytes, style: int = 0) -> bytes:
            return record12(kind, struct.pack("<II", column, style) + body)

        row = record12(0, struct.pack("<IIHBB", 2, 0, 300, 0, 0x10) + bytes(5))
        cells = [
            cell(7, 0, struct.pack("<I", 0)), cell(5, 1, struct.pack("<d", 45352), 1), cell(2, 2, struct.pack("<I", 125 << 2 | 3)), cell(6, 3, wide("direct")),
            cell(4, 4, b"\1"), cell(3, 5, b"\7"), cell(8, 6, wide("text") + bytes(8)), cell(9, 7, struct.pack("<d", 2.5)), cell(1, 8, b""),
        ]  # fmt: skip
        merged = record12(177, struct.pack("<I", 1)) + record12(176, struct.pack("<IIII", 2, 3, 0, 0))
        sheet = record12(129) + record12(60, struct.pack("<IIIIH", 1, 1, 0, 0, 1)) + record12(145) + row + b"".join(cells) + record12(146) + merged + record12(130)
        styles = record12(44, struct.pack("<H", 170) + wide("yyyy\\-mm")) + record12(617) + record12(47, bytes(16)) + record12(47, struct.pack("<HH", 0, 170) + bytes(12)) + record12(618)
        content = zipped(
            {
                "[Content_Types].xml": '<Types><Default ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
                "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.bin")),
                "xl/workbook.bin": record12(156, struct.pack("<II", 2, 1) + wide("rId1") + wide("Tief")) + record12(156, struct.pack("<II", 0, 2) + wide("rId2") + wide("Chart")),
                "xl/_rels/workbook.bin.rels": relations(("rId1", "worksheet", "worksheets/sheet1.bin"), ("rId2", "chartsheet", "x.bin"), ("rId3", "sharedStrings", "sharedStrings.bin"), ("rId4", "styles", "styles.bin")),
                "xl/worksheets/sheet1.bin": sheet,
                "xl/sharedStrings.bin": record12(159, bytes(8)) + record12(19, b"\0" + wide("shared")) + record12(160),
                "xl/styles.bin": styles,
            }
        )
        found, = read(self, content, "book.xlsb").sheets
        self.assertEqual((found.name, found.hidden, found.first_row, found.hidden_rows, found.hidden_columns, found.merges), ("Tief", True, 3, [3], [2], [(3, 1, 4, 1)]))
        self.assertEqual(found.rows, [["shared", DAY, 1.25, "direct", True, CellError("#DIV/0!"), "text", 2.5]])

    def test_a_damaged_one_is_refused_in_words(self) -> None:
        self.assertIn("incomplete", card(self.file("b.xlsb", zipped({"xl/workbook2.bin": b"\1"})))["error"])


class Encrypted(IntakeCase):
    def encrypted(self, password: str) -> bytes:
        book, plain, out = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
        book.active["A1"] = 5
        book.save(plain)
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt(password, out)
        return out.getvalue()

    def test_excels_own_password_opens(self) -> None:
        self.assertEqual(read(self, self.encrypted("VelvetSweatshop"), "b.xlsx").sheets[0].rows, [[5]])

    def test_another_password_is_asked_for(self) -> None:
        self.assertIn("password-protected", card(self.file("b.xlsx", self.encrypted("secret")))["error"])

    def test_billions_of_rounds_are_not_run(self) -> None:
        info = b'\4\0\4\0\x40\0\0\0<encryption><keyData/><keyEncryptors><p:encryptedKey spinCount="4000000000"/></keyEncryptors></encryption>'
        found = card(self.file("b.xlsx", ole({"EncryptionInfo": info, "EncryptedPackage": bytes(100)})))
        self.assertIn("password-protected", found["error"])
        self.assertLess(found["seconds"], 5)


SHEETS = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel"><Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style>
<Style ss:ID="e"><NumberFormat ss:Format="[h]:mm"/></Style></Styles>
<Worksheet ss:Name="A&amp;B"><Table><Row><Cell><Data ss:Type="String">key</Data><Comment><ss:Data>not a cell</ss:Data></Comment></Cell>
<Cell ss:Index="3"><Data ss:Type="String">day</Data></Cell><Cell><Data ss:Type="String">&lt;x&gt;</Data></Cell></Row>
<Row ss:Index="3"><Cell ss:MergeAcross="1"><Data ss:Type="Number">1.5</Data></Cell><Cell ss:StyleID="d"><Data ss:Type="DateTime">2024-03-01T00:00:00.000</Data></Cell></Row>
<Row ss:Hidden="1"><Cell><ss:Data ss:Type="String"><B>bo</B>ld</ss:Data></Cell><Cell ss:Formula="=1"/><Cell ss:StyleID="d"><Data ss:Type="Number">45352</Data></Cell>
<Cell ss:StyleID="e"><Data ss:Type="DateTime">1900-01-01T02:00:00.000</Data></Cell></Row>
<Row><Cell><Data ss:Type="Boolean">1</Data></Cell><Cell><Data ss:Type="Error">#REF!</Data></Cell></Row></Table></Worksheet>
<Worksheet ss:Name="B"><Table/><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet></Workbook>"""


class XmlOf2003(IntakeCase):
    ROWS = [["key", None, "day", "<x>"], [None] * 4, [1.5, None, DAY, None], ["bold", None, DAY, Elapsed(hours=26)], [True, CellError("#REF!"), None, None]]

    def test_types_places_and_hidden_sheets(self) -> None:
        for content in (SHEETS.encode(), SHEETS.replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")):
            first, second = read(self, content, "book.xls").sheets
            self.assertEqual((first.name, first.rows, second.name, second.hidden), ("A&B", self.ROWS, "B", True))
            self.assertEqual((first.merges, first.hidden_rows, first.formulas_without_values), ([(3, 1, 3, 2)], [4], [(4, 2)]))

    def test_cut_off(self) -> None:
        reading = read(self, SHEETS[: SHEETS.index("<Row ss:Hidden")], "book.xml")
        self.assertEqual(reading.sheets[0].rows, self.ROWS[:3])
        self.assertIn("damaged-sheet", [note.code for note in reading.notes])


FLAT = """<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles><style:style style:name="ta2"><style:table-properties table:display="false"/></style:style></office:automatic-styles><office:body><office:spreadsheet>%s</office:spreadsheet></office:body></office:document>"""


class OpenDocument(IntakeCase):
    def rows(self, xml: str) -> list[list[Any]]:
        return read(self, FLAT % f'<table:table table:name="S">{xml}</table:table>', "t.fods").sheets[0].rows

    def test_types(self) -> None:
        cells = (
            '<table:table-cell office:value-type="percentage" office:value="0.5"><text:p>50%</text:p></table:table-cell><table:table-cell office:value-type="currency" office:value="12"/>'
            '<table:table-cell office:value-type="date" office:date-value="2024-03-01"/><table:table-cell office:value-type="time" office:time-value="PT26H30M00S"/>'
            '<table:table-cell office:value-type="time" office:time-value="PT08H30M00S"/><table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
            '<table:table-cell table:formula="of:=1/0" office:value-type="string"><text:p>#DIV/0!</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>#N/A</text:p></table:table-cell>'
        )
        self.assertEqual(self.rows(f"<table:table-row>{cells}</table:table-row>"), [[0.5, 12, DAY, Elapsed(hours=26, minutes=30), datetime.time(8, 30), True, CellError("#DIV/0!"), "#N/A"]])

    def test_texts_without_their_notes(self) -> None:
        cell = '<table:table-cell office:value-type="string"><office:annotation><text:p>NOTE</text:p></office:annotation><text:p>a  <text:span>b</text:span><text:s text:c="2"/>c\n</text:p><text:p>d</text:p></table:table-cell>'
        self.assertEqual(self.rows(f"<table:table-row>{cell}</table:table-row>"), [["a b  c \nd"]])

    def test_repeated_and_covered_cells(self) -> None:
        row = '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3" office:value-type="float" office:value="1"/><table:covered-table-cell office:value-type="float" office:value="2"/><table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        far = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        self.assertEqual(self.rows(row + far), [[1, 1, 1, 2]] * 2)

    def test_a_value_repeated_to_the_edge_is_said(self) -> None:
        xml = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="1000"/></table:table-row>'
        reading = read(self, FLAT % f'<table:table table:name="S">{xml}</table:table>', "t.fods")
        self.assertEqual((reading.sheets[0].rows, [note.code for note in reading.notes if note.code == "repeated-cells"]), ([[1]], ["repeated-cells"]))

    def test_hidden_sheets_and_rows(self) -> None:
        cell = '<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>'
        xml = f'<table:table table:name="A"><table:table-row>{cell % "x"}</table:table-row><table:table-row table:visibility="collapse">{cell % "y"}</table:table-row></table:table>'
        xml += f'<table:table table:name="H" table:style-name="ta2"><table:table-row>{cell % "z"}</table:table-row></table:table>'
        first, second = read(self, FLAT % xml, "t.fods").sheets
        self.assertEqual((first.hidden_rows, second.name, second.hidden, second.rows), ([2], "H", True, [["z"]]))

    def test_a_librarys_own_file(self) -> None:
        document = odf.opendocument.OpenDocumentSpreadsheet()
        table = odf.table.Table(name="Liste")
        for words in (("a", "b"), ("c", "d")):
            row = odf.table.TableRow()
            for word in words:
                cell = odf.table.TableCell(valuetype="string")
                cell.addElement(odf.text.P(text=word))
                row.addElement(cell)
            table.addElement(row)
        document.spreadsheet.addElement(table)
        out = io.BytesIO()
        document.write(out)
        sheet, = read(self, out.getvalue(), "t.ods").sheets
        self.assertEqual((sheet.name, sheet.rows), ("Liste", [["a", "b"], ["c", "d"]]))

    def test_passwords_and_apples_documents_are_refused_in_words(self) -> None:
        locked = zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"\1\2", "META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"})
        self.assertIn("password-protected", card(self.file("t.ods", locked))["error"])
        self.assertIn("Export To > Excel", card(self.file("t.numbers", zipped({"Index/Document.iwa": b"x"})))["error"])


if __name__ == "__main__":
    unittest.main()

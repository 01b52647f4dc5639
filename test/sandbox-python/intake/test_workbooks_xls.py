"""XLS of all ages as record streams: what Excel 2 to 2003 and other programs wrote."""

import datetime
import io
import struct
import unittest

import xlwt
from support import IntakeCase
from workbook_files import EOF, biff, bof, ole, record

from plotline.intake import card
from plotline.intake.model import CellError, Reading, Sheet
from plotline.intake.reading import read_file

FORMAT = record(0x41E, struct.pack("<HHB", 200, 10, 0) + b"yyyy-mm-dd")
STYLES = record(0xE0, struct.pack("<HH16x", 0, 0)) + record(0xE0, struct.pack("<HH16x", 0, 200))


def number(row: int, column: int, value: float, style: int = 0) -> bytes:
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


def shared(row: int, column: int, index: int) -> bytes:
    return record(0xFD, struct.pack("<HHHI", row, column, 0, index))


def formula(row: int, column: int, result: bytes) -> bytes:
    return record(0x06, struct.pack("<HHH", row, column, 0) + result + bytes(6))


class XlsCase(IntakeCase):
    def reading(self, content: bytes, name: str = "book.xls") -> Reading:
        return read_file(self.file(name, content))

    def sheet(self, content: bytes) -> Sheet:
        sheet, = self.reading(content).sheets
        return sheet

    def rows(self, records: bytes, global_records: bytes = b"") -> list[list[object]]:
        return self.sheet(biff(8, [("S", 0, 0, records)], FORMAT + STYLES + global_records)).rows


class Biff8(XlsCase):
    def test_numbers_in_all_their_forms(self) -> None:
        rk = struct.pack("<HHHI", 0, 1, 0, 1234 << 2 | 3)  # 12.34 as hundredths of a whole number
        multiple = struct.pack("<HHHIHIH", 0, 2, 0, 7 << 2 | 2, 1, 45352 << 2 | 2, 3)
        upper = struct.pack("<HHHI", 0, 4, 0, struct.unpack("<II", struct.pack("<d", -1.5))[1])
        found = self.rows(number(0, 0, 1e300) + record(0x27E, rk) + record(0xBD, multiple) + record(0x27E, upper))
        self.assertEqual(found, [[1e300, 12.34, 7, datetime.datetime(2024, 3, 1), -1.5]])

    def test_texts_that_go_on_in_the_next_record(self) -> None:
        # The first goes on narrow, the second wide, and the third has formatting and phonetic parts behind it.
        first = struct.pack("<IIHB", 3, 3, 6, 0) + b"abc"
        second = b"\0def" + struct.pack("<HB", 4, 1) + "é€".encode("utf-16-le")
        third = b"\0" + b"xy" + struct.pack("<HBHI", 2, 12, 1, 4) + b"ok" + bytes(8)
        found = self.rows(shared(0, 0, 0) + shared(0, 1, 1) + shared(0, 2, 2), record(0xFC, first, second, third))
        self.assertEqual(found, [["abcdef", "é€xy", "ok"]])

    def test_a_damaged_table_of_texts_is_said(self) -> None:
        content = biff(8, [("S", 0, 0, shared(0, 0, 0) + shared(0, 1, 1))], record(0xFC, struct.pack("<IIHB", 2, 2, 1, 0) + b"a" + struct.pack("<HB", 90, 0) + b"b"))
        self.assertEqual(self.sheet(content).rows, [["a"]])
        self.assertIn("texts-lost", [note.code for note in self.reading(content).notes])

    def test_results_of_formulas(self) -> None:
        text = formula(0, 0, b"\0\0\0\0\0\0\xff\xff") + record(0x4BC, bytes(10)) + record(0x207, struct.pack("<HB", 3, 0) + b"yes")
        others = formula(0, 1, b"\1\0\1\0\0\0\xff\xff") + formula(0, 2, b"\2\0\x07\0\0\0\xff\xff") + formula(0, 3, b"\3\0\0\0\0\0\xff\xff") + formula(0, 4, struct.pack("<d", 2.5))
        self.assertEqual(self.rows(text + others), [["yes", True, CellError("#DIV/0!"), None, 2.5]])

    def test_charts_inside_a_sheet_and_charts_as_sheets(self) -> None:
        inside = bof(8, 0x20) + number(0, 0, 99) + EOF
        content = biff(8, [("Chart", 0, 2, number(0, 0, 1)), ("S", 2, 0, inside + number(0, 0, 5))])
        reading = self.reading(content)
        self.assertEqual([(sheet.name, sheet.hidden, sheet.rows) for sheet in reading.sheets], [("S", True, [[5]])])
        self.assertIn("Chart (chart)", [note.message for note in reading.notes if note.code == "sheets-without-cells"][0])

    def test_hidden_rows_and_columns_and_merged_cells(self) -> None:
        hidden = record(0x208, struct.pack("<HHHHHHHH", 1, 0, 2, 255, 0, 0, 0x20, 0)) + record(0x7D, struct.pack("<HHHHHH", 1, 1, 0, 0, 1, 0))
        merged = record(0xE5, struct.pack("<HHHHH", 1, 0, 1, 0, 0))
        sheet = self.sheet(biff(8, [("S", 0, 0, hidden + number(0, 0, 1) + number(1, 1, 2) + merged)]))
        self.assertEqual((sheet.hidden_rows, sheet.hidden_columns, sheet.merges), ([2], [2], [(1, 1, 2, 1)]))

    def test_sheets_that_are_not_where_the_list_says(self) -> None:
        content = bytearray(biff(8, [("A", 0, 0, number(0, 0, 1)), ("B", 0, 0, number(0, 0, 2))]))
        for place in (content.find(b"\1\0A") - 6, content.find(b"\1\0B") - 6):
            struct.pack_into("<I", content, place, 7)
        self.assertEqual([(sheet.name, sheet.rows) for sheet in self.reading(bytes(content)).sheets], [("A", [[1]]), ("B", [[2]])])

    def test_records_cut_short_are_counted(self) -> None:
        content = biff(8, [("S", 0, 0, number(0, 0, 1) + record(0x203, b"\1\0\0") + number(2, 0, 3))])
        self.assertEqual(self.sheet(content).rows, [[1], [None], [3]])
        self.assertIn("damaged-sheet", [note.code for note in self.reading(content).notes])

    def test_names_of_the_stream_and_no_container(self) -> None:
        stream = biff(8, [("S", 0, 0, number(0, 0, 1))])
        for content in (ole({"Workbook": stream}), ole({"WORKBOOK": stream}), ole({"Book": stream}), stream):
            self.assertEqual(self.sheet(content).rows, [[1]])

    def test_a_truncated_container_gives_what_it_holds(self) -> None:
        whole = ole({"Workbook": biff(8, [("S", 0, 0, b"".join(number(row, 0, row) for row in range(600)))])})
        found = card(self.file("cut.xls", whole[:8000]))
        self.assertTrue(found["ok"])
        self.assertGreater(found["tables"][0]["rows"], 100)

    def test_days_counted_from_1904(self) -> None:
        self.assertEqual(self.rows(number(0, 0, 43890, 1), record(0x22, struct.pack("<H", 1))), [[datetime.datetime(2024, 3, 1)]])

    def test_a_password_is_said(self) -> None:
        for content in (biff(8, [("S", 0, 0, b"")], record(0x2F, bytes(54))), ole({"Workbook": biff(8, [("S", 0, 0, b"")], record(0x2F, bytes(54)))})):
            self.assertIn("password-protected", card(self.file("locked.xls", content))["error"])


class Older(XlsCase):
    def test_biff_5_in_code_pages(self) -> None:
        for page, text in ((1251, "Привет".encode("cp1251")), (932, "東京".encode("cp932")), (10000, "Müller".encode("mac_roman")), (1253, "Αθήνα".encode("cp1253"))):
            label = record(0x204, struct.pack("<HHHH", 0, 0, 0, len(text)) + text) + record(0xD6, struct.pack("<HHHH", 0, 1, 0, len(text)) + text + b"\1\0\0")
            codec = {932: "cp932", 10000: "mac_roman"}.get(page, f"cp{page}")
            rows = self.sheet(biff(5, [("S", 0, 0, label)], record(0x42, struct.pack("<H", page)))).rows
            self.assertEqual(rows, [[text.decode(codec)] * 2])

    def test_biff_2(self) -> None:
        formats = record(0x1E, b"\7General") + record(0x1E, b"\x08yyyy-m-d")
        styles = record(0x43, b"\0\0\0\0") + record(0x43, b"\0\0\1\0")
        cells = record(0x02, struct.pack("<HH3sH", 0, 0, b"\0\0\0", 7)) + record(0x03, struct.pack("<HH3sd", 0, 1, b"\1\0\0", 45352)) + record(0x04, struct.pack("<HH3sB", 1, 0, b"\0\0\0", 2) + b"hi")
        bools = record(0x05, struct.pack("<HH3sBB", 1, 1, b"\0\0\0", 1, 0)) + record(0x06, struct.pack("<HH3s8sB", 2, 0, b"\0\0\0", b"\0\0\0\0\0\0\xff\xff", 0)) + record(0x07, b"\3abc")
        sheet = self.sheet(bof(2, 0x10) + formats + styles + cells + bools + EOF)
        self.assertEqual((sheet.name, sheet.rows), ("book", [[7, datetime.datetime(2024, 3, 1)], ["hi", True], ["abc", None]]))

    def test_biff_3_and_4(self) -> None:
        for version, style, kind in ((3, 0x243, 0x206), (4, 0x443, 0x406)):
            formats = record(0x1E, b"\7General") + record(0x1E, b"\4h:mm") if version == 3 else record(0x41E, b"\0\0\7General") + record(0x41E, b"\0\0\4h:mm")
            styles = record(style, bytes(12)) + record(style, b"\0\1" + bytes(10))
            cells = number(0, 0, 0.5, 1) + record(0x204, struct.pack("<HHHH", 0, 1, 0, 2) + b"ok") + record(kind, struct.pack("<HHHdH", 0, 2, 0, 4.0, 0))
            self.assertEqual(self.sheet(bof(version, 0x10) + formats + styles + cells + EOF).rows, [[datetime.time(12), "ok", 4]])

    def test_a_library_s_own_workbook(self) -> None:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Übersicht")
        date = xlwt.easyxf(num_format_str="D-MMM-YY")
        for row in range(300):
            sheet.write(row, 0, f"näme {row} " * 40)
            sheet.write(row, 1, datetime.datetime(2024, 3, 1), date)
        out = io.BytesIO()
        book.save(out)
        found = self.sheet(out.getvalue())
        self.assertEqual((found.name, len(found.rows), found.rows[299]), ("Übersicht", 300, ["näme 299 " * 40, datetime.datetime(2024, 3, 1)]))


if __name__ == "__main__":
    unittest.main()

"""Workbooks and documents with bytes changed at random: read or refused in words, soon, and never with another error."""

import io
import random
import time
import unittest
import zipfile

import openpyxl
import xlwt
from support import IntakeCase
from test_workbooks_others import FLAT, SHEETS
from workbook_files import record12, relations, wide, zipped

from plotline.intake.model import Unreadable
from plotline.intake.reading import read_file

ROUNDS = 60
LONGEST_SECONDS = 10


def seeds() -> dict[str, bytes]:
    """A small file of each kind."""
    book, out, old, other = openpyxl.Workbook(), io.BytesIO(), xlwt.Workbook(), io.BytesIO()
    sheet = old.add_sheet("S")
    for row in range(30):
        book.active.append([f"name {row % 7}", row * 1.5, row % 2 == 0, "=A1"])
        for column, value in enumerate((f"name {row}", row * 1.5, row, xlwt.Formula("A1+1"))):
            sheet.write(row, column, value)
    book.active.merge_cells("A3:B4")
    book.save(out)
    old.save(other)
    cells = '<table:table table:name="S"><table:table-row table:number-rows-repeated="3"><table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="4"/></table:table-row></table:table>'
    binary = {
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.bin")),
        "xl/workbook.bin": record12(156, bytes(8) + wide("rId1") + wide("S")),
        "xl/_rels/workbook.bin.rels": relations(("rId1", "worksheet", "s.bin")),
        "xl/s.bin": b"".join(record12(0, bytes([row]) + bytes(12)) + record12(6, bytes(8) + wide(f"t{row}")) for row in range(20)),
    }
    records = ",\n".join(f'{{"id": {number}, "t": "x{number}", "n": {{"k": [1, {{"m": null}}]}}}}' for number in range(20))
    page = "<html>" + "<table><tr><th rowspan=2 colspan=3>a<tr><td>1<td>2</tr><tr><td colspan=900>x</td></tr></table>" * 5
    return {
        "a.xlsx": out.getvalue(),
        "a.xls": other.getvalue(),
        "a.xlsb": zipped(binary),
        "a.fods": (FLAT % cells).encode(),
        "a.xml": SHEETS.encode(),
        "a.json": f"[{records}]".encode(),
        "a.jsonl": records.replace("},\n", "}\n").encode(),
        "a.html": page.encode(),
        "a.md": b"| a | b |\n|---|---|\n" + b"| 1 | x\\|y |\n" * 20,
        "a.zip": zipped({"a.csv": "a,b\n1,2\n" * 30, "b/c.json": f"[{records}]"}),
    }


def changed(data: bytes, chance: random.Random) -> bytes:
    """The bytes with some set, cut out or put in."""
    if chance.random() < 0.15:
        return data[: chance.randrange(len(data))]
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 30))):
        at = chance.randrange(len(out) or 1)
        if chance.random() < 0.7:
            out[at : at + 1] = bytes([chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))])
        elif chance.random() < 0.5:
            del out[at : at + chance.randrange(1, 20)]
        else:
            out[at:at] = out[at : at + chance.randrange(1, 60)]
    return bytes(out)


def repacked(data: bytes, chance: random.Random) -> bytes:
    """A zip with one of its parts changed and all checksums right."""
    source = zipfile.ZipFile(io.BytesIO(data))
    names = source.namelist()
    chosen = chance.choice(names)
    return zipped({name: changed(source.read(name), chance) if name == chosen and source.getinfo(name).file_size else source.read(name) for name in names})


class Changed(IntakeCase):
    def test_changed_bytes(self) -> None:
        read = 0
        for name, data in seeds().items():
            read_file(self.file(name, data))
            for seed in range(ROUNDS):
                chance = random.Random(f"{name} {seed}")
                content = repacked(data, chance) if data.startswith(b"PK") and seed % 3 else changed(data, chance)
                start = time.monotonic()
                with self.subTest(name=name, seed=seed):
                    try:
                        read_file(self.file(name, content))
                        read += 1
                    except Unreadable as refusal:
                        self.assertGreater(len(str(refusal)), 20)
                    self.assertLess(time.monotonic() - start, LONGEST_SECONDS)
        self.assertGreater(read, ROUNDS)


class Hostile(IntakeCase):
    def refused(self, content: str, name: str) -> str:
        with self.assertRaises(Unreadable) as caught:
            read_file(self.file(name, content))
        return str(caught.exception)

    def test_records_that_have_no_key_in_common(self) -> None:
        records = ",".join("{" + ",".join(f'"k{row}_{key}":1' for key in range(40)) + "}" for row in range(500))
        self.assertIn("20,000 columns", self.refused(f"[{records}]", "a.json"))

    def test_spans_that_multiply(self) -> None:
        self.assertIn("columns", self.refused("<html><table>" + "<tr><td colspan=1000 rowspan=1000>x" * 60_000, "a.html"))

    def test_repeats_that_multiply(self) -> None:
        row = '<table:table-row table:number-rows-repeated="9"><table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="11000"/></table:table-row>'
        self.assertIn("cells", self.refused(FLAT % f'<table:table table:name="S">{row * 200}</table:table>', "a.fods"))


if __name__ == "__main__":
    unittest.main()

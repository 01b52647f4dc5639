"""Small valid files of every kind that the loader reads."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Mapping
from typing import Protocol

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

class Saves(Protocol):
    def save(self, to: io.BytesIO) -> None: ...


HEADER = ["id", "city", "amount", "day", "note"]
ROWS = [[index, ["Zürich", "São Paulo", "Oslo"][index % 3], index * 1.25, f"2024-03-{index % 28 + 1:02d}", 'a, "b"' if index % 7 == 0 else "plain"] for index in range(1, 41)]


def seeds() -> Mapping[str, bytes]:
    """File name -> content."""
    plain = _delimited(",")
    cells = [[str(value) for value in row] for row in [HEADER, *ROWS]]
    fixed = "\n".join("".join(value.ljust(12) for value in row).rstrip() for row in cells) + "\n"
    markup = "".join("<tr>" + "".join(f"<td>{value}</td>" for value in row) + "</tr>" for row in cells)
    marked = "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], ["---"] * 5, *cells[1:]]) + "\n"
    objects = [dict(zip(HEADER, row)) | {"more": {"x": [1, 2], "y": None}} for row in ROWS]
    return {
        "plain.csv": plain.encode(),
        "western.csv": _delimited(";").encode("cp1252"),
        "wide.csv": _delimited("\t").encode("utf-16"),
        "marked.tsv": b"\xef\xbb\xbf" + _delimited("\t").encode(),
        "japanese.csv": "名前,都市,数\n".encode("shift_jis") + "".join(f"田中{n},東京,{n}\n" for n in range(30)).encode("shift_jis"),
        "fixed.txt": fixed.encode(),
        "book.xlsx": _xlsx(),
        "book.xls": _xls(),
        "book.ods": _ods(),
        "list.json": json.dumps(objects).encode(),
        "lines.jsonl": "\n".join(map(json.dumps, objects)).encode(),
        "files.zip": _zip({"a.csv": plain.encode(), "b/c.json": json.dumps(objects).encode(), "d.xlsx": _xlsx()}),
        "plain.csv.gz": gzip.compress(plain.encode(), mtime=0),
        "plain.csv.bz2": bz2.compress(plain.encode()),
        "plain.csv.xz": lzma.compress(plain.encode()),
        "page.html": f"<html><body><table>{markup}</table></body></html>".encode(),
        "table.md": marked.encode(),
        "book.xml": _xml(cells),
    }


def _delimited(delimiter: str) -> str:
    def field(value: object) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if '"' in text or delimiter in text else text

    return "".join(delimiter.join(map(field, row)) + "\r\n" for row in [HEADER, *ROWS])


def _xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [HEADER, *ROWS]:
        sheet.append(row)
    sheet.merge_cells("A44:B45")
    sheet["F2"] = "=SUM(C2:C9)"
    book.create_sheet("second")["C3"] = "x"
    return _saved(book)


def _xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("first")
    for number, row in enumerate([HEADER, *ROWS]):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    sheet.write(2, 6, xlwt.Formula("SUM(C2:C9)"))
    return _saved(book)


def _ods() -> bytes:
    book = OpenDocumentSpreadsheet()
    table = Table(name="first")
    for row in [HEADER, *ROWS]:
        line = TableRow()
        for value in row:
            cell = TableCell(valuetype="float", value=value) if isinstance(value, int | float) else TableCell(valuetype="string")
            cell.addElement(P(text=str(value)))
            line.addElement(cell)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    return _saved(book)


def _xml(cells: list[list[str]]) -> bytes:
    rows = "".join("<Row>" + "".join(f'<Cell><Data ss:Type="String">{value}</Data></Cell>' for value in row) + "</Row>" for row in cells)
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'<?xml version="1.0"?><Workbook xmlns="{name}" xmlns:ss="{name}"><Worksheet ss:Name="s"><Table>{rows}</Table></Worksheet></Workbook>'.encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _saved(book: Saves) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

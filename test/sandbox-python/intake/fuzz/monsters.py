"""Files in the worst shapes, of a given size. Time that grows with the square of the size shows here."""

import io
import zipfile
from collections.abc import Callable

from fuzz.workbooks import ods_members, xlsx_members, zipped

_BOMB_RATIO = 600
"""Bytes that a bomb holds for each one of its asked size."""


def _times(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: piece * (size // len(piece))


def _after(head: bytes, piece: bytes) -> Callable[[int], bytes]:
    return lambda size: head + piece * (size // len(piece))


def _nested(head: bytes, left: bytes, middle: bytes, right: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    def make(size: int) -> bytes:
        depth = size // (len(left) + len(right))
        return head + left * depth + middle + right * depth + tail

    return make


def _xlsx(part: str, make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return lambda size: zipped(xlsx_members() | {part: make(size)})


_SHEET = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'

SHAPES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "all quotes": ("x.csv", _times(b'"')),
    "quote and line end": ("x.csv", _times(b'"\n')),
    "quote, delimiter": ("x.csv", _times(b'",')),
    "quote, delimiter, line end": ("x.csv", _times(b'",\n')),
    "each line opens a quote": ("x.csv", _after(b"a,b,c\n", b'1,"x,2\n')),
    "each line opens a quote in its last field": ("x.csv", _after(b"a,b,c\n", b'1,x,"2\n')),
    "three quotes a line": ("x.csv", _after(b"a,b,c\n", b'1,"x"y",2\n')),
    "one line": ("x.csv", _times(b"abcde fgh,")),
    "one line of letters": ("x.csv", _times(b"a")),
    "one line of digits": ("x.csv", _times(b"1")),
    "one quoted value": ("x.csv", lambda size: b'a,b\n1,"' + b"x y\n" * (size // 4) + b'"\n2,3\n'),
    "an unclosed quote at the start": ("x.csv", _after(b'"a,b,c\n', b"1,x,2.5\n")),
    "an unclosed quote, single column": ("x.csv", _after(b'"a\n', b"12345\n")),
    "an unclosed quote, unlike widths": ("x.csv", _after(b'"a,b,c\n', b"1,x\n2,y,3,4\n5\n")),
    "unclosed quotes here and there": ("x.csv", _after(b"a,b,c\n", b'1,x,2.5\n' * 50 + b'2,"y,3.5\n')),
    "backslash quotes": ("x.csv", _after(b"a,b\n", b'"x\\",1\n')),
    "all blank lines": ("x.csv", _times(b"\n")),
    "lines of blanks": ("x.csv", _times(b"    \n")),
    "only delimiters": ("x.csv", _times(b",")),
    "lines of delimiters": ("x.csv", _times(b",,,\n")),
    "blanks only between letters": ("x.txt", _times(b"a" + b" " * 40)),
    "widths that grow": ("x.csv", lambda size: b"".join(b"1," * (index % 300) + b"1\n" for index in range(size // 300))),
    "tables and blank lines": ("x.csv", _times(b"a,b\n1,2\n\n\n")),
    "a column of long texts": ("x.csv", _after(b"a,b\n", b"z" * 3000 + b",1\n")),
    "100,000 columns": ("x.csv", lambda size: b"a," * min(100_000, size // 4) + b"a\n" + b"1," * min(100_000, size // 4) + b"1\n"),
    "wide and quoted": ("x.csv", lambda size: (b'"a",' * 2000 + b'"a"\n') * max(3, size // 8000)),
    "zeros": ("x.csv", _times(b"\0")),
    "zeros and text": ("x.csv", _times(b"a\0,\0\n\0")),
    "high bytes": ("x.csv", _times(bytes(range(128, 256)) + b"\n")),
    "numbers with many marks": ("x.csv", _after(b"a,b\n", b"1.1.1.1.1.1.1.1.1.1.1,1\n")),
    "one number with many marks": ("x.csv", lambda size: b"a;b\n" + b"1;2\n" * 30 + b"1," * (size // 2) + b";3\n"),
    "blanks and a sign": ("x.csv", lambda size: b"a;b\n" + (b"1;" + b" " * 5000 + b"x\n") * (size // 5000)),
    "marks of comments": ("x.csv", _times(b"# x\n")),
    "dashes": ("x.md", _times(b"|-")),
    "Markdown": ("x.md", _after(b"|a|b|\n|-|-|\n", b"|1|2|\n")),
    "nested lists": ("x.json", _nested(b"", b"[", b"1", b"]")),
    "lists that open": ("x.json", _times(b"[")),
    "nested objects": ("x.json", _nested(b"", b'{"a":', b"1", b"}")),
    "objects in a row": ("x.json", _times(b"{}")),
    "one string": ("x.json", lambda size: b'["' + b"\\u0041" * (size // 6) + b'"]'),
    "keys that differ": ("x.jsonl", lambda size: b"".join(b'{"k%d": 1}\n' % index for index in range(size // 15))),
    "lists of lists": ("x.json", lambda size: b"[" + b"[1,2]," * (size // 6) + b"[3]]"),
    "nested tables": ("x.html", _nested(b"<html>", b"<table><tr><td>", b"x", b"</td></tr></table>")),
    "tables that open": ("x.html", _times(b"<table>")),
    "cells that open": ("x.html", _after(b"<html><table>", b"<td>")),
    "rowspans": ("x.html", _after(b"<html><table>", b"<tr><td rowspan=5000 colspan=50>x</td></tr>")),
    "angle brackets": ("x.html", _after(b"<html>", b"<")),
    "comments that open": ("x.html", _after(b"<html>", b"<!--")),
    "entities": ("x.html", _after(b"<html><table><tr><td>", b"&")),
    "rows of XML": ("x.xml", lambda size: b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>' + b"<Row/>" * (size // 6) + b"</Table></Worksheet></Workbook>"),
    "XML in XML": ("x.xml", _nested(b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', b"<Row>", b"", b"</Row>", b"</Workbook>")),
    "far cells": ("x.xlsx", _xlsx("xl/worksheets/sheet1.xml", lambda size: _SHEET + b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (index * 10, index * 10) for index in range(1, size // 60)) + b"</sheetData></worksheet>")),
    "rows that open": ("x.xlsx", _xlsx("xl/worksheets/sheet1.xml", _after(_SHEET, b"<row>"))),
    "merged ranges": ("x.xlsx", _xlsx("xl/worksheets/sheet1.xml", lambda size: _SHEET + b'<row r="1"><c r="A1"><v>1</v></c></row></sheetData><mergeCells>' + b'<mergeCell ref="A1:XFD1048576"/>' * (size // 33) + b"</mergeCells></worksheet>")),
    "entities in XML": ("x.xlsx", _xlsx("xl/worksheets/sheet1.xml", lambda _: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">' + b"".join(b'<!ENTITY b%d "%s">' % (index, b"&b%d;" % (index - 1) * 10 if index else b"&b;" * 10) for index in range(9)) + b"]><a>&b8;</a>")),
    "repeated cells": ("x.ods", lambda size: zipped(ods_members() | {"content.xml": ods_members()["content.xml"].replace(b'number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="1000"/>', b'number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000" office:value-type="float" office:value="1"/>')})),
    "a bomb": ("x.zip", lambda size: _bomb("a.csv", size)),
    "a bomb in a workbook": ("x.xlsx", lambda size: _bomb("xl/worksheets/sheet1.xml", size)),
    "many members": ("x.zip", lambda size: zipped({f"{index}.csv": b"a,b\n1,2\n" for index in range(size // 200)})),
    "zips in zips": ("x.zip", lambda _: _zips(30)),
}  # fmt: skip
"""What is wrong -> (file name, its bytes at about a size)."""


def _bomb(name: str, size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, data in xlsx_members().items():
            if name.startswith("xl/") and member != name:
                archive.writestr(member, data)
        with archive.open(name, "w", force_zip64=True) as file:
            block = b"1,2,3,4\n" * 125_000
            for _ in range(_BOMB_RATIO * size // len(block)):
                file.write(block)
    return out.getvalue()


def _zips(depth: int) -> bytes:
    data = b"a,b\n1,2\n"
    for index in range(depth):
        data = zipped({"x.csv" if index == 0 else "x.zip": data})
    return data

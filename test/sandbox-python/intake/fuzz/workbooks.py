"""Small valid workbooks, written by hand: XLSX, XLSM-like with shared texts, ODS, XLS as a stream and in its container."""

import io
import struct
import zipfile

_ROWS = [["id", "city", "amount"], [1, "Oslo", 12.5], [2, "Lima", -3.25], [3, "Bern & co", 1e9], [4, "Zürich", 0.1]]
_SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def xlsx_members() -> dict[str, bytes]:
    texts = [value for row in _ROWS for value in row if isinstance(value, str)]
    shared = "".join(f"<si><t>{_escaped(text)}</t></si>" for text in texts)
    rows = []
    for number, row in enumerate(_ROWS, 1):
        cells = "".join(_xlsx_cell(f"{'ABC'[place]}{number}", value, texts) for place, value in enumerate(row))
        rows.append(f'<row r="{number}">{cells}</row>')
    sheet = f'<worksheet {_SPREADSHEET}><dimension ref="A1:C5"/><sheetData>{"".join(rows)}</sheetData><mergeCells count="1"><mergeCell ref="E1:F2"/></mergeCells></worksheet>'
    book = f'<workbook {_SPREADSHEET} xmlns:r="{_RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>'
    relations = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
    styles = f'<styleSheet {_SPREADSHEET}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    texts_part = f'<sst {_SPREADSHEET} count="{len(texts)}" uniqueCount="{len(texts)}">{shared}</sst>'
    parts = {"[Content_Types].xml": types, "xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": relations, "xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": texts_part, "xl/styles.xml": styles}
    return {name: ('<?xml version="1.0" encoding="UTF-8"?>' + text).encode() for name, text in parts.items()}


def _xlsx_cell(place: str, value: object, texts: list[str]) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>'
    return f'<c r="{place}" s="{int(place[0] == "A")}"><v>{value}</v></c>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def ods_members() -> dict[str, bytes]:
    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{_escaped(value)}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in _ROWS)
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    filler = '<table:table-row table:number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="1000"/></table:table-row>'
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet><table:table table:name="Data">{rows}{filler}</table:table></office:spreadsheet></office:body></office:document-content>'
    return {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": content.encode()}


def xls_stream() -> bytes:
    """A workbook of Excel 97 without its container."""
    texts = [value for row in _ROWS for value in row if isinstance(value, str)]
    table = struct.pack("<II", len(texts), len(texts)) + b"".join(_text(text) for text in texts)
    name = b"Data"

    def globals_(offset: int) -> bytes:
        listed = struct.pack("<IBBBB", offset, 0, 0, len(name), 0) + name
        return _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + _record(0x42, struct.pack("<H", 1200)) + _record(0x85, listed) + _record(0xFC, table) + _record(0x0A, b"")

    head = globals_(len(globals_(0)))
    body = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + _record(0x200, struct.pack("<IIHHH", 0, len(_ROWS), 0, 3, 0))
    for row, cells in enumerate(_ROWS):
        for column, value in enumerate(cells):
            if isinstance(value, str):
                body += _record(0xFD, struct.pack("<HHHI", row, column, 0, texts.index(value)))
            elif isinstance(value, int):
                body += _record(0x27E, struct.pack("<HHHI", row, column, 0, value << 2 | 2))
            else:
                body += _record(0x203, struct.pack("<HHHd", row, column, 0, value))
    return head + body + _record(0xE5, struct.pack("<HHHHH", 1, 0, 1, 4, 5)) + _record(0x0A, b"")


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _text(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def xls_file() -> bytes:
    """The stream in an OLE container: a table of sectors, a directory, the stream."""
    stream = xls_stream().ljust(4096, b"\0")
    sectors = len(stream) // 512
    last, free, special = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    table = [special, last, *range(3, 2 + sectors), last]
    allocation = struct.pack("<128I", *table, *[free] * (128 - len(table)))
    directory = _entry("Root Entry", 5, last, 0) + _entry("Workbook", 2, 2, len(stream)) + b"\0" * 256
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 10
    head += struct.pack("<IIIIIIII", 1, 1, 0, 4096, last, 0, last, 0)
    head += struct.pack("<109I", 0, *[free] * 108)
    return head + allocation + directory + stream


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le")
    return raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2, kind, 1) + b"\xff" * 12 + b"\0" * 36 + struct.pack("<II", start, size) + b"\0" * 4

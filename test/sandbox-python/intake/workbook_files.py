"""Workbooks written byte by byte, because libraries write only the tidy forms: OOXML packages, BIFF record streams, BIFF 12."""

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def zipped(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def relations(*links: tuple[str, str, str]) -> str:
    """(id, kind, target) of each."""
    nodes = "".join(f'<Relationship Id="{name}" Type="{LINKS}/{kind}" Target="{target}"/>' for name, kind, target in links)
    return f'<Relationships xmlns="{PACKAGE}">{nodes}</Relationships>'


def parts_of(rows: str, after: str = "", strings: str = "", styles: str = "", properties: str = "", before: str = "") -> dict[str, str | bytes]:
    """The parts of a workbook with one sheet named S."""
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{properties}<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml"), ("rId3", "styles", "styles.xml")),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
    }


def xlsx(rows: str, **given: str) -> bytes:
    return zipped(parts_of(rows, **given))


def formats(*codes: str | int) -> str:
    """The styles part's content with one cell style for each format code or built-in number, from style 0."""
    own = {code: 200 + index for index, code in enumerate(codes) if isinstance(code, str)}
    escaped = {code: code.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") for code in own}
    listed = "".join(f'<numFmt numFmtId="{number}" formatCode="{escaped[code]}"/>' for code, number in own.items())
    cells = "".join(f'<xf numFmtId="{own[code] if isinstance(code, str) else code}"/>' for code in codes)
    return f"<numFmts>{listed}</numFmts><cellXfs>{cells}</cellXfs>"


def record(kind: int, *bodies: bytes) -> bytes:
    """A BIFF record; further bodies stand in CONTINUE records."""
    out = struct.pack("<HH", kind, len(bodies[0])) + bodies[0]
    return out + b"".join(struct.pack("<HH", 0x3C, len(body)) + body for body in bodies[1:])


def bof(version: int, stream: int) -> bytes:
    kind = {2: 0x009, 3: 0x209, 4: 0x409, 5: 0x809, 8: 0x809}[version]
    number = {5: 0x500, 8: 0x600}.get(version, version)
    return record(kind, struct.pack("<HHHH", number, stream, 0, 0))


EOF = record(0x0A, b"")


def biff(version: int, sheets: list[tuple[str, int, int, bytes]], global_records: bytes = b"") -> bytes:
    """A BIFF 5 or 8 stream. Of each sheet: name, state (0 visible, 1 hidden, 2 very), kind (0 cells, 2 chart), records."""

    def listed(places: list[int]) -> bytes:
        out = b""
        for (name, state, kind, _), place in zip(sheets, places):
            text = bytes([len(name)]) + (b"\0" if version == 8 else b"") + name.encode("cp1252")
            out += record(0x85, struct.pack("<IBB", place, state, kind) + text)
        return out

    bodies = [bof(version, 0x20 if kind else 0x10) + content + EOF for _, _, kind, content in sheets]
    start = len(bof(version, 5) + global_records + listed([0] * len(sheets)) + EOF)
    places = [start + sum(map(len, bodies[:index])) for index in range(len(bodies))]
    return bof(version, 5) + global_records + listed(places) + EOF + b"".join(bodies)


def ole(streams: dict[str, bytes]) -> bytes:
    """An OLE container; every stream is padded to 4096 bytes, so that none is in the mini stream."""
    contents = [content.ljust(4096, b"\0") + bytes(-max(4096, len(content)) % 512) for content in streams.values()]
    count = 2 + sum(len(content) // 512 for content in contents)
    assert count <= 128
    table = [0xFFFFFFFD, 0xFFFFFFFE]
    directory = entry("Root Entry", 5, 0xFFFFFFFE, 0)
    for name, content in zip(streams, contents):
        first, sectors = len(table), len(content) // 512
        table += [*range(first + 1, first + sectors), 0xFFFFFFFE]
        directory += entry(name, 2, first, len(content))
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIII", header, 44, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *[0xFFFFFFFF] * 108)
    packed = struct.pack("<128I", *table, *[0xFFFFFFFF] * (128 - len(table)))
    return bytes(header) + packed + directory.ljust(512, b"\0") + b"".join(contents)


def entry(name: str, kind: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    out = bytearray(128)
    out[: len(encoded)] = encoded
    struct.pack_into("<HB", out, 64, len(encoded) + 2, kind)
    struct.pack_into("<II", out, 116, start, size)
    return bytes(out)


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def record12(kind: int, body: bytes = b"") -> bytes:
    """A BIFF 12 record."""
    out = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(body)
    while True:
        out += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return out + body

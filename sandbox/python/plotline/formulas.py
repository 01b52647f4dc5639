"""Cells of CSV and Excel files that a spreadsheet program would run when the file is opened.

CSV knows no types, so Excel, LibreOffice and Google Sheets take a text that begins with = + - or @ for a formula, also
behind a tab or a line break and with the full-width forms of these signs (OWASP, "CSV Injection"; CWE-1236). Not every such
text is one: -5, +49 30 1234, "- item" and @name are values, or text that no parser accepts as more than a name. Counted is
what would call a function, refer to another cell, start another program (DDE) or compute.

In a workbook a text is a text, whatever it begins with, and formulas are what workbooks are for. Counted are those that reach
out of it: links, pictures and data from elsewhere, other workbooks, other programs.
"""

import codecs
import csv
import io
import re
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

EXAMPLES = 3
TEXT_CHARACTERS = 100
SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm")

_PIECE_BYTES = 1 << 20
_FIELD_CHARACTERS = 8 << 20
_PART_BYTES = 8 << 20
"""Of the small parts of a workbook; sheets have no limit but the time."""

_SIGNS = str.maketrans("＝＋－＠", "=+-@")
_LEADING = "\t\r\n"
_CALL = r"[^\W\d][\w.]*\("
_CELL = r"\$?[A-Za-z]{1,3}\$?\d{1,7}"
_REFERENCE = rf"{_CELL}(?=\s*(?:$|[+*/^&<>=:!,;)]|-\s*(?:\d|{_CELL}\b)))"
_PROGRAM = re.compile(r"\w\s*\|\s*['\"\w].*!", re.DOTALL)
_REACHING = re.compile(
    r"(?<![A-Za-z0-9_])(?:HYPERLINK|IMAGE|WEBSERVICE|RTD|CALL|EXEC|REGISTER|REGISTER\.ID|IMPORTDATA|IMPORTXML|IMPORTHTML|IMPORTFEED|IMPORTRANGE)\s*\(", re.IGNORECASE
)
# "=" alone, "=====" and "=>" are what no parser takes for a formula.
_EQUALS = re.compile(r"=[\s=+\-@]*[\w\"'({$\[#.\\]")
# A function, a reference or a text right behind the sign, or behind numbers and operators.
_EXPRESSION = re.compile(rf"[=+\-@\s(]*(?:[\d.,%]+\s*[-+*/^&<>=(]+\s*)*[-+@(]*(?:{_CALL}|{_REFERENCE}|\"|'[^']*'!|\[)")
# "- see note(s)" is a list's item.
_BULLET = re.compile(r"[-+@]\s+[^\W\dA-Z]")
# Arithmetic: a sign that belongs into no phone number, date or range.
_ARITHMETIC = re.compile(r"[-+@\s]*\(*[\d.,%][\d.,%\s()]*[*^&<>=+][\d.,%\s()*^&<>=+/-]+")

_TEXT_LITERAL = re.compile(r'"(?:[^"]|"")*"')
_INSIDE_LINK = re.compile(r'HYPERLINK\s*\(\s*"#', re.IGNORECASE)
_OTHER_BOOK = re.compile(r"(?<![\w\])])\[(?:\d+|[^\[\]]+\.(?:xl\w{1,2}|csv|ods))\][^\[\]!()]*!|'[^']*\[[^\[\]]+\][^']*'!|\[[^\[\]]+\.xl\w{1,2}\]", re.IGNORECASE)

# What a cell of a CSV file would have to begin with, seen without taking it apart. Plain numbers do not count.
_SUSPECT = re.compile(rb"[\n\r,;\t|\"](?:[=@]|[+-](?![\d.,]*%?(?:[\n\r,;\t|\"]|$))|\xef\xbc[\x9d\x8b\x8d\xa0])")
_FORMULA_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")


@dataclass
class Found:
    """`FormulaCells` of src/types.ts."""

    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    partial: bool = False

    def add(self, cell: str, text: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((cell[:300], text[:TEXT_CHARACTERS]))

    def as_json(self) -> dict[str, Any] | None:
        if self.count == 0 and not self.partial:
            return None
        return {"count": self.count, "examples": [{"cell": cell, "text": text} for cell, text in self.examples], "partial": self.partial}


class OutOfTime(Exception):
    """The deadline passed while a file was read."""


def runs_from_csv(cell: str) -> bool:
    """Whether a spreadsheet program that opens a CSV file would run this text."""
    text = cell.lstrip(_LEADING)[:1000].translate(_SIGNS)
    if not text or text[0] not in "=+-@":
        return False
    if text[0] == "=":
        return _EQUALS.match(text) is not None
    if _PROGRAM.search(text) or _REACHING.search(text):
        return True
    if _BULLET.match(text):
        return False
    return _EXPRESSION.match(text) is not None or _ARITHMETIC.fullmatch(text) is not None


def reaches_out(formula: str) -> bool:
    """Whether a formula of a workbook, without its equals sign, shows or fetches something from outside the workbook."""
    bare = _TEXT_LITERAL.sub('""', formula[:8192])
    calls = [found[0].split("(")[0].strip().upper() for found in _REACHING.finditer(bare)]
    if calls and not (set(calls) == {"HYPERLINK"} and len(_INSIDE_LINK.findall(formula)) == len(calls)):
        return True
    return _PROGRAM.search(bare) is not None or _OTHER_BOOK.search(bare) is not None


def may_have_formulas(file: IO[bytes], until: float) -> bool:
    """Whether a CSV file has anything worth a closer look. Only glances at bytes, which is safe with any file, and fast."""
    before = file.read(4)
    if before[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or before == b"sep=":
        return True
    before = b"\n" + before.removeprefix(codecs.BOM_UTF8)
    while time.monotonic() < until:
        piece = file.read(_PIECE_BYTES)
        if not piece:
            return _SUSPECT.search(before) is not None
        # Up to the last end of a line: a number must not be cut where it would look like something else.
        whole, newline, rest = (before + piece).rpartition(b"\n")
        if len(rest) > _PIECE_BYTES or _SUSPECT.search(whole + newline):
            return True
        before = newline + rest
    return True


def look_at(file: IO[bytes], name: str, until: float) -> Found:
    """What is found in the file by the monotonic time `until`. Files that are not what their name says have no formulas."""
    found = Found()
    try:
        if name.lower().endswith((".csv", ".tsv")):
            _look_at_text(file, name, found, until)
        else:
            _look_at_workbook(file, found, until)
    except (OutOfTime, MemoryError):
        found.partial = True
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, csv.Error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        # What cannot be read to its end here cannot be opened whole there either; what was found before stands.
        found.partial = found.count > 0
    return found


# ------------------------------------------------------------ CSV


def _look_at_text(file: IO[bytes], name: str, found: Found, until: float) -> None:
    start = file.read(_PIECE_BYTES)
    file.seek(0)
    encoding = _encoding_of(start)
    csv.field_size_limit(_FIELD_CHARACTERS)
    first = start.decode(encoding, "replace").split("\n", 1)[0]
    declared = re.fullmatch(r"sep=(.)\r?", first)
    delimiter = declared[1] if declared else _delimiter_of(first, name)
    rows_before = -1 if declared else 0
    for piece in _whole_records(file, encoding):
        _check(until)
        if b'"' not in piece and not _SUSPECT.search(b"\n" + piece):
            rows_before += piece.count(b"\n")
            continue
        row = rows_before
        records = csv.reader(io.StringIO(piece.decode("utf-8", "replace"), newline=""), delimiter=delimiter)
        for row, record in enumerate(records, start=rows_before + 1):
            if row % 4096 == 0:
                _check(until)
            for place, cell in enumerate(record):
                if cell and cell[0] in "=+-@\t\r\n＝＋－＠" and runs_from_csv(cell):
                    found.add(f"{_letters(place)}{row}", cell)
        rows_before = row


def _whole_records(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The file as UTF-8 in pieces that end where a line does, and outside of quotes where there is such a place within reach."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest, quotes = b"", 0
    while piece := file.read(_PIECE_BYTES):
        piece = decoder.decode(piece).encode("utf-8", "replace")
        quotes += piece.count(b'"')
        rest += piece
        end = rest.rfind(b"\n") + 1
        inside = (quotes - rest.count(b'"', end)) % 2 == 1
        if end == 0 or inside:
            if len(rest) < _FIELD_CHARACTERS:
                continue
            end = end or len(rest)
        yield rest[:end]
        rest = rest[end:]
        quotes = rest.count(b'"')
    if rest:
        yield rest


def _encoding_of(start: bytes) -> str:
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter_of(line: str, name: str) -> str:
    counts = {sign: line.count(sign) for sign in ",;\t|"}
    best = max(counts, key=lambda sign: counts[sign])
    return best if counts[best] > 0 else ("\t" if name.lower().endswith(".tsv") else ",")


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise OutOfTime


def _letters(place: int) -> str:
    """`A` for 0, `AA` for 26."""
    name = ""
    place += 1
    while place > 0:
        place, letter = divmod(place - 1, 26)
        name = chr(65 + letter) + name
    return name


# ------------------------------------------------------------ workbooks


def _look_at_workbook(file: IO[bytes], found: Found, until: float) -> None:
    from plotline.intake.archive import guard
    from plotline.intake.model import Unreadable

    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        try:
            guard(entries)
        except Unreadable:
            found.partial = True
            return
        titles = _sheet_titles(archive)
        for entry in entries:
            name = entry.filename.replace("\\", "/").lstrip("/")
            if re.fullmatch(r"xl/(?:work|macro)sheets/[^/]+\.xml", name, re.IGNORECASE) is None and name not in titles:
                continue
            _look_at_sheet(archive, entry, titles.get(name, name.rsplit("/", 1)[-1].removesuffix(".xml")), found, until)


def _look_at_sheet(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, title: str, found: Found, until: float) -> None:
    with archive.open(entry) as part:
        if not _has_formulas(part, until):
            return
    shown = title if title.isidentifier() else f"'{title}'"
    cell, pieces = "", list[str]()
    inside = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cell, inside
        name = tag.rsplit(" ", 1)[-1]
        if name == "c":
            cell = attributes.get("r", "")
        elif name == "f":
            inside = True
            pieces.clear()

    def end(tag: str) -> None:
        nonlocal inside
        if tag.rsplit(" ", 1)[-1] == "f":
            inside = False
            formula = "".join(pieces)
            if reaches_out(formula):
                found.add(f"{shown}!{cell}", f"={formula}")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: pieces.append(text) if inside else None
    parser.StartDoctypeDeclHandler = _no_doctype
    with archive.open(entry) as part:
        while piece := part.read(_PIECE_BYTES // 8):
            _check(until)
            parser.Parse(piece, False)
    parser.Parse(b"", True)


def _has_formulas(part: IO[bytes], until: float) -> bool:
    """By the bytes alone, where they are UTF-8 without entities of their own; else it takes the parser to tell."""
    before = part.read(256)
    if before[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or re.search(rb"encoding\s*=\s*[\"'](?!utf-8)", before, re.IGNORECASE) or b"\0" in before:
        return True
    while True:
        if b"<!DOCTYPE" in before or _FORMULA_ELEMENT.search(before):
            return True
        piece = part.read(_PIECE_BYTES)
        if not piece:
            return False
        _check(until)
        before = before[-200:] + piece


def _sheet_titles(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheets' names by the part that holds them."""
    from plotline.intake.xlsx_parts import parse_tree

    def part(name: str) -> Any:
        if archive.getinfo(name).file_size > _PART_BYTES:
            raise ValueError(f"{name} is too large")
        return parse_tree(archive.read(name))

    try:
        targets = {node.get("Id"): node.get("Target") for node in part("xl/_rels/workbook.xml.rels").all("Relationship")}
        sheets = part("xl/workbook.xml").all("sheet")
    except (KeyError, ValueError, expat.ExpatError):
        return {}
    titles: dict[str, str] = {}
    for node in sheets:
        target = targets.get(node.get("id"), "")
        if target and "sheet" in target.lower() and "chartsheet" not in target.lower():
            titles[target.lstrip("/") if target.startswith("/") else f"xl/{target}"] = node.get("name")
    return titles


def _no_doctype(*_: Any) -> None:
    raise ValueError("the sheet declares a document type, as attacks do")

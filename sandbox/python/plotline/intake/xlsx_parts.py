"""The small parts of an XLSX package: a plain tree of an XML part, shared strings, which cell styles show dates."""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from plotline.intake.model import Unreadable
from plotline.intake.number_formats import format_kind, kind_for, serial_date

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(\w+));|&")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ITEM = rb'\s*<si>(?:<t(?: xml:space="preserve")?>[^<]*</t>|\s*(?:(?!</?si[\s/>])<[^<]*+)*+)</si>'
_ITEMS = re.compile(rb"(?:" + _ITEM + rb")*+\s*")
_TEXTS = re.compile(rb'<si>(?:<t(?: xml:space="preserve")?>([^<]*)</t></si>|(.*?)</si>)', re.DOTALL)
_TABLE = re.compile(rb'^(?:\xef\xbb\xbf)?\s*(?:<\?xml(?: version="1\.[01]"| encoding="(?:UTF|utf)-8"| standalone="\w+")*\s*\?>)?\s*<sst(?:\s[^<>]*)?>')


class Node:
    """An XML element without namespaces."""

    __slots__ = ("attributes", "children", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Node] = []

    def get(self, key: str, otherwise: str = "") -> str:
        return self.attributes.get(key, otherwise)

    def find(self, name: str) -> "Node | None":
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> "list[Node]":
        """Every element of that name below this one, in the document's order."""
        out: list[Node] = []
        stack = list(reversed(self.children))
        while stack:
            node = stack.pop()
            if node.name == name:
                out.append(node)
            stack.extend(reversed(node.children))
        return out


def parse(data: bytes, start: Callable[[str, dict[str, str]], Any], end: Callable[[str], Any], characters: Callable[[str], Any] | None = None) -> None:
    """Feeds an XML part to the handlers. Elements are named `namespace name`; a document type, which no workbook has, is
    refused. Raises expat's error where it is not XML."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    if characters is not None:
        parser.CharacterDataHandler = characters
    parser.Parse(data, True)


def parse_tree(data: bytes) -> Node:
    """The tree of a small part. Raises expat's error where it is not XML."""
    root = Node("", {})
    stack = [root]

    def start(tag: str, attributes: dict[str, str]) -> None:
        node = Node(tag.rsplit(" ", 1)[-1], {key.rsplit(" ", 1)[-1]: value for key, value in attributes.items()})
        stack[-1].children.append(node)
        stack.append(node)

    parse(data, start, lambda _tag: stack.pop())
    return root


def shared_strings(data: bytes | None) -> list[str]:
    """The workbook's table of strings, without phonetic hints."""
    if data is None:
        return []
    try:
        plain = _plain_strings(data)
    except (ValueError, expat.ExpatError):
        plain = None
    return _parsed_strings(data) if plain is None else plain


def _plain_strings(data: bytes) -> list[str] | None:
    """The strings of a table in the form that all spreadsheet programs write; None where it holds anything else."""
    start = _TABLE.match(data)
    if not start or b"<!" in data:
        return None
    stop = _ITEMS.match(data, start.end())
    if not stop or not re.fullmatch(rb"(?:<extLst>.*)?</sst>\s*", data[stop.end() :], re.DOTALL):
        return None
    out = []
    for text, rich in _TEXTS.findall(data, start.end(), stop.end()):
        if rich:
            parsed = _parsed_strings(b"<sst><si>" + rich + b"</si></sst>")
            if len(parsed) != 1:
                return None
            out.append(parsed[0])
        else:
            out.append(plain_text(text))
    return out


def plain_text(raw: bytes) -> str:
    """The characters between two tags, as an XML parser gives them. Raises ValueError where it would not."""
    text = raw.decode("utf-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return unescape(text)


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        if name not in _ENTITIES:
            raise ValueError("an entity of its own")
        return _ENTITIES[name]
    number = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    if not (number >= 32 or number in (9, 10, 13)) or 0xD800 <= number < 0xE000 or number in (0xFFFE, 0xFFFF):
        raise ValueError("no character")
    return chr(number)


def unescape(text: str) -> str:
    """Undoes Excel's way to write characters that XML cannot hold: `_x000D_` is a carriage return."""
    if "_x" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _parsed_strings(data: bytes) -> list[str]:
    out: list[str] = []
    pieces: list[str] = []
    text = phonetic = False

    def start(tag: str, _attributes: dict[str, str]) -> None:
        nonlocal text, phonetic
        name = tag.rsplit(" ", 1)[-1]
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            phonetic = True
        elif name == "t":
            text = not phonetic

    def end(tag: str) -> None:
        nonlocal text, phonetic
        name = tag.rsplit(" ", 1)[-1]
        if name == "si":
            out.append(unescape("".join(pieces)))
        elif name == "rPh":
            phonetic = False
        elif name == "t":
            text = False

    parse(data, start, end, lambda found: pieces.append(found) if text else None)
    return out


class DateStyles:
    """Which cell styles show their number as a date, a time of day or a length of time."""

    def __init__(self, date1904: bool, formats: list[tuple[int, str | None]]) -> None:
        """`formats[style]` is the number and, where the workbook defines it, the code of the style's number format."""
        self.date1904 = date1904
        self.kinds: dict[int, tuple[str, str]] = {}
        for style, (number, code) in enumerate(formats):
            kind = format_kind(number, code)
            if kind != "number":
                self.kinds[style] = (kind, code or "")

    def value(self, number: int | float, style: int) -> Any:
        """The number, or the date or time that the style makes of it; None for what is not a number."""
        if isinstance(number, float) and (number != number or number in (float("inf"), float("-inf"))):
            return None
        found = self.kinds.get(style)
        if found is None:
            return number
        kind, code = found
        if kind == "varies":
            kind = kind_for(code, number)
        return number if kind == "number" else serial_date(number, kind, self.date1904)


def read_styles(data: bytes | None, date1904: bool) -> DateStyles:
    """The styles part of a workbook; a missing or damaged one shows every number as it is stored."""
    if data is None:
        return DateStyles(date1904, [])
    try:
        tree = parse_tree(data)
    except expat.ExpatError:
        return DateStyles(date1904, [])
    codes = {node.get("numFmtId"): node.get("formatCode") for node in tree.all("numFmt")}
    cells = tree.find("cellXfs")
    formats = []
    for node in cells.children if cells else []:
        if node.name == "xf":
            number = node.get("numFmtId", "0")
            formats.append((int(number) if number.isdigit() else 0, codes.get(number)))
    return DateStyles(date1904, formats)


def _no_doctype(*_: Any) -> None:
    raise Unreadable("The workbook's XML declares a document type, as attacks do; it was not opened.")

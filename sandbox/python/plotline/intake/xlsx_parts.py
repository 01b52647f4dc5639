"""The small parts of an XLSX package: a plain tree of an XML part, shared strings, which number formats are dates."""

import re
from typing import Any
from xml.parsers import expat

from plotline.intake.model import Unreadable

_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 55), 57, 58))
_BUILT_IN_TIMES = frozenset((18, 19, 20, 21, 32, 33, 45, 46, 47, 55, 56))
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


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


def parse_tree(data: bytes) -> Node:
    """The tree of a small part. Raises expat's error where it is not XML."""
    root = Node("", {})
    stack = [root]

    def start(tag: str, attributes: dict[str, str]) -> None:
        node = Node(tag.rsplit(" ", 1)[-1], {key.rsplit(" ", 1)[-1]: value for key, value in attributes.items()})
        stack[-1].children.append(node)
        stack.append(node)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _tag: stack.pop()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(data, True)
    return root


def shared_strings(data: bytes | None) -> list[str]:
    """The workbook's table of strings, without phonetic hints."""
    if data is None:
        return []
    out: list[str] = []
    pieces: list[str] = []
    state = {"text": False, "phonetic": False}

    def start(tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            state["phonetic"] = True
        elif name == "t":
            state["text"] = not state["phonetic"]

    def end(tag: str) -> None:
        name = tag.rsplit(" ", 1)[-1]
        if name == "si":
            text = "".join(pieces)
            out.append(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text)
        elif name == "rPh":
            state["phonetic"] = False
        elif name == "t":
            state["text"] = False

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: pieces.append(text) if state["text"] else None
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(data, True)
    return out


class DateStyles:
    """Which cell styles show their number as a date or a time of day."""

    def __init__(self, data: bytes | None) -> None:
        self._kinds: dict[str, str] = {}
        if data is None:
            return
        try:
            tree = parse_tree(data)
        except expat.ExpatError:
            return
        formats = {node.get("numFmtId"): node.get("formatCode") for node in tree.all("numFmt")}
        cells = tree.find("cellXfs")
        for index, node in enumerate(cells.children if cells else []):
            number = node.get("numFmtId", "0")
            kind = format_kind(int(number) if number.isdigit() else 0, formats.get(number))
            if kind != "number":
                self._kinds[str(index)] = kind

    def kind(self, style: str) -> str:
        """`date`, `time` or `number`."""
        return self._kinds.get(style, "number")


def format_kind(number: int, code: str | None) -> str:
    """What a number format shows: `date`, `time` or `number`. `code` wins over the built-in meaning of `number`."""
    if code is None or code == "":
        return "date" if number in _BUILT_IN_DATES else "time" if number in _BUILT_IN_TIMES else "number"
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', "", code.split(";")[0], flags=re.IGNORECASE).lower()
    if "general" in bare or re.search(r"[#?]", bare) or re.search(r"0(?!\d*$)", bare.replace("ss.0", "").replace("ss.00", "").replace("ss.000", "")) and not re.search(r"[ymdhs]", bare):
        return "number"
    if re.search(r"[yd]|mmm", bare) or ("m" in bare and "h" not in bare and "s" not in bare):
        return "date"
    return "time" if re.search(r"[hs]", bare) else "number"


def _no_doctype(*_: Any) -> None:
    raise Unreadable("The workbook's XML declares a document type, as attacks do; it was not opened.")

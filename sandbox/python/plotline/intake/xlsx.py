"""XLSX, XLSM and their templates, read from their XML: every sheet, hidden ones too, with what a table reader needs to know.

Read directly and not through a workbook library because real files break libraries that also load styles, charts and links.
"""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from plotline.intake.archive import part_bytes
from plotline.intake.grid import MAX_CELLS, Grid, parse_range
from plotline.intake.model import Note, Reading, Sheet, Unreadable
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.xlsx_parts import DateStyles, Node, parse_tree, read_styles, shared_strings, unescape
from plotline.intake.xlsx_sheet import read_sheet

Part = Callable[[str], bytes | None]
"""Gives a part of the package by its path, None where there is none."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError, NotImplementedError, RuntimeError, LookupError)
_WITHOUT_CELLS = {"chartsheet": "chart", "dialogsheet": "dialog", "xlMacrosheet": "macro", "xlIntlMacrosheet": "macro"}
PROTECTED = "The workbook is password-protected; remove the password in Excel (File > Info > Protect) and send it again."


def read_xlsx(archive: zipfile.ZipFile, path: Path) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    try:
        return _Package(archive).read(path.suffix.lower())
    except _DAMAGE as fault:
        if "encrypted" in str(fault) or "password" in str(fault):
            raise Unreadable(PROTECTED) from None
        raise Unreadable("The workbook is damaged. Please open it in Excel, save it again and send it once more.") from None


def part_reader(archive: zipfile.ZipFile) -> tuple[Part, list[str]]:
    """A function that finds parts whatever the case and the slashes of their names, and the names in that plain form."""
    names = {_plain_name(name): name for name in archive.namelist()}

    def part(name: str) -> bytes | None:
        actual = names.get(_plain_name(name))
        return part_bytes(archive, actual) if actual else None

    return part, list(names)


def _plain_name(name: str) -> str:
    return posixpath.normpath(name.replace("\\", "/").lstrip("/")).lower()


class _Package:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.part, self.names = part_reader(archive)
        self.notes: list[Note] = []

    def read(self, suffix: str) -> Reading:
        main = self._main()
        content = self.part(main)
        if content is None:
            raise Unreadable("The workbook is incomplete: its list of sheets is missing. Please save it again and send it once more.")
        workbook = parse_tree(content)
        links = relations(self.part, main)
        properties = workbook.find("workbookPr")
        date1904 = properties is not None and properties.get("date1904", "0") in ("1", "true", "on")
        styles = read_styles(self._linked(links, "styles", main), date1904)
        strings = self._strings(links, main)
        sheets = self._sheets(workbook, links, main, strings, styles)
        reading = Reading(suffix.lstrip(".") if suffix in (".xlsm", ".xltx", ".xltm", ".xlam") else "xlsx", notes=self.notes)
        if date1904:
            reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
        add_sheets(reading, sheets)
        return reading

    def _main(self) -> str:
        for kind, target in relations(self.part, "").values():
            if kind.endswith("/officeDocument") and self.part(target) is not None:
                return target
        return next((name for name in sorted(self.names) if re.search(r"(?:^|/)workbook\d*\.xml$", name)), "xl/workbook.xml")

    def _linked(self, links: dict[str, tuple[str, str]], kind: str, main: str) -> bytes | None:
        target = next((target for found, target in links.values() if found.rsplit("/", 1)[-1] == kind), None)
        content = self.part(target) if target else None
        return self.part(posixpath.join(posixpath.dirname(main), f"{kind}.xml")) if content is None else content

    def _strings(self, links: dict[str, tuple[str, str]], main: str) -> list[str]:
        try:
            return shared_strings(self._linked(links, "sharedStrings", main))
        except _DAMAGE:
            self.notes.append(Note("damaged-texts", "The workbook's table of texts is damaged; cells with text could not be read."))
            return []

    def _sheets(self, workbook: Node, links: dict[str, tuple[str, str]], main: str, strings: list[str], styles: DateStyles) -> list[Sheet]:
        listed = workbook.find("sheets")
        nodes = [node for node in listed.children if node.name == "sheet"] if listed else workbook.all("sheet")
        out: list[Sheet] = []
        total = 0
        skipped: list[str] = []
        for number, node in enumerate(nodes, 1):
            name = unescape(node.get("name", f"Sheet{number}"))
            hidden = node.get("state", "visible") not in ("visible", "")
            kind, target = links.get(node.get("id"), ("", ""))
            if kind.rsplit("/", 1)[-1] in _WITHOUT_CELLS:
                skipped.append(f"{name} ({_WITHOUT_CELLS[kind.rsplit('/', 1)[-1]]})")
                continue
            grid = Grid(name, hidden, MAX_CELLS - total)
            self._fill(grid, target or posixpath.join(posixpath.dirname(main), f"worksheets/sheet{number}.xml"), strings, styles)
            total += grid.cells
            sheet = grid.sheet()
            sheet.named_tables = self._named_tables(target) if target else []
            out.append(sheet)
        if skipped:
            self.notes.append(Note("sheets-without-cells", f"Sheet(s) that hold no table: {', '.join(skipped[:10])}."))
        return out

    def _fill(self, grid: Grid, target: str, strings: list[str], styles: DateStyles) -> None:
        name = grid.name
        try:
            data = self.part(target)
        except _DAMAGE as fault:
            if "encrypted" in str(fault) or "password" in str(fault):
                raise
            grid.notes.append(Note("damaged-sheet", f"The sheet {name} is damaged and could not be read.", name))
            return
        if data is None:
            grid.notes.append(Note("missing-sheet", f"The sheet {name} is listed in the workbook but its content is missing.", name))
            return
        read_sheet(data, grid, strings, styles)

    def _named_tables(self, of: str) -> list[tuple[str, tuple[int, int, int, int], int]]:
        out = []
        try:
            targets = [target for kind, target in relations(self.part, of).values() if kind.endswith("/table")]
            contents = [content for target in targets if (content := self.part(target)) is not None]
            nodes = [parse_tree(content).children[0] for content in contents]
        except _DAMAGE:
            return []  # without them the sheet's tables are found by their cells
        for node in nodes:
            area = parse_range(node.get("ref"))
            if area:
                totals, header = node.get("totalsRowCount", "0"), node.get("headerRowCount", "1")
                bottom = area[2] - (int(totals) if totals.isdigit() else 0)
                name = unescape(node.get("displayName") or node.get("name", "Table"))
                out.append((name, (area[0], area[1], bottom, area[3]), int(header) if header.isdigit() else 1))
        return sorted(out, key=lambda table: table[1])


def relations(part: Part, of: str) -> dict[str, tuple[str, str]]:
    """Relation id -> (type, path of the part inside the archive) of one part."""
    folder, name = posixpath.split(of)
    content = part(posixpath.join(folder, "_rels", f"{name}.rels"))
    if content is None:
        return {}
    out = {}
    for node in parse_tree(content).all("Relationship"):
        target = node.get("Target").replace("\\", "/")
        full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        out[node.get("Id")] = (node.get("Type"), full)
    return out

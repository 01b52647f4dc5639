"""What the loader made of a damaged file, as a reader of its card and its exported cells sees it."""

import csv
import io
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotline.intake.card import card_and_reading
from plotline.intake.model import Reading

from damage.document import Document

VERDICTS = ("exact", "named", "unsaid", "as-written", "silent-change", "silent-loss", "collateral", "over-named", "header-wrong", "not-loaded", "crash")
"""From best to worst. `unsaid` leaves out a line that is no row and does not name it; `as-written` is a silent change too: the cells are those that stand in the damaged line, unnamed."""
GOOD = ("exact", "named")


@dataclass(frozen=True)
class Judgement:
    verdict: str
    detail: str = ""


@dataclass
class _Site:
    """One damage: the clean rows it hit, the lines of each of its pieces, its place among the undamaged rows."""

    rows: list[tuple[str, ...]]
    pieces: list[range]
    texts: list[str]
    after: int


def judge(doc: Document, folder: Path) -> Judgement:
    """Writes the file into `folder`, loads it and compares."""
    data = doc.bytes()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / doc.name
        path.write_bytes(data)
        found, reading = card_and_reading(path)
    if not found["ok"] or reading is None:
        return Judgement("crash" if "(" in str(found["error"]) else "not-loaded", str(found["error"]))
    if not reading.tables:
        return Judgement("not-loaded", "no table")
    return _compare(doc, found, reading)


def named_lines(found: dict[str, Any]) -> set[int]:
    return {item["line"] for item in found["rejected"]} | {warning["line"] for warning in found["warnings"] if warning["line"]}


def _compare(doc: Document, found: dict[str, Any], reading: Reading) -> Judgement:
    raw = max(reading.tables, key=lambda table: table.row_count)
    if list(raw.header) != doc.table.header:
        return Judgement("header-wrong", f"{list(raw.header)[:6]} ({len(reading.tables)} tables)")
    loaded = list(zip(*(raw.texts(index) for index in range(len(raw.header)))))
    undamaged, sites = _expected(doc)
    gaps, missing = _gaps(loaded, undamaged)
    if missing:
        first = missing[0]
        return Judgement("collateral", f"{len(missing)} rows, first {undamaged[first]}; tables {[table.row_count for table in reading.tables]}")
    named = named_lines(found)
    too_many = len(named) * 10 > doc.lines()[-1][-1]
    verdicts = [Judgement("exact"), *(_site(group, gaps[place], named, doc) for place, group in _by_gap(sites).items())]
    spare = next((place for place, rows in gaps.items() if rows and place not in _by_gap(sites)), None)
    if spare is not None:
        verdicts.append(Judgement("collateral", f"a row too many: {gaps[spare][0]}"))
    worst = max(verdicts, key=lambda each: VERDICTS.index(each.verdict))
    if worst.verdict == "named" and too_many:
        return Judgement("over-named", f"{len(named)} lines of {doc.lines()[-1][-1]}: {sorted(named)[:12]}")
    return worst


def _expected(doc: Document) -> tuple[list[tuple[str, ...]], list[_Site]]:
    undamaged: list[tuple[str, ...]] = []
    sites: dict[int, _Site] = {}
    for piece, lines in zip(doc.pieces, doc.lines()):
        rows = [tuple(doc.table.rows[row - 1]) for row in (piece.row, *piece.more_rows) if row]
        if piece.site is None:
            undamaged += rows
            continue
        site = sites.setdefault(piece.site, _Site([], [], [], len(undamaged)))
        site.rows += rows
        site.pieces.append(lines)
        site.texts.append(piece.text)
    return undamaged, list(sites.values())


def _by_gap(sites: list[_Site]) -> dict[int, list[_Site]]:
    out: dict[int, list[_Site]] = defaultdict(list)
    for site in sites:
        out[site.after].append(site)
    return out


def _gaps(loaded: list[tuple[str, ...]], undamaged: list[tuple[str, ...]]) -> tuple[dict[int, list[tuple[str, ...]]], list[int]]:
    """The loaded rows before each undamaged one that are not undamaged rows, and the undamaged rows that are not there."""
    gaps: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    missing: list[int] = []
    at = 0
    for place, row in enumerate(undamaged):
        found = next((ahead for ahead in range(at, min(at + 12, len(loaded))) if loaded[ahead] == row), None)
        if found is None:
            missing.append(place)
            continue
        gaps[place] += loaded[at:found]
        at = found + 1
    gaps[len(undamaged)] += loaded[at:]
    return gaps, missing


def _site(group: list[_Site], rows: list[tuple[str, ...]], named: set[int], doc: Document) -> Judgement:
    """The verdict on the damages in one gap between undamaged rows."""
    wanted = [row for site in group for row in site.rows]
    if rows == wanted:
        unsaid = [site.pieces[0] for site in group if not site.rows and _says_something(site, doc) and not any(named.intersection(lines) for lines in site.pieces)]
        # Of the lines before a table the first one is named.
        return Judgement("unsaid", f"lines {unsaid}") if unsaid and not (group[0].after == 0 and named.intersection(group[0].pieces[0])) else Judgement("exact")
    # A record that was read over the line end in its middle is named by its first line.
    joined = any("\n" in value for row in rows for value in row)
    units = [[lines] for site in group for lines in site.pieces] if not joined else [site.pieces for site in group]
    silent = [unit[0][0] for unit in units if not any(named.intersection(lines) for lines in unit)]
    written = _as_written([text for site in group for text in site.texts], doc)
    if not silent:
        return Judgement("named")
    detail = f"lines {silent} not named; wanted {wanted[:2]}, got {rows[:2]}"
    if len(rows) < len(wanted):
        return Judgement("silent-loss", detail)
    return Judgement("as-written" if rows == written else "silent-change", detail)


def _says_something(site: _Site, doc: Document) -> bool:
    return any(sign not in f" {doc.written.delimiter}\x1a" for text in site.texts for sign in text)


def _as_written(texts: list[str], doc: Document) -> list[tuple[str, ...]]:
    how = doc.written
    quoting = csv.QUOTE_NONE if how.quotes == "none" else csv.QUOTE_MINIMAL
    try:
        return [tuple(row) for row in csv.reader(io.StringIO("\n".join(texts), newline="\n"), delimiter=how.delimiter, quoting=quoting) if row]
    except csv.Error:  # a lone carriage return, which that reader refuses outside quotes
        return [tuple(text.split(how.delimiter)) for text in texts]

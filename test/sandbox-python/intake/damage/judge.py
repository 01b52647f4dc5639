"""Loaded exactly, or the damaged line named? Judged from the card and the loaded cells alone, as strictly as the file allows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from damage.document import Document, Piece
from damage.typed import typed_changes
from plotline.intake.card import card_and_reading
from plotline.intake.model import Reading

NAMED_SHARE = 0.1
"""Naming more than this share of the lines counts as naming none."""

PASSED = ("ok-exact", "ok-named")
FAULTS = ("crash", "not-loaded", "header-wrong", "collateral", "silent-loss", "silent-change", "inserted", "typed-change", "over-named", "split-tables", "wrong-lines")
"""From the gravest. `as-written` is neither: a well-formed line is loaded as it stands in the file, and nothing was said."""


@dataclass
class Verdict:
    word: str
    detail: str = ""
    type_lost: list[str] = field(default_factory=list)
    """Number and date columns that became text by the damage."""


@dataclass
class Loaded:
    """What came out: each row with its line, and the lines that were named."""

    rows: list[tuple[int, list[str]]]
    named: set[int]
    starts: set[int]
    """Lines on which a record begins, loaded or rejected."""
    reading: Reading


def judge(path: Path, document: Document) -> Verdict:
    """The verdict on the file at `path`, which holds `document`."""
    try:
        card, reading = card_and_reading(path)
    except Exception as fault:  # noqa: BLE001 - a crash is a verdict
        return Verdict("crash", f"{type(fault).__name__}: {fault}")
    error = card["error"] or ""
    if "could not be read" in error:
        return Verdict("crash", error)
    if not card["ok"] or reading is None or not reading.tables:
        return Verdict("not-loaded", error)
    return _judge_loaded(document, loaded(card, reading))


def loaded(card: dict[str, Any], reading: Reading) -> Loaded:
    rows: list[tuple[int, list[str]]] = []
    named = {warning["line"] for warning in card["warnings"] if warning["line"]}
    rejected: set[int] = set()
    for table in reading.tables:
        columns = [list(table.texts(index)) for index in range(len(table.header))]
        rows += [(int(line), list(cells)) for line, cells in zip(table.lines, zip(*columns))]
        rejected |= {int(found.line) for found in table.rejected}
    return Loaded(rows, named | rejected, rejected | {line for line, _ in rows}, reading)


def _judge_loaded(document: Document, found: Loaded) -> Verdict:
    places = list(document.lines())
    header = _header_fault(document, found.reading)
    if header:
        return Verdict("header-wrong", header)
    undamaged = [(piece, lines) for piece, lines in places if piece.rows and not piece.damaged]
    at = {line: cells for line, cells in found.rows}
    wrong = [lines[0] for piece, lines in undamaged if not _same(at.get(lines[0]), document.cells(piece))]
    if wrong:
        missing = _not_in_order(found.rows, [document.cells(piece) for piece, _ in undamaged])
        kind = "collateral" if missing else "wrong-lines"
        shown = at.get(wrong[0])
        if not missing and not any(piece.damaged for piece, _ in places):
            return Verdict("ok-exact")  # what a line is, is a matter of taste where nothing has to be named
        return Verdict(kind, f"{missing or len(wrong)} row(s), such as line {wrong[0]}: {shown}; named {sorted(found.named)[:8]}")
    total = places[-1][1][-1]
    named = found.named if len(found.named) <= max(1, NAMED_SHARE * total) else set()
    owner = _owners(places, found.rows)
    results = [_judge_piece(document, piece, lines, owner.get(lines[0], []), named, found.starts) for piece, lines in places if piece.damaged]
    if len(found.reading.tables) > 1:
        results.append(Verdict("split-tables", f"{len(found.reading.tables)} tables"))
    changes, lost = typed_changes(document, found.reading, {lines[0]: piece for piece, lines in places}, named)
    if changes:
        results.append(Verdict("typed-change", changes[0]))
    faults = [result for result in results if result.word in FAULTS]
    if faults:
        worst = min(faults, key=lambda result: FAULTS.index(result.word))
        over = not named and found.named and worst.word in ("silent-loss", "silent-change", "inserted", "typed-change")
        return Verdict("over-named" if over else worst.word, worst.detail, lost)
    for word in ("as-written", "ok-named"):
        some = next((result for result in results if result.word == word), None)
        if some:
            return Verdict(word, some.detail, lost)
    return Verdict("ok-exact", "", lost)


def _judge_piece(document: Document, piece: Piece, lines: range, got: list[tuple[int, list[str]]], named: set[int], starts: set[int]) -> Verdict:
    """One damaged piece: `got` are the loaded rows that begin on its lines. A row counts as named by any line of its own."""
    cells = [row for _, row in got]
    want = [document.table.rows[index] for index in piece.rows]
    if len(cells) == len(want) and all(map(_same, cells, want)):
        return Verdict("ok-exact")
    some_named = any(line in named for line in lines)
    if piece.written is not None and len(cells) == len(piece.written) and all(map(_same, cells, piece.written)):
        return Verdict("ok-named" if some_named else "as-written", f"line {lines[0]}: {cells}")
    changed = [(line, row) for line, row in got if not any(_same(row, clean) for clean in want)]
    own = {line: {line, *takewhile(lambda other: other not in starts, range(line + 1, lines[-1] + 1))} for line, _ in changed}
    unnamed = [(line, row) for line, row in changed if not own[line] & named]
    if unnamed:
        half = " (only another line of it named)" if some_named else ""
        return Verdict("silent-change" if want else "inserted", f"line {unnamed[0][0]} loaded as {unnamed[0][1]}{half}")
    if changed or some_named:
        return Verdict("ok-named")
    return Verdict("silent-loss" if want or piece.written else "ok-exact", f"lines {lines[0]}–{lines[-1]} left out")


def _owners(places: list[tuple[Piece, range]], rows: list[tuple[int, list[str]]]) -> dict[int, list[tuple[int, list[str]]]]:
    """The loaded rows by the first line of the piece that they begin in."""
    piece_of = {line: lines[0] for _, lines in places for line in lines}
    out: dict[int, list[tuple[int, list[str]]]] = {}
    for line, cells in rows:
        out.setdefault(piece_of.get(line, 0), []).append((line, cells))
    return out


def _same(got: Sequence[str] | None, want: Sequence[str]) -> bool:
    """Equal cells. Further empty ones come from delimiters at the lines' ends."""
    return got is not None and list(got[: len(want)]) == list(want) and not any(got[len(want) :])


def _not_in_order(rows: list[tuple[int, list[str]]], wanted: list[list[str]]) -> int:
    """How many of the wanted rows are not among the loaded ones, in their order."""
    position = missing = 0
    for row in wanted:
        after = next((index for index in range(position, len(rows)) if _same(rows[index][1], row)), None)
        if after is None:
            missing += 1
        else:
            position = after + 1
    return missing


def _header_fault(document: Document, reading: Reading) -> str:
    table = max(reading.tables, key=lambda found: found.row_count)
    if not document.style.header:
        return f"{table.header_rows} header row(s) found where there is none: {table.header[:6]}" if table.header_rows else ""
    if document.any_header or _same(table.header, document.table.header):
        return "" if table.header_rows == 1 else f"{table.header_rows} header rows"
    names = document.table.header
    padded = table.header[: len(names)] == names and all(name.startswith("Column ") for name in table.header[len(names) :])
    return "" if padded and table.header_rows == 1 else f"header {table.header[:6]} ({table.header_rows} rows)"

"""The loader on a corpus with truth, beside what people use otherwise: `python3 loader_corpora.py DIRECTORY [--failures]`.

DIRECTORY holds `dialects/` (files/, truth.json) and `workbooks/` (files/, truth/NAME.json); its README gives the conventions.
The last line printed is one JSON object: for each figure how many there are, how many the loader has right, and how many its peer. Runs inside the
image, with `--failures` naming what is not right on stderr.
"""

import argparse
import csv
import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import charset_normalizer
import pandas as pd

from plotline.intake.card import card_and_reading
from plotline.intake.encoding import decode

SNIFFED_CHARACTERS = 16_384
"""What the csv sniffer gets: its time grows faster than its sample."""


class Score:
    """`of` things were judged; the loader and its peer had so many right."""

    def __init__(self, peer: str) -> None:
        self.peer, self.of, self.ours, self.theirs = peer, 0, 0, 0

    def add(self, ours: bool, theirs: bool) -> None:
        self.of += 1
        self.ours += ours
        self.theirs += theirs


class Sheets:
    """Of one workbook: by name, whether it is hidden and how many cells hold more than blanks."""

    def __init__(self, found: dict[str, tuple[bool, int]] | None) -> None:
        self.opened = found is not None
        self.found = found or {}

    def has(self, name: str, hidden: bool) -> bool:
        return name in self.found and self.found[name][0] == hidden

    def count(self, name: str) -> int | None:
        return self.found[name][1] if name in self.found else None


def as_text(data: bytes, encoding: str | None) -> str:
    return data.decode(encoding or "utf-8", errors="replace").lstrip("\ufeff").replace("\0", "")


def judge_dialects(root: Path, scores: dict[str, Score], say: Any) -> None:
    for entry in json.loads((root / "truth.json").read_text()):
        path = root / "files" / entry["file"]
        data = path.read_bytes()
        found, _ = card_and_reading(path)
        dialect = found["dialect"] or {"delimiter": None, "quote": None, "encoding": ""}
        text = as_text(data, entry["encoding"])
        try:
            sniffed = csv.Sniffer().sniff(text[:SNIFFED_CHARACTERS])
            theirs = (sniffed.delimiter, sniffed.quotechar)
        except csv.Error:
            theirs = (None, None)
        best = charset_normalizer.from_bytes(data).best()
        right = {
            "delimiter": (dialect["delimiter"] == entry["delimiter"], theirs[0] == entry["delimiter"]),
            # Where no field is quoted any quote character is right.
            "quote": tuple(not entry["quote_used"] or quote == entry["quote"] for quote in (dialect["quote"], theirs[1])),
            # No label: the file mixes two encodings. Else any encoding that gives the labelled one's text is right.
            "encoding": (
                entry["encoding"] is None or decode(data).text.lstrip("\ufeff").replace("\0", "") == text,
                entry["encoding"] is None or best is not None and as_text(data, best.encoding) == text,
            ),
        }
        for key, (ours, peers) in right.items():
            scores[key].add(ours, peers)
            if not ours:
                say(f"{entry['file']}: {key}; ours {dialect}, label {[entry[name] for name in ('delimiter', 'quote', 'encoding', 'sure')]} {found['error'] or ''}")


def ours_of(path: Path) -> tuple[Sheets, str]:
    found, reading = card_and_reading(path)
    if reading is None:
        return Sheets(None), found["error"]
    count = {sheet.name: sum(_filled(value) for row in sheet.rows for value in row) for sheet in reading.sheets}
    return Sheets({sheet.name: (sheet.hidden, count[sheet.name]) for sheet in reading.sheets}), ""


def pandas_of(path: Path) -> Sheets:
    """What pandas makes of it, with openpyxl and xlrd underneath."""
    try:
        with pd.ExcelFile(path) as book:
            out = {}
            for position, name in enumerate(book.sheet_names):
                sheet = book.book[name] if hasattr(book.book, "active") else book.book.sheet_by_index(position)
                hidden = sheet.sheet_state != "visible" if hasattr(sheet, "sheet_state") else sheet.visibility != 0
                frame = book.parse(name, header=None, keep_default_na=False, na_filter=False)
                out[str(name)] = (hidden, sum(_filled(value) for row in frame.itertuples(index=False) for value in row))
            return Sheets(out)
    except Exception:  # noqa: BLE001 - whatever it raises, it did not open the file
        return Sheets(None)


def _filled(value: Any) -> bool:
    return value is not None and value == value and bool(str(value).strip())


def judge_workbooks(root: Path, scores: dict[str, Score], say: Any) -> None:
    for place in sorted((root / "truth").glob("*.json")):
        truth = json.loads(place.read_text())
        path = root / "files" / truth["file"]
        (ours, refusal), theirs = ours_of(path), pandas_of(path)
        # "Could not be read" is what is said of a fault in the loader itself.
        refused = bool(refusal) and truth["encrypted"] and "could not be read" not in refusal
        # Every error of a peer about an encrypted workbook counts as clear words.
        scores["opened"].add(ours.opened or refused, theirs.opened or truth["encrypted"])
        if refusal:
            say(f"{truth['file']}: {refusal} (encrypted: {truth['encrypted']})")
        if truth["encrypted"] and not ours.opened:
            continue
        for sheet in truth["sheets"]:
            if sheet["kind"] != "worksheet":
                continue
            name, hidden, count = sheet["name"], sheet["hidden"], sheet["non_empty_cells"]
            scores["sheets"].add(ours.has(name, hidden), theirs.has(name, hidden))
            if not ours.has(name, hidden):
                say(f"{truth['file']}: sheet {name!r}, hidden {hidden}; ours {ours.found}")
            if count is None:
                continue
            scores["cells"].add(ours.count(name) == count, theirs.count(name) == count)
            if ours.count(name) != count:
                say(f"{truth['file']} {name}: {ours.count(name)} cells, Excel {count} ({sheet['counted_from']}, {truth['features']})")


PEERS = {
    "delimiter": "csv.Sniffer",
    "quote": "csv.Sniffer",
    "encoding": "charset_normalizer",
    "opened": "pandas",
    "sheets": "pandas",
    "cells": "pandas",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--failures", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    scores = {key: Score(peer) for key, peer in PEERS.items()}

    def say(words: str) -> None:
        if given.failures:
            print(f"  {words}", file=sys.stderr)

    judge_dialects(given.directory / "dialects", scores, say)
    judge_workbooks(given.directory / "workbooks", scores, say)
    print(json.dumps({key: {"peer": score.peer, "of": score.of, "ours": score.ours, "theirs": score.theirs} for key, score in scores.items()}))


if __name__ == "__main__":
    main()

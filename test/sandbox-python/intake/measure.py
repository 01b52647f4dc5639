"""Measures the loader on a corpus with truth: `python3 measure.py DIRECTORY [--failures]`.

DIRECTORY holds `dialects/` (files/, truth.json) and `workbooks/` (files/, truth/NAME.json); its README gives the conventions.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from plotline.intake.card import card_and_reading
from plotline.intake.encoding import decode


def same_text(data: bytes, ours: str, truth: str | None) -> bool:
    """Whether the encoding found gives the text that the labelled one gives."""
    if truth is None:
        return True
    return decode(data).text.replace("\0", "") == data.decode(truth, errors="replace").lstrip("\ufeff").replace("\0", "")


def measure_dialects(root: Path, failures: bool) -> dict[str, Any]:
    counts = {"files": 0, "delimiter": 0, "quote": 0, "encoding": 0, "ok": 0}
    for entry in json.loads((root / "truth.json").read_text()):
        path = root / "files" / entry["file"]
        found, _ = card_and_reading(path)
        dialect = found["dialect"] or {"delimiter": None, "quote": None, "encoding": ""}
        right = {
            "ok": found["ok"],
            "delimiter": dialect["delimiter"] == entry["delimiter"],
            "quote": not entry["quote_used"] or dialect["quote"] == entry["quote"],
            "encoding": same_text(path.read_bytes(), dialect["encoding"], entry["encoding"]),
        }
        counts["files"] += 1
        for key, value in right.items():
            counts[key] += value
        wrong = [key for key, value in right.items() if not value]
        if wrong and failures:
            print(f"  {entry['file']}: {wrong} ours={dialect} truth={[entry[key] for key in ('delimiter', 'quote', 'encoding', 'sure')]} {found['error'] or ''}", file=sys.stderr)
    return counts


def measure_workbooks(root: Path, failures: bool) -> dict[str, Any]:
    counts = {"files": 0, "opened_or_refused": 0, "opened": 0, "sheets": 0, "names": 0, "hidden": 0, "counted": 0, "cells": 0, "dates": 0, "dates_found": 0}
    for path in sorted((root / "truth").glob("*.json")):
        truth = json.loads(path.read_text())
        found, reading = card_and_reading(root / "files" / truth["file"])
        counts["files"] += 1
        words = found["error"] or ""
        refused = bool(words) and truth["encrypted"] and "could not be read" not in words
        counts["opened"] += found["ok"]
        counts["opened_or_refused"] += found["ok"] or refused
        if words and failures:
            print(f"  {truth['file']}: {words} encrypted={truth['encrypted']}", file=sys.stderr)
        if truth["encrypted"] and not found["ok"]:
            continue
        sheets = reading.sheets if reading else []
        wanted = [sheet for sheet in truth["sheets"] if sheet["kind"] == "worksheet"]
        by_name = {sheet.name: sheet for sheet in sheets}
        for sheet in wanted:
            ours = by_name.get(sheet["name"])
            counts["sheets"] += 1
            counts["names"] += ours is not None
            counts["hidden"] += ours is not None and ours.hidden == sheet["hidden"]
            if ours is None:
                if failures:
                    print(f"  {truth['file']}: no sheet {sheet['name']!r}; has {list(by_name)}", file=sys.stderr)
                continue
            if sheet["non_empty_cells"] is not None:
                number = sum(1 for row in ours.rows for value in row if value is not None and str(value).strip())
                counts["counted"] += 1
                counts["cells"] += number == sheet["non_empty_cells"]
                if number != sheet["non_empty_cells"] and failures:
                    print(f"  {truth['file']} {sheet['name']}: {number} cells, Excel {sheet['non_empty_cells']} ({sheet['counted_from']}, {truth['features']})", file=sys.stderr)
            dates = {str(value)[:10] for row in ours.rows for value in row if hasattr(value, "year")}
            known = set(sheet.get("dates") or [])
            counts["dates"] += len(known)
            counts["dates_found"] += len(known & dates)
            if known - dates and failures:
                print(f"  {truth['file']} {sheet['name']}: dates missing {sorted(known - dates)[:4]}", file=sys.stderr)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--failures", action="store_true")
    given = parser.parse_args()
    print(json.dumps({"dialects": measure_dialects(given.directory / "dialects", given.failures)}))
    print(json.dumps({"workbooks": measure_workbooks(given.directory / "workbooks", given.failures)}))


if __name__ == "__main__":
    main()

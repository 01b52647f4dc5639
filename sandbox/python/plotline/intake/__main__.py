"""`python3 -m plotline.intake [--json] [--export DIR] FILE...`: file cards inside the container, as `npm run card` gives them outside."""

import argparse
import json
import sys
from pathlib import Path

from plotline.intake.export import whole_card


def main() -> int:
    """Exit code 0 where every file could be read, 1 where a card carries an error. Raises `NoRoom`."""
    parser = argparse.ArgumentParser(prog="plotline.intake", description="File cards.")
    parser.add_argument("--json", action="store_true", help="one JSON line per file")
    parser.add_argument("--export", type=Path, metavar="DIR", help="writes each table's cells as CSV text")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    if given.export:
        given.export.mkdir(parents=True, exist_ok=True)
    failed = False
    for number, file in enumerate(given.files, 1):
        found = whole_card(file, f"{given.export}/{number:06}" if given.export else None)
        failed = failed or not found["ok"]
        if given.json:
            print(json.dumps(found, ensure_ascii=False, allow_nan=False), flush=True)
            continue
        print(f"{file}: {found['error'] or found['kind']}")
        for table in found["tables"]:
            print(f"  {table['name']}: {table['rows']} rows x {table['columns']} columns")
        for warning in found["warnings"]:
            print(f"  ! {warning['message']}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

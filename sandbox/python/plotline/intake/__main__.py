"""`python3 -m plotline.intake --json FILE...`: one card per line. Without `--json` a short text per file."""

import argparse
import json
import sys

from plotline.intake.card import card


def main() -> int:
    """Exit code 0 where every file could be read, 1 where a card carries an error."""
    parser = argparse.ArgumentParser(prog="plotline.intake", description="File cards.")
    parser.add_argument("--json", action="store_true", help="one JSON line per file")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    failed = False
    for file in given.files:
        found = card(file)
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

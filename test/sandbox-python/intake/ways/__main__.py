"""`python3 -m ways [SEED]`: the ways in which a tidy table is not read exactly."""

import random
import sys
import tempfile
from pathlib import Path

from damage.clean import companies, identifiers, log, sales
from plotline.intake.card import card_and_reading
from ways.writing import Way, ways

_TABLES = (sales, companies, identifiers, log)
_ROWS = 40


def fault(path: Path, way: Way) -> str | None:
    """What is wrong with the loaded table, None where all is well."""
    path.write_bytes(way.data)
    card, reading = card_and_reading(path)
    if not card["ok"] or reading is None:
        return f"not loaded: {card['error']}"
    got = [list(row) for table in reading.tables for row in zip(*(table.texts(index) for index in range(len(table.header))))]
    rows = [[value.strip() for value in row] for row in got]
    wanted = [[value.strip() for value in row] for row in way.rows]
    if rows != wanted:
        first = next((number for number, (one, other) in enumerate(zip(rows, wanted)) if one != other), min(len(rows), len(wanted)))
        shown = rows[first][:6] if first < len(rows) else "nothing"
        return f"{len(rows)} rows of {len(wanted)}; row {first + 1} is {shown}, dialect {card['dialect']}, rejected {[found['line'] for found in card['rejected']][:6]}"
    if way.header and [name.strip() for name in reading.tables[0].header] != way.header:
        return f"header {reading.tables[0].header[:6]}"
    found = card["dialect"] or {}
    for part in ("delimiter", "quote"):
        wanted_part = getattr(way, part)
        if wanted_part is not None and found.get(part) != wanted_part:
            return f"{part} {found.get(part)!r}"
    return None


def failures(seed: int) -> list[tuple[str, str, str]]:
    """(way, table, fault) of those that fail."""
    out = []
    with tempfile.TemporaryDirectory() as directory:
        for name, make in ways().items():
            for table in _TABLES:
                try:
                    way = make(table(random.Random(f"{seed}/{name}"), _ROWS))
                except ValueError:  # UnicodeEncodeError is one
                    continue
                wrong = fault(Path(directory, "table.csv"), way)
                if wrong:
                    out.append((name, table.__name__, wrong))
    return out


def main() -> int:
    found = failures(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for name, table, wrong in found:
        print(f"{name:40} {table:12} {wrong}")
    print(f"{len(ways())} ways to write {len(_TABLES)} tables: {len(found)} not read exactly")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

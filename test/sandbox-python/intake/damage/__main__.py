"""`python3 -m damage FILES SEED [--keep DIR]`: how many files of each kind of damage come to which verdict."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from damage.judge import GOOD, VERDICTS
from damage.run import judged_files


def main() -> int:
    parser = argparse.ArgumentParser(prog="damage")
    parser.add_argument("files", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--keep", type=Path, help="a folder for the files that did not pass")
    parser.add_argument("--kind", help="this kind of damage only")
    asked = parser.parse_args()
    table: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in judged_files(asked.files, asked.seed, Path(folder), asked.kind):
            table.setdefault(case.kind, Counter())[case.judgement.verdict] += 1
            if case.judgement.verdict not in GOOD and asked.keep:
                asked.keep.mkdir(parents=True, exist_ok=True)
                (asked.keep / f"{case.kind}-{case.number}.csv").write_bytes(case.doc.bytes())
                print(f"{case.kind}-{case.number} [{case.doc.table.shape}, {case.doc.written}, {case.doc.kinds}] {case.judgement.verdict}: {case.judgement.detail[:300]}")
    shown = [verdict for verdict in VERDICTS if any(counts[verdict] for counts in table.values())]
    print(f"{'':22}" + "".join(f"{verdict:>15}" for verdict in shown))
    for kind, counts in sorted(table.items()):
        print(f"{kind:22}" + "".join(f"{counts[verdict] or '':>15}" for verdict in shown))
    total = sum(table.values(), Counter())
    print(f"{'all':22}" + "".join(f"{total[verdict]:>15}" for verdict in shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())

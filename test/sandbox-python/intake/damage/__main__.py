"""`python3 -m damage FILES SEED [--keep DIR] [--kind KIND] [--show]` prints a table of kinds and verdicts."""

import argparse
import sys
from pathlib import Path

from damage.judge import FAULTS
from damage.runner import counted, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="damage")
    parser.add_argument("files", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--keep", type=Path, help="where files that do not pass are kept")
    parser.add_argument("--kind", help="only this kind of damage")
    parser.add_argument("--show", action="store_true", help="one line for each file that does not pass")
    given = parser.parse_args()
    table, others = counted(run(given.files, given.seed, given.kind, given.keep))
    if given.show:
        for case in others:
            style = case.document.style
            how = f"{case.document.table.shape.name} {style.delimiter!r} {style.quoting} {style.encoding} {style.line_end!r} {'header' if style.header else 'no header'} {len(case.data)} bytes"
            print(f"{case.kind} #{case.number} {case.verdict.word}: {case.verdict.detail[:300]} [{how}]")
    for kind, words in table.items():
        print(f"{kind:32} " + "  ".join(f"{word} {count}" for word, count in sorted(words.items())))
    faults = sum(words[word] for words in table.values() for word in FAULTS)
    written = sum(words["as-written"] for words in table.values())
    print(f"{given.files} files, seed {given.seed}: {faults} faults, {written} loaded as written without a word")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python3 -m fuzz FILES SEED [--keep DIR]` | `--monsters` | `--growth`: findings, one a line."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from fuzz.child import Answer, File, answers
from fuzz.monsters import SHAPES
from fuzz.mutations import mutated, random_bytes
from fuzz.seeds import seeds

_SMALL, _MIDDLE, _LARGE = 500_000, 1_000_000, 2_000_000
_SLOW_SECONDS = 3.0


def broken(files: int, seed: int) -> list[File]:
    """So many broken files, made from the valid ones; the same arguments give the same files."""
    valid = seeds()
    names = list(valid)
    others = list(valid.values())

    def make(number: int, name: str) -> bytes:
        rng = random.Random(f"{seed}/{number}")
        return random_bytes(rng) if number % 20 == 19 else mutated(valid[name], others, rng)

    turns = [(number, names[number % len(names)]) for number in range(files)]
    return [File(f"{number:05d}-{name}", lambda number=number, name=name: make(number, name)) for number, name in turns]


def monsters(size: int, names: list[str] | None = None) -> dict[str, File]:
    """The worst shapes at this size by what is wrong with them."""
    chosen = [(what, *SHAPES[what]) for what in names or SHAPES]
    return {what: File(f"{index:02d}-{name}", lambda make=make: make(size)) for index, (what, name, make) in enumerate(chosen)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("files", type=int, nargs="?", default=0)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--keep", type=Path, help="where the files of findings are kept")
    parser.add_argument("--monsters", action="store_true", help="the worst shapes at 1 MB")
    parser.add_argument("--growth", action="store_true", help="the worst shapes at 0.5, 1 and 2 MB, and how their time grows")
    given = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        files = broken(given.files, given.seed)
        for file, answer in zip(files, answers(files, folder)):
            if answer.fault:
                found += 1
                print(f"{answer.name}: {answer.fault} ({answer.seconds:.1f} s, {answer.growth / 1e6:,.0f} MB)", flush=True)
                if given.keep:
                    Path(given.keep, f"fuzz-{given.seed}-{answer.name}").write_bytes(file.make())
        if given.monsters:
            for what, answer in zip(SHAPES, answers(list(monsters(_MIDDLE).values()), folder)):
                found += answer.fault is not None
                print(f"{what:42} {answer.seconds:6.2f} s {answer.growth / 1e6:8,.0f} MB  {answer.fault or ''}", flush=True)
        if given.growth:
            found += _growth(folder)
    print(f"{given.files} files, seed {given.seed}: {found} findings")
    return 1 if found else 0


def _growth(folder: Path) -> int:
    found = 0
    per_size = [list(answers(list(monsters(size).values()), folder)) for size in (_SMALL, _MIDDLE, _LARGE)]
    for what, *row in zip(SHAPES, *per_size):
        found += _say_growth(what, row)
    return found


def _say_growth(what: str, row: list[Answer]) -> bool:
    seconds = [answer.seconds for answer in row]
    fault = next((answer.fault for answer in row if answer.fault), "")
    slow = seconds[2] > _SLOW_SECONDS
    steep = seconds[2] > 0.5 and seconds[2] > 3 * seconds[1]
    marks = " ".join(word for word, is_so in (("SLOW", slow), ("STEEP", steep)) if is_so)
    print(f"{what:42} " + " ".join(f"{value:6.2f}" for value in seconds) + f" s {row[2].growth / 1e6:8,.0f} MB  {marks} {fault}", flush=True)
    return bool(fault or slow or steep)


if __name__ == "__main__":
    sys.exit(main())

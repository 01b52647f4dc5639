"""`python3 -m fuzz FILES SEED [--keep DIR]` | `--monsters` | `--growth`: findings, one a line."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.child import Answer, answers
from fuzz.monsters import SHAPES
from fuzz.mutations import mutated, random_bytes
from fuzz.seeds import seeds

_SMALL, _MIDDLE, _LARGE = 500_000, 1_000_000, 2_000_000
_SLOW_SECONDS = 3.0


def written(files: int, seed: int, folder: Path) -> list[Path]:
    """So many broken files, made from the seeds; the same arguments give the same files."""
    valid = seeds()
    names = list(valid)
    out = []
    for number in range(files):
        rng = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        data = random_bytes(rng) if number % 20 == 19 else mutated(valid[name], list(valid.values()), rng)
        path = folder / f"{number:05d}-{name}"
        path.write_bytes(data)
        out.append(path)
    return out


def monsters(size: int, folder: Path) -> Iterator[tuple[str, Answer]]:
    """The answer to each of the worst shapes at this size."""
    for what, (name, make) in SHAPES.items():
        path = folder / name
        path.write_bytes(make(size))
        for answer in answers([path]):
            yield what, answer


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
        for answer in answers(written(given.files, given.seed, folder)):
            if answer.fault:
                found += 1
                print(f"{answer.name}: {answer.fault} ({answer.seconds:.1f} s, {answer.growth / 1e6:,.0f} MB)", flush=True)
                if given.keep:
                    shutil.copy(folder / answer.name, given.keep / f"fuzz-{given.seed}-{answer.name}")
        if given.monsters:
            for what, answer in monsters(_MIDDLE, folder):
                found += answer.fault is not None
                print(f"{what:42} {answer.seconds:6.2f} s {answer.growth / 1e6:8,.0f} MB  {answer.fault or ''}", flush=True)
        if given.growth:
            found += _growth(folder)
    print(f"{given.files} files, seed {given.seed}: {found} findings")
    return 1 if found else 0


def _growth(folder: Path) -> int:
    found = 0
    sizes = (_SMALL, _MIDDLE, _LARGE)
    per_size = [dict(monsters(size, folder)) for size in sizes]
    for what in SHAPES:
        row = [answers_[what] for answers_ in per_size]
        seconds = [answer.seconds for answer in row]
        fault = next((answer.fault for answer in row if answer.fault), None)
        steep = seconds[2] > 0.5 and seconds[2] > 3 * seconds[1]
        slow = seconds[2] > _SLOW_SECONDS
        found += bool(fault or steep or slow)
        marks = " ".join(word for word, is_so in (("SLOW", slow), ("STEEP", steep)) if is_so)
        print(f"{what:42} " + " ".join(f"{value:6.2f}" for value in seconds) + f" s {row[2].growth / 1e6:8,.0f} MB  {marks} {fault or ''}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())

"""`python3 -m bytes_fuzz FILES SEED [--keep DIR]`: what the loader does not answer as it should."""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bytes_fuzz.child import outcomes
from bytes_fuzz.mutations import mutated
from bytes_fuzz.seeds import seeds


def files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` mutated files; each depends on the seed and its number alone."""
    names = seeds()
    for number in range(count):
        yield mutated(names, random.Random(f"{seed} {number}"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bytes_fuzz")
    parser.add_argument("files", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    good: Counter[str] = Counter()
    slowest, peak = 0.0, 0
    for number, outcome in enumerate(outcomes(files(asked.files, asked.seed))):
        good[outcome.name] += outcome.fault is None
        slowest, peak = max(slowest, outcome.seconds), max(peak, outcome.peak)
        if outcome.fault or outcome.seconds > 2:
            print(f"{number} {outcome.name} {len(outcome.data)} bytes, {outcome.seconds:.1f} s: {outcome.fault}", flush=True)
            if asked.keep:
                asked.keep.mkdir(parents=True, exist_ok=True)
                (asked.keep / f"{number}-{outcome.name}").write_bytes(outcome.data)
    print(f"{good.total()} of {asked.files} files answered well; slowest {slowest:.1f} s; at most {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

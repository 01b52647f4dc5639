"""Times and memory of cards for large files, each beside pandas' plain reading of the same file: prints one JSON line.

Every measurement is a process of its own, so that the peak of its memory is that of one card.
"""

import json
import os
import random
import resource
import statistics
import sys
import time
from pathlib import Path

ROUNDS = 7
SIZES = {"20 MB": 425_000, "50 MB": 1_000_000}
"""Rows that make so many bytes."""


def write_orders(path: Path, rows: int) -> None:
    """A table of orders: ids, days, names, few regions, amounts, counts."""
    rng = random.Random(1)
    with path.open("w") as file:
        file.write("order_id,date,customer,region,amount,quantity\n")
        for row in range(rows):
            region = rng.choice(("North", "South", "East", "West"))
            file.write(f"{row + 1},2024-{row % 12 + 1:02d}-{row % 28 + 1:02d},Customer {rng.randrange(20_000)},{region},{rng.random() * 1000:.2f},{rng.randrange(1, 50)}\n")


def measured(work: object) -> tuple[float, int]:
    """Seconds of `work()` in a child, and by how many bytes its peak grew."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        work()  # type: ignore[operator]
        seconds = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        os.write(write, json.dumps([seconds, grown]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        seconds, grown = json.loads(answer.read())
    os.waitpid(child, 0)
    return seconds, grown


def main() -> None:
    import pandas as pd

    from plotline.intake.card import card

    small = Path(sys.argv[1]) / "small.csv"
    write_orders(small, 10_000)
    card(small)
    pd.read_csv(small)
    out = {}
    for name, rows in SIZES.items():
        path = Path(sys.argv[1]) / "large.csv"
        write_orders(path, rows)
        found = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            found["ours"].append(measured(lambda: card(path)))
            found["theirs"].append(measured(lambda: pd.read_csv(path)))
        size = path.stat().st_size
        out[name] = {
            key: {"seconds": [seconds for seconds, _ in runs], "memory": statistics.median(grown for _, grown in runs) / size}
            for key, runs in found.items()
        }
        path.unlink()
    print(json.dumps(out))


if __name__ == "__main__":
    main()

"""Times and memory of cards for large files, each beside pandas' plain reading of the same file: prints one JSON line.

Every measurement is a process of its own, so that the peak of its memory is that of one card.
"""

import json
import os
import random
import resource
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROUNDS = 5
WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi".split()


def orders(rng: random.Random) -> Iterator[str]:
    yield "order_id,date,customer,region,amount,quantity\n"
    for row in range(10**9):
        region = rng.choice(("North", "South", "East", "West"))
        yield f"{row + 1},2024-{row % 12 + 1:02d}-{row % 28 + 1:02d},Customer {rng.randrange(20_000)},{region},{rng.random() * 1000:.2f},{rng.randrange(1, 50)}\n"


def notes(rng: random.Random) -> Iterator[str]:
    yield '"id","name","note","amount"\n'
    for row in range(10**9):
        yield f'"{row}","{rng.choice(WORDS)}, {rng.choice(WORDS)}","{" ".join(rng.choices(WORDS, k=12))}, said ""{rng.choice(WORDS)}""","{rng.random() * 1e4:.2f}"\n'


def several_lines(rng: random.Random) -> Iterator[str]:
    yield "id,note,amount\n"
    for row in range(10**9):
        yield f'{row},"{rng.choice(WORDS)}\n{rng.choice(WORDS)}, x",{rng.random() * 100:.2f}\n'


def unique_texts(rng: random.Random) -> Iterator[str]:
    yield "id,other,n\n"
    for row in range(10**9):
        yield f"{uuid.UUID(int=rng.getrandbits(128))},{uuid.UUID(int=rng.getrandbits(128))},{row}\n"


def write_text(path: Path, lines: Callable[[random.Random], Iterator[str]], size: int) -> None:
    left = size
    with path.open("w") as file:
        for line in lines(random.Random(1)):
            file.write(line)
            left -= len(line)
            if left <= 0:
                return


def write_workbook(path: Path, rows: int) -> None:
    import xlsxwriter

    rng = random.Random(1)
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["id", "name", *(f"value {column}" for column in range(8))])
    for row in range(1, rows + 1):
        sheet.write_row(row, 0, [row, rng.choice(WORDS), *(round(rng.random() * 1000, 2) for _ in range(8))])
    book.close()


def measured(work: Callable[[], Any]) -> tuple[float, int]:
    """Seconds of `work()` in a child, and by how many bytes its peak grew."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        os.write(write, json.dumps([seconds, grown]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    seconds, grown = json.loads(said)
    return seconds, grown


def good(card: dict[str, Any]) -> None:
    if not card["ok"]:
        raise SystemExit(card["error"])


def main() -> None:
    import pandas as pd

    from plotline.intake.card import card

    folder = Path(sys.argv[1])
    text, book = folder / "large.csv", folder / "large.xlsx"
    cases: dict[str, tuple[Path, Callable[[], None], Callable[[], Any]]] = {
        "CSV, orders, 20 MB": (text, lambda: write_text(text, orders, 20_000_000), lambda: pd.read_csv(text)),
        "CSV, orders, 1,000,000 rows": (text, lambda: write_text(text, orders, 47_500_000), lambda: pd.read_csv(text)),
        "CSV, orders, 400 MB, sampled": (text, lambda: write_text(text, orders, 400_000_000), lambda: pd.read_csv(text, nrows=1_300_000)),
        "CSV, quoted notes, 20 MB": (text, lambda: write_text(text, notes, 20_000_000), lambda: pd.read_csv(text)),
        "CSV, values of several lines, 20 MB": (text, lambda: write_text(text, several_lines, 20_000_000), lambda: pd.read_csv(text)),
        "CSV, all texts different, 20 MB": (text, lambda: write_text(text, unique_texts, 20_000_000), lambda: pd.read_csv(text)),
        "XLSX, 50,000 rows x 10": (book, lambda: write_workbook(book, 50_000), lambda: pd.read_excel(book)),
    }
    write_text(text, orders, 500_000)
    write_workbook(book, 200)
    for path, read in ((text, pd.read_csv), (book, pd.read_excel)):
        card(path)
        read(path)
        path.unlink()
    out = {}
    for name, (path, write, read) in cases.items():
        measured(write)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(measured(lambda: good(card(path))))
            theirs.append(measured(read))
        size = path.stat().st_size
        out[name] = {key: {"seconds": [seconds for seconds, _ in runs], "memory": [grown / size for _, grown in runs]} for key, runs in (("ours", ours), ("theirs", theirs))}
        path.unlink()
    print(json.dumps(out))


if __name__ == "__main__":
    main()

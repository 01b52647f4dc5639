"""Damaged files by number and seed, and their verdicts counted by kind."""

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from damage.document import Document, Unsuitable, written_document
from damage.judge import Verdict, judge
from damage.kinds import KINDS, THROUGHOUT
from damage.styles import some_style
from damage.tables import SHAPES, clean_table

_LARGE_EVERY = 60
"""One file in so many is large enough for the reader of large files, one in four of these has more than a megabyte."""
_DAMAGED_SHARE = 0.1
"""Files of which more is damaged line by line are not made: naming so many lines counts as naming none."""
_TRIES = 200


@dataclass
class Case:
    number: int
    kind: str
    document: Document
    data: bytes
    verdict: Verdict


def make(number: int, seed: int, kind: str | None = None) -> tuple[str, Document]:
    """File `number` of a run: its kind of damage and what is in it. The same arguments give the same file."""
    rng = random.Random(f"{seed}/{number}/{kind or ''}")
    name = kind or list(KINDS)[number % len(KINDS)]
    for _ in range(_TRIES):
        shape = rng.choice(SHAPES)
        table = clean_table(shape, _rows(number, shape.fields, rng), rng)
        try:
            document = written_document(table, some_style(table, rng))
            KINDS[name](document, rng)
            document.encoded()
        except (Unsuitable, ValueError):
            continue
        damaged = [lines for piece, lines in document.lines() if piece.damaged]
        if name in THROUGHOUT or sum(map(len, damaged)) <= _DAMAGED_SHARE * len(document.pieces):
            return name, document
    raise RuntimeError(f"no table suits {name}")


def _rows(number: int, fields: tuple[object, ...], rng: random.Random) -> int:
    if number % _LARGE_EVERY:
        return rng.choice([rng.randint(15, 40), rng.randint(30, 120), rng.randint(100, 300)])
    cells = 200_000 if number % (_LARGE_EVERY * 4) == 0 else 30_000
    return cells // len(fields) + rng.randrange(500)


def run(files: int, seed: int, kind: str | None = None, keep: Path | None = None) -> Iterator[Case]:
    """Makes, writes and judges so many files. The files that do not pass stay in `keep`."""
    with tempfile.TemporaryDirectory() as directory:
        for number in range(1, files + 1):
            name, document = make(number, seed, kind)
            path = Path(directory, "table.csv")
            data = document.encoded()
            path.write_bytes(data)
            case = Case(number, name, document, data, judge(path, document))
            if keep and not case.verdict.word.startswith("ok"):
                Path(keep, f"{name}-{case.verdict.word}-{seed}-{number}.csv").write_bytes(data)
            yield case


def counted(cases: Iterator[Case]) -> tuple[dict[str, Counter[str]], list[Case]]:
    """Verdicts by kind, and the cases that are not passed."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    others = []
    for case in cases:
        table[case.kind][case.verdict.word] += 1
        if case.verdict.type_lost:
            table[case.kind]["(type lost)"] += 1
        if not case.verdict.word.startswith("ok"):
            others.append(case)
    return table, others

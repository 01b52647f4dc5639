"""Seeded files, one after the other, with the verdict on each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from damage.clean import clean_table
from damage.document import Document, document
from damage.judge import Judgement, judge
from damage.kinds import KINDS, TWO, damage

_BIG_EVERY = 60
_TRIES = 400


@dataclass(frozen=True)
class Case:
    number: int
    kind: str
    doc: Document
    judgement: Judgement


def judged_files(count: int, seed: int, folder: Path, only: str | None = None) -> Iterator[Case]:
    """`count` damaged files, each kind equally often; every file depends on the seed and its number alone."""
    names = [only] if only else [*KINDS, TWO, TWO, TWO]
    for number in range(count):
        kind = names[number % len(names)]
        doc = damaged(kind, random.Random(f"{seed} {number}"), number % _BIG_EVERY == _BIG_EVERY - 1)
        yield Case(number, kind, doc, judge(doc, folder))


def damaged(kind: str, rng: random.Random, big: bool) -> Document:
    """A table that has a place for the damage, damaged."""
    for _ in range(_TRIES):
        doc = document(clean_table(rng, big))
        if damage(doc, kind, rng):
            return doc
        big = False
    raise ValueError(f"no table has a place for {kind}")

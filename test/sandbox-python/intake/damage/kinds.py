"""Every kind of damage by name."""

import random
from collections.abc import Callable

from damage import of_characters, of_fields, of_files, of_lines, of_quotes, of_values
from damage.document import Document, Unsuitable

Damage = Callable[[Document, random.Random], None]


def _nothing(document: Document, rng: random.Random) -> None:
    """The clean file: what fails here is not the damage's fault."""


def _two_at_once(document: Document, rng: random.Random) -> None:
    """Two kinds that each hit lines of their own."""
    single = [damage for family in (of_fields, of_quotes, of_values, of_characters) for damage in family.KINDS.values()]
    for _ in range(2):
        for damage in rng.sample(single, 12):
            try:
                damage(document, rng)
                break
            except (Unsuitable, ValueError):
                continue


KINDS: dict[str, Damage] = {
    "none": _nothing,
    **of_fields.KINDS,
    **of_quotes.KINDS,
    **of_lines.KINDS,
    **of_characters.KINDS,
    **of_values.KINDS,
    **of_files.KINDS,
    "two-at-once": _two_at_once,
}
"""Each changes the document in place, and raises `Unsuitable` or ValueError where the file does not allow it."""

THROUGHOUT = ("ragged-throughout",)
"""Kinds that are the way in which the whole file is written."""

"""Text that is meant for a machine that reads the file: instructions to a model, formulas for a spreadsheet program."""

import re
from collections.abc import Iterator

from plotline.formulas import runs_from_csv
from plotline.intake.checks.findings import counted, on_rows
from plotline.intake.column_view import ColumnView, Joined, TableView
from plotline.intake.model import Note

_INSTRUCTIONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        *((verb, verb + r"\s+(?:(?:all|any|the|your|these|those)\s+(?:of\s+)?)*(?:previous|prior|above|earlier|system|preceding|foregoing)") for verb in ("ignore", "disregard", "forget", "override")),
        ("ignore ", r"ignore (?:all |any )?(?:your |the )?(?:instructions|rules|guidelines)"),
        ("new instructions", r"new instructions?\s*:"),
        *((who, who + r"\s*(?:prompt|message|instructions?)\s*:") for who in ("system", "assistant", "developer")),
        ("you are ", r"you are (?:now )?(?:an?|the) (?:ai|assistant|language model|chatbot|helpful)\b"),
        ("you must ", r"you must (?:now )?(?:reply|respond|answer|output|say|run|execute|ignore)\b"),
        *((verb, verb + r" (?:the following|this) (?:code|command|python|script)") for verb in ("run", "execute")),
        *((verb, verb + r"\s+(?:your|the|all)\s+(?:system prompt|instructions|secrets?|api keys?|credentials|passwords?)") for verb in ("reveal", "print", "send", "exfiltrate")),
        ("do not tell the user", r""), ("don't tell the user", r""), ("<|im_start", r""), ("<|system", r""), ("<|endoftext", r""), ("[inst]", r""), ("[/inst]", r""), ("</file_cards", r""),
        *((word, r"") for word in ("ignoriere alle ", "ignoriere die ", "ignore les instructions", "ignora las instrucciones", "ignora tutte le istruzioni", "игнорируй ", "忽略之前", "忽略以上", "以前の指示")),
    )
)  # fmt: skip
"""A word that is quick to search for, and what must stand there."""
_MOST_PLACES = 20_000
_SHORTEST = 10
"""Characters below which nobody is told anything."""
_SIGNS = "=+-@\t\r＝＋－＠"


def instructions(view: TableView, column: ColumnView) -> Iterator[Note]:
    if column.type not in ("text", "mixed") or not column.has_texts:
        return
    long = [index for index, text in enumerate(column.texts) if len(text) >= _SHORTEST]
    found = _speaking([column.texts[index] for index in long]) if long else []
    if not found:
        return
    rows = column.rows_of([long[index] for index in found]).tolist()
    holds = "hold" if len(rows) > 1 else "holds"
    words = f"{column.name}: {counted(len(rows), 'row')} {holds} text that reads like instructions to a model ({view.where(rows)}); it is treated as data."
    yield from on_rows(view, "instruction-like-text", words, rows)


def instructions_in_names(view: TableView) -> Iterator[Note]:
    if _speaking(view.raw.header):
        yield Note("instruction-like-text", "A column name reads like instructions to a model; it is treated as data.", view.name)


def _speaking(texts: list[str]) -> list[int]:
    """Positions of the texts that read like instructions."""
    joined = Joined(texts)
    lowered = joined.text.lower()
    if len(lowered) != len(joined.text):  # a few capital letters become two characters
        joined = Joined([text.lower() for text in texts])
        lowered = joined.text
    places = []
    for word, pattern in _INSTRUCTIONS:
        place = lowered.find(word)
        for _ in range(_MOST_PLACES):
            if place < 0:
                break
            if pattern.match(lowered, place) if pattern.pattern else True:
                places.append(place)
            place = lowered.find(word, place + 1)
    return sorted(set(joined.owners(places).tolist()))


def formula_text(view: TableView, column: ColumnView) -> Iterator[Note]:
    if column.type not in ("text", "mixed") or not column.has_texts:
        return
    suspects = (index for index, text in enumerate(column.texts) if text[:1] in _SIGNS and text)
    found = [index for index, _ in zip(suspects, range(_MOST_PLACES)) if runs_from_csv(column.texts[index])]
    if not found:
        return
    rows = column.rows_of(found).tolist()
    holds = "hold" if len(rows) > 1 else "holds"
    words = f"{column.name}: {counted(len(rows), 'cell')} {holds} text that a spreadsheet program would run as a formula ({view.where(rows)})."
    yield from on_rows(view, "formula-text", words, rows)

"""Values that are written in another form than all others of their column."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from plotline.intake import numbers
from plotline.intake.checks.findings import counted, few, on_rows, quoted
from plotline.intake.column_view import ColumnView, TableView
from plotline.intake.model import Note

_LEAST_VALUES = 8
_ONE_SHAPE = 0.9
_SHAPES = str.maketrans(
    {**{digit: "9" for digit in "0123456789"}, **{chr(code): "A" for code in range(65, 91)}, **{chr(code): "a" for code in range(97, 123)}}
)
_MOST_SHAPES = 2000
_OTHER_LENGTH = 0.01
_DECORATED = re.compile(r"[^0-9.\n-]|-(?=\n|\Z)")
_DIGITS = str.maketrans("012345678", "999999999")


def odd_shapes(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Codes and dates of one shape, of which a few are written otherwise: `C 0012` among `C0012`."""
    if column.type not in ("text", "id", "mixed", "date") or not column.has_texts or len(column.present) < _LEAST_VALUES:
        return
    texts = column.texts
    sample = texts[:: max(1, len(texts) // 300)]
    seen = Counter(map(_shape, sample))
    usual, times = seen.most_common(1)[0]
    if "9" not in usual:
        yield from _digits_among_words(view, column, sample)
        return
    if times < _ONE_SHAPE * len(sample) or len(usual) > 60 or (" " in usual and column.type == "text"):
        return  # free text: some names have two words
    shapes = column.joined.text.translate(_SHAPES).split("\n")
    distinct = set(shapes)
    if len(distinct) > _MOST_SHAPES or len(shapes) != len(texts):  # free text, or values with line breaks
        return
    unlike = {shape for shape in distinct if _collapsed(shape) != usual}
    unlike |= _of_another_length(column, shapes)
    odd = [index for index, shape in enumerate(shapes) if shape in unlike] if unlike else []
    rows = column.rows_with(odd) if odd else 0
    if not few(rows, column.filled, 0.02):
        return
    places = column.rows_of(odd).tolist()
    example = next(text for text in sample if _shape(text) == usual)
    is_written = "is written" if rows == 1 else "are written"
    words = f"{column.name}: {counted(rows, 'value')} {is_written} unlike the others, such as {quoted(texts[odd[0]])} where the others look like {quoted(example)} ({view.where(places)})."
    yield from on_rows(view, "odd-format", words, places)


def _of_another_length(column: ColumnView, shapes: list[str]) -> set[str]:
    """Shapes that few values have where all others have one to the letter: `2024-12-1` among `2024-11-30`."""
    seen: Counter[str] = Counter()
    for shape, count in zip(shapes, column.counts[column.present].tolist()):
        seen[shape] += count
    (_, times), = seen.most_common(1)
    return set(seen) - {seen.most_common(1)[0][0]} if 0 < column.filled - times <= max(1, _OTHER_LENGTH * column.filled) else set()


def _digits_among_words(view: TableView, column: ColumnView, sample: list[str]) -> Iterator[Note]:
    """Bare numbers in a column of words, as shifted cells leave them."""
    bare_there = sum(numbers.PLAIN.fullmatch(text.strip()) is not None for text in sample)
    with_letters = sum(any(map(str.isalpha, text)) for text in sample)
    if column.type != "text" or with_letters < 0.95 * (len(sample) - bare_there):
        return
    bare = [index for index, text in enumerate(column.texts) if text[:1] in "0123456789+-.," and numbers.PLAIN.fullmatch(text.strip())]
    rows = column.rows_with(bare) if bare else 0
    if not few(rows, column.filled, 0.01):
        return
    places = column.rows_of(bare).tolist()
    is_number = "is a bare number" if rows == 1 else "are bare numbers"
    words = f"{column.name}: {counted(rows, 'value')} {is_number} among words, such as {quoted(column.texts[bare[0]])} ({view.where(places)})."
    yield from on_rows(view, "odd-format", words, places)


def odd_numbers(view: TableView, column: ColumnView) -> Iterator[Note]:
    """Numbers with a sign, unit or mark that nearly all others of the column do without."""
    if column.type not in ("integer", "number") or not column.has_texts or column.filled < _LEAST_VALUES:
        return
    texts = column.texts
    shapes = column.joined.text.translate(_DIGITS).split("\n")
    seen = Counter(shapes)
    if len(shapes) != len(texts) or not any(map(_DECORATED.search, seen)):
        return
    with_comma = sum(times for shape, times in seen.items() if "," in shape)
    decimal = "," if with_comma * 2 > len(texts) else "."
    features_of = {shape: found for shape in seen if _DECORATED.search(shape) and (found := _features(shape.strip(), decimal))}
    features: dict[str, list[int]] = {}
    for index, shape in enumerate(shapes) if features_of else ():
        for feature in features_of.get(shape, ()):
            features.setdefault(feature, []).append(index)
    odd: set[int] = set()
    for feature, indexes in features.items():
        rows = column.rows_with(indexes)
        if feature == "thousands":
            is_odd = _stands_alone(column, indexes, rows)
        else:
            is_odd = few(rows, column.filled, 0.02)
        if is_odd:
            odd |= set(indexes)
    if not odd:
        return
    which = sorted(odd)
    odd_rows = column.rows_of(which).tolist()
    is_written = "is written" if len(odd_rows) == 1 else "are written"
    read = column.numbers[column.rows_of(which[:1])[0]]
    words = f"{column.name}: {counted(len(odd_rows), 'number')} {is_written} unlike the others, such as {quoted(texts[which[0]])}, read as {read:,.10g} ({view.where(odd_rows)})."
    yield from on_rows(view, "odd-number-format", words, odd_rows)


def _stands_alone(column: ColumnView, indexes: list[int], rows: int) -> bool:
    """Whether thousands marks are no habit of the column. Only numbers from 1,000 on can have one."""
    large = np.count_nonzero(np.abs(column.numbers) >= 1000)
    if rows < large:
        return few(rows, large, 0.02)
    return rows <= max(2, 0.06 * column.filled) and column.filled > 10 * rows and all(numbers.is_ambiguous(column.texts[index].strip("+- ")) for index in indexes)


def _features(text: str, decimal: str) -> set[str]:
    """What a number has beside its digits. `decimal` is the column's decimal mark."""
    out = set()
    body = re.sub(r"^[-+(\s]+|[)\s]+$", "", text)
    if "(" in text:
        out.add("brackets")
    if text[-1:] == "-":
        out.add("sign behind")
    if re.search(r"[^\W\d_]|[^\w\s.,'’()+\-−–]", re.sub(r"(?<=\d)[eE](?=[-+]?\d)", "", text)):
        out.add("unit")
    if re.search(r"\d[eE][-+]?\d", text):
        out.add("exponent")
    if text[:1] == "+":
        out.add("plus")
    if re.search(r"[−–]", text):
        out.add("minus")
    digits = re.sub(r"[^\d.,'’\s]", "", body).strip()
    mark = "." if decimal == "," else ","
    if re.search(rf"\d[{mark}'’\s]\d{{3}}(?!\d)", digits):
        out.add("thousands")
    return out


def _shape(text: str) -> str:
    return _collapsed(text.translate(_SHAPES))


def _collapsed(shape: str) -> str:
    """Runs of one character as one: `AAA-9999` is `A-9`. Capitals inside words do not matter."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^\W\d_A]", "a", shape)).replace("Aa", "a")

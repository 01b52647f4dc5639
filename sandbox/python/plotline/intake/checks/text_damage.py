"""Damage inside single values: letters of a wrong encoding, characters that cannot be seen, blanks at the edges."""

import re
from collections.abc import Iterator
from functools import cache

import numpy as np

from plotline.intake.checks.findings import counted, few, on_rows, quoted
from plotline.intake.column_view import ColumnView, Joined, TableView
from plotline.intake.model import Note

_CONTINUED = "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
"""What the second and later bytes of UTF-8 become when they are read as Windows-1252."""
_SCAN = re.compile(
    rf"(?P<garbled>[\u00c2-\u00f4]{_CONTINUED}{{1,3}}|√[©®†°±∂∫ºª]|├[\u00a0-\u00ff\u2500-\u259f])"
    r"|(?P<lost>\ufffd)"
    r"|(?P<control>[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f])"
    r"|(?P<invisible>[\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff])"
    r"|(?P<digits>[\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0e50-\u0e59\uff10-\uff19\U0001d7ce-\U0001d7ff])"
    r"|(?P<scripts>[A-Za-z][\u0370-\u03ff\u0400-\u04ff]|[\u0370-\u03ff\u0400-\u04ff][A-Za-z])"
)
_LEAD, _CONTINUES, _ALONE, _LATIN, _OTHER = 1, 2, 4, 8, 16
_CHUNK = 1 << 20


@cache
def _class_table() -> np.ndarray:
    """What `_SCAN` can begin with, by code point: most text has none of it, and is not worth a regular expression."""
    out = np.zeros(0x10000, dtype=np.uint8)
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x10000))))
    for flag, pattern in (
        (_LEAD, "[\u00c2-\u00f4√├]"),
        (_CONTINUES, f"{_CONTINUED}|[©®†°±∂∫ºª\u00a0-\u00ff\u2500-\u259f]"),
        (_ALONE, "[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff]"),
        (_ALONE, "[\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0e50-\u0e59\uff10-\uff19]"),
        (_LATIN, "[A-Za-z]"),
        (_OTHER, "[\u0370-\u03ff\u0400-\u04ff]"),
    ):
        for match in re.finditer(pattern, everything):
            out[ord(match[0])] |= flag
    return out


_PLAIN_CONTROLS = np.zeros(128, dtype=bool)
_PLAIN_CONTROLS[[*range(10), 11, 12, *range(14, 32), 127]] = True
_LOST_LETTER = re.compile(r"[^\W\d_]\?[^\W\d_A-Z]")
_CLOSING = "\u00ae\u00a9\u00b0\u00b2\u00b3\u00bb\u00ab\u00b7\u2026\u2019\u201d\u2014\u2013\u2122\u203a"
_OPENING, _ENDING = tuple("“”„‟«»‘’‚‹"), tuple("“”‟«»‘’›")
_SENTENCES = {
    "garbled": ("garbled-text", "holds letters of a wrong encoding", "hold letters of a wrong encoding"),
    "lost": ("lost-characters", "holds a � where a character was lost before the file came here", "hold a � where a character was lost before the file came here"),
    "question": ("lost-characters", "has a ? in the middle of a word, where a letter was lost", "have a ? in the middle of a word, where a letter was lost"),
    "control": ("control-characters", "holds control characters", "hold control characters"),
    "invisible": ("invisible-characters", "holds invisible or unusual blanks", "hold invisible or unusual blanks"),
    "digits": ("unusual-digits", "is written with digits of another script", "are written with digits of another script"),
    "scripts": ("mixed-scripts", "mixes look-alike letters of two scripts", "mix look-alike letters of two scripts"),
    "quotes": ("odd-quotes", "stands in typographic quotation marks", "stand in typographic quotation marks"),
    "blanks": ("edge-blanks", "begins or ends with a blank", "begin or end with a blank"),
}
_ONLY_WHERE_FEW = ("invisible", "digits", "scripts", "blanks", "question", "quotes")
"""How a whole column is written is no damage."""


def text_damage(view: TableView, column: ColumnView) -> Iterator[Note]:
    if not column.has_texts or not len(column.present):
        return
    found = _scan(column.joined, column.texts)
    misread = _misread(column, view.encoding)
    if misread:
        found["garbled"] = sorted(misread.union(found.get("garbled", ())))
    for kind, (code, one, many) in _SENTENCES.items():
        which = found.get(kind, ())
        if not len(which):
            continue
        rows = column.rows_with(which)
        if kind in _ONLY_WHERE_FEW and not few(rows, max(column.filled, 5)):
            continue
        places = column.rows_of(which).tolist()
        words = f"{column.name}: {counted(rows, 'value')} {one if rows == 1 else many}, such as {quoted(column.texts[which[0]])} ({view.where(places)})."
        yield from on_rows(view, code, words, places)


def _scan(joined: Joined, texts: list[str]) -> dict[str, list[int]]:
    """For each kind of damage the positions of the texts that have it, ascending."""
    found: dict[str, set[int]] = {}
    if joined.text.isascii():
        seen = np.frombuffer(joined.text.encode("ascii"), dtype=np.uint8)
        places = np.flatnonzero(_PLAIN_CONTROLS[seen])
        if len(places):
            found["control"] = set(joined.owners(places).tolist())
    else:
        matches = filter(None, (_SCAN.match(joined.text, place) for place in _candidates(joined.text)))
        hits = [(match.start(), match.lastgroup or "", match[0]) for match in matches]
        for (_, kind, text), owner in zip(hits, joined.owners([start for start, _, _ in hits]).tolist()):
            if kind == "garbled" and not _is_garbled(text, texts[owner]):
                kind = "control" if any("\x7f" <= character <= "\x9f" for character in text) else ""
            if kind == "invisible" and _is_orthography(text, texts[owner]):
                kind = ""
            if kind:
                found.setdefault(kind, set()).add(owner)
    if "?" in joined.text:
        owners = joined.owners([match.start() for match in _LOST_LETTER.finditer(joined.text)]).tolist()
        found["question"] = {owner for owner in owners if not re.search(r"[=/&]", texts[owner])}
    if not joined.text.isascii():
        found["quotes"] = {index for index, text in enumerate(texts) if text[:1] in _OPENING and text[-1:] in _ENDING and len(text) > 1}
    blanks = _edge_blanks(joined, texts)
    if blanks:
        found["blanks"] = blanks - found.get("invisible", set())
    return {kind: sorted(owners) for kind, owners in found.items()}


def _candidates(text: str) -> Iterator[int]:
    """Where something that `_SCAN` looks for may begin."""
    classes = _class_table()
    for start in range(0, len(text), _CHUNK):
        # One character more, for what takes two.
        piece = text[start : start + _CHUNK + 1]
        points = np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        found = classes[np.minimum(points, 0xFFFF)]
        here, following = found[:_CHUNK], np.append(found[1:], 0)[:_CHUNK].astype(np.uint8)
        begins = (here & _ALONE > 0) | ((here & _LEAD > 0) & (following & _CONTINUES > 0))
        begins |= ((here & _LATIN > 0) & (following & _OTHER > 0)) | ((here & _OTHER > 0) & (following & _LATIN > 0))
        begins |= (points[:_CHUNK] >= 0x1D7CE) & (points[:_CHUNK] <= 0x1D7FF)
        yield from (np.flatnonzero(begins) + start).tolist()


def _misread(column: ColumnView, encoding: str | None) -> set[int]:
    """Texts whose bytes are UTF-8 although the file was read as something else: lines that were pasted in from elsewhere."""
    if encoding is None or encoding.lower().replace("_", "-").startswith(("utf", "ascii")) or column.joined.text.isascii():
        return set()
    found = set()
    for index, text in enumerate(column.texts):
        if text.isascii():
            continue
        try:
            text.encode(encoding).decode("utf-8")
        except (UnicodeError, LookupError):
            continue
        found.add(index)
    return found


def _is_garbled(match: str, text: str) -> bool:
    if match[0] in "√├":
        return True
    for length in range(len(match), 1, -1):
        try:
            original = match[:length].encode("cp1252", "surrogateescape") if "\x81" not in match else match[:length].encode("latin-1")
            decoded = original.decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if len(decoded) != 1:
            continue
        # CAFÉ» and NESTLÉ® are written so: there it takes a second one to tell.
        certain = match[0] in "\u00c2\u00c3" or length > 2 or match[1] not in _CLOSING
        return certain or len(re.findall(rf"[\u00c2-\u00f4]{_CONTINUED}", text)) > 1
    return False


def _is_orthography(character: str, text: str) -> bool:
    """Joiners and direction marks belong to Arabic, Hebrew, Indic scripts and emoji; wide blanks to East Asian text."""
    if character in "\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069":
        return any(ord(other) > 0x58F and not 0x2000 <= ord(other) <= 0x206F for other in text)
    return character == "\u3000" and any("\u3040" <= other <= "\u9fff" for other in text)


def _edge_blanks(joined: Joined, texts: list[str]) -> set[int]:
    text = joined.text
    suspects: set[int] = set()
    for pattern, behind in ((" \n", 0), ("\n ", 1), ("\t\n", 0), ("\n\t", 1)):
        places = []
        place = text.find(pattern)
        while place >= 0:
            places.append(place + behind)
            place = text.find(pattern, place + 1)
        suspects |= set(joined.owners(places).tolist())
    suspects |= {0, len(texts) - 1}
    return {index for index in suspects if texts[index] != texts[index].strip(" \t")}

"""The most plausible legacy encoding of bytes that are not UTF-8.

Each candidate decodes a sample; the text is scored by how much it looks like writing: frequent letters of the languages
that used the code page, letters inside words, case that changes only at a word's start, and no boxes or control characters.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

# Lower-case letters beyond ASCII by how often languages of that code page use them (the first quarter counts most).
_WESTERN = "éäöüáóíñçãèàßêôúåøæâîûùëïõœ"
_CENTRAL = "áéíóúýčěřšžůąęłńśźżćőűöüäßăâîșțşţđďťňľĺŕôç"
_TURKISH = "ıığşçöüâî"
_BALTIC = "āēīūčšžņļķģąęėįųõäöü"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў"
_GREEK = "αοιετσνηυρπκμλςωγδθφχβξζψάέίόήύώ"

_SINGLE_BYTE: tuple[tuple[str, str, float], ...] = (
    # codec, its letters, prior (how common such files are among those that are not UTF-8)
    ("cp1252", _WESTERN, 0.30),
    ("cp1250", _CENTRAL, 0.10),
    ("cp1251", _CYRILLIC, 0.10),
    ("mac_roman", _WESTERN, 0.02),
    ("cp850", _WESTERN, 0.02),
    ("cp437", _WESTERN, 0.0),
    ("cp1254", _TURKISH + _WESTERN[8:], 0.02),
    ("cp1257", _BALTIC, 0.02),
    ("cp1253", _GREEK, 0.05),
    ("iso8859_2", _CENTRAL, 0.05),
    ("iso8859_15", _WESTERN, 0.01),
    ("koi8_r", _CYRILLIC, 0.04),
    ("cp866", _CYRILLIC, 0.03),
    ("mac_cyrillic", _CYRILLIC, 0.0),
    ("cp852", _CENTRAL, 0.01),
    ("cp1255", "אבגדהוזחטיכלמנסעפצקרשתםןףץך", 0.03),
    ("cp1256", "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىئءآأإپچژگ", 0.03),
    ("cp874", "กขคงจชซดตถทนบปผพฟมยรลวสหอ่้าิีุูเแโไใ์ั", 0.02),
)
_MULTI_BYTE = ("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949", "big5hkscs")
_TYPICAL_SYMBOLS = frozenset("’‘“”„–—…•€£°²³½¼¾®©™\u00a0«»º§·´×±µ№")
_WORDS_OF_ONE_LETTER = frozenset("àáéèóòôåæøöÀÁÉÈÓÖÅØвикосуяаеэіїєйВИКОСУЯАЕ")
_JOINED_SYMBOLS = frozenset("’‘´'")


_TYPOGRAPHY = frozenset((0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xA0))
"""Windows' ellipsis, quotes, bullet, dashes and no-break space."""


def best_code_page(sample: bytes, single_byte_only: bool = False) -> str:
    """The codec name that explains `sample` best; cp1252 where nothing speaks for another one."""
    high = {byte for byte in sample if byte > 127}
    if high and high <= _TYPOGRAPHY:
        return "cp1252"  # quotes, dashes and blanks alone say nothing about letters
    scores: list[tuple[float, str]] = []
    if not single_byte_only:
        scores += [(score, name) for name in _MULTI_BYTE if (score := _multi_byte_score(sample, name)) is not None]
    for name, letters, prior in _SINGLE_BYTE:
        score = _single_byte_score(sample, name, letters)
        if score is not None:
            scores.append((score + prior, name))
    if not scores:
        return "cp1252"
    best = max(scores)
    return best[1]


def _multi_byte_score(sample: bytes, name: str) -> float | None:
    """Per character beyond ASCII; None where the bytes are not valid. Frequent characters of the language weigh most."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:
            return None
        text = sample[: error.start].decode(name, errors="ignore")
    foreign = [character for character in text if character > "\x7f"]
    if not foreign:
        return None
    total = sum(_ideograph_weight(character, name) for character in foreign)
    # Two high letters in a row also decode as one ideograph: real text repeats its characters' scripts in runs.
    runs = re.findall(r"[^\x00-\x7f]+", text)
    mean_run = len(foreign) / max(1, len(runs))
    return total / len(foreign) + min(0.3, 0.1 * (mean_run - 1)) - (0.8 if mean_run < 1.3 else 0.0)


def _ideograph_weight(character: str, name: str) -> float:
    code = ord(character)
    japanese = name in ("cp932", "euc_jp")
    if 0x3041 <= code <= 0x30FE:
        return 1.4 if japanese else 0.3
    if 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF5E:
        return 0.8
    if 0xFF61 <= code <= 0xFF9F:  # half-width katakana: what any code page's letters turn into
        return -0.6 if not japanese else -0.1
    if 0xAC00 <= code <= 0xD7A3:
        return (1.3 if _common_ideograph(character, name) else -0.5) if name in ("euc_kr", "cp949") else -1.0
    if 0x4E00 <= code <= 0x9FFF:
        return 1.1 if _common_ideograph(character, name) else -0.4
    if 0xE000 <= code <= 0xF8FF:
        return -3.0
    if code < 0x0250 or 0x0370 <= code <= 0x052F or 0x2500 <= code <= 0x257F:
        return -0.7
    return -0.2


def _common_ideograph(character: str, name: str) -> bool:
    """Level-1 characters: the frequent half of each national standard, which is a contiguous range of lead bytes."""
    try:
        lead = character.encode(name)
    except UnicodeEncodeError:
        return False
    if len(lead) != 2:
        return False
    first = lead[0]
    match name:
        case "gb18030":
            return 0xB0 <= first <= 0xD7 and lead[1] >= 0xA1
        case "big5" | "big5hkscs":
            return 0xA4 <= first <= 0xC6
        case "cp932":
            return 0x88 <= first <= 0x97
        case "euc_jp":
            return 0xB0 <= first <= 0xCF
        case _:
            return 0xB0 <= first <= 0xC8 and lead[1] >= 0xA1


def _single_byte_score(sample: bytes, name: str, letters: str) -> float | None:
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return None
    weights = _letter_weights(letters)
    # Each distinct neighbourhood counts once or a few times: one repeated word must not decide alone.
    windows = Counter(re.findall(r"(?=(.?[^\x00-\x7f].?))", text.replace("\n", " ").replace("\r", " ")))
    total = 0.0
    count = 0
    for window, times in windows.items():
        times = min(times, 5)
        count += times
        position = 1 if len(window) > 1 and window[0] <= "\x7f" or len(window) == 3 else 0
        before = window[position - 1] if position else " "
        after = window[position + 1] if position + 1 < len(window) else " "
        total += times * _character_score(before, window[position], after, weights)
    return total / count if count else None


@lru_cache(maxsize=None)
def _letter_weights(letters: str) -> dict[str, float]:
    size = len(letters)
    weights = {letter: 1.0 - 0.4 * index / size for index, letter in reversed(list(enumerate(letters)))}
    return weights | {letter.upper(): weight - 0.05 for letter, weight in weights.items() if len(letter.upper()) == 1}


def _character_score(before: str, character: str, after: str, weights: dict[str, float]) -> float:
    category = unicodedata.category(character)
    if category[0] == "C":
        return -3.0
    if category[0] != "L" and category[0] != "M":
        if 0x2500 <= ord(character) <= 0x259F:
            return -1.5
        inside = before.isalpha() and after.isalpha()
        if character in _JOINED_SYMBOLS:
            return 0.7
        if character in _TYPICAL_SYMBOLS:
            return -1.0 if inside and character not in "–—\u00a0·" else 0.5
        return -1.2 if inside else -0.5
    score = weights.get(character, -0.5)
    if character in "ªº":
        return 0.3 if before.isdigit() else -0.5
    if character.isupper() and before.islower():
        score -= 1.2
    if character.islower() and before.isupper() and before > "\x7f" and after.isupper():
        score -= 0.8
    if character.islower() and before.isupper() and after.isupper():
        score -= 0.8
    if before.isdigit() or after.isdigit():
        score -= 0.4
    if not before.isalpha() and not after.isalpha() and character not in _WORDS_OF_ONE_LETTER:
        score -= 0.9
    script_of_neighbours = [c for c in (before, after) if c.isalpha()]
    if ord(character) >= 0x370 and any(c <= "\x7f" for c in script_of_neighbours):
        score -= 1.0
    return score

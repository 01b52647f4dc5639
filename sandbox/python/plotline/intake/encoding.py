"""Which encoding the bytes of a text file are in, and the text itself."""

import re
from dataclasses import dataclass, field, replace

from plotline.intake.code_pages import best_code_page

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE_BYTES = 262_144
_EAST_ASIAN = frozenset(("gb18030", "cp932", "shift_jis", "euc_jp", "euc_kr", "cp949", "big5", "big5hkscs", "cp950", "gbk"))
"""Here a line may be valid UTF-8 by chance."""
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True)
class Decoded:
    """The text of a file. `guessed` is true where no byte proves the encoding. `mixed_lines` are the physical lines
    (from 1) that were not valid in `encoding` and were read as `mixed_with` instead."""

    text: str
    encoding: str
    guessed: bool = False
    mixed_with: str | None = None
    mixed_lines: list[int] = field(default_factory=list)
    nul_lines: list[int] = field(default_factory=list)
    foreign_lines: list[int] = field(default_factory=list)
    """Where the encoding was guessed from very few lines: those lines."""


def with_line_feeds(data: bytes) -> bytes:
    """The data with `\\n` for line ends where the file ends its lines with lone carriage returns; UTF-16 and UTF-32 as
    they are. No trail byte of the East Asian code pages is a carriage return."""
    returns = data.count(b"\r")
    if not returns or b"\0" in data[:4096] and _wide_without_bom(data) or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return data
    lone = returns - data.count(b"\r\n")
    if lone and lone * 3 >= data.count(b"\n"):
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def decode(data: bytes) -> Decoded:
    """The text of `data`. Never fails: a byte that no candidate explains becomes U+FFFD, and the line is in `mixed_lines`."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _decoded_wide(data, name) if name != "utf-8-sig" else _decoded_utf8(data[3:], "utf-8-sig")
    wide = _wide_without_bom(data)
    if wide:
        return _decoded_wide(data, wide)
    return _decoded_utf8(data, "utf-8")


def _decoded_wide(data: bytes, name: str) -> Decoded:
    text = data.decode(name, errors="replace")
    return _without_nul(Decoded(text.lstrip("\ufeff"), name))


def _decoded_utf8(data: bytes, name: str) -> Decoded:
    if b"\0" in data:
        # Between the bytes of one letter a NUL would spoil the letter, so it goes before the text is made.
        lines = [number for number, line in enumerate(data.split(b"\n"), 1) if b"\0" in line]
        return replace(_decoded_utf8(data.replace(b"\0", b""), name), nul_lines=lines)
    if name == "utf-8" and data.isascii():
        escaped = _iso2022(data)
        return escaped or _without_nul(Decoded(data.decode("ascii"), "ascii"))
    try:
        return _without_nul(Decoded(data.decode("utf-8"), name))
    except UnicodeDecodeError as error:
        # A file cut in the middle of its last character is still UTF-8.
        if error.start >= len(data) - 4 and error.reason == "unexpected end of data" and not data[: error.start].isascii():
            lines = [data[: error.start].count(b"\n") + 1]
            return _without_nul(Decoded(data.decode("utf-8", errors="replace"), name, False, "utf-8 (cut)", lines))
    if name == "utf-8-sig" or _mostly_utf8(data):
        return _without_nul(_mixed(data, name))
    page = best_code_page(_sample_of_high_bytes(data))
    try:
        return _with_utf8_lines(data, page) or _without_nul(Decoded(data.decode(page), page, True, foreign_lines=_few_foreign_lines(data)))
    except UnicodeDecodeError:
        return _without_nul(_mixed(data, page))


def _with_utf8_lines(data: bytes, page: str) -> Decoded | None:
    """The text where lines of UTF-8 stand in a file of a code page; None where there are none, or too many to be foreign."""
    if page in _EAST_ASIAN or not _UTF8_LETTER.search(data):
        return None
    lines = data.split(b"\n")
    letters = [index for index, line in enumerate(lines) if not line.isascii()]
    foreign = [index for index in letters if _is_utf8_line(lines[index])]
    if not foreign or len(foreign) * 3 > len(letters):
        return None
    places = set(foreign)
    texts = [line.decode("utf-8" if index in places else page) for index, line in enumerate(lines)]
    return Decoded("\n".join(texts), page, True, "utf-8", [index + 1 for index in foreign])


def _is_utf8_line(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(data: bytes) -> bool:
    """Whether the data are UTF-8 with foreign lines in it: where letters of a code page are taken for UTF-8, hardly a
    line of them is valid, so as many valid lines as broken ones prove it; else the letters decide."""
    head = data[: 8 * _SAMPLE_BYTES]
    valid_lines = broken_lines = 0
    for line in head.split(b"\n"):
        if line.isascii():
            continue
        if _is_utf8_line(line):
            valid_lines += 1
        else:
            broken_lines += 1
    if valid_lines >= max(1, broken_lines):
        return True
    text = head.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    valid = sum(1 for character in text if character > "\x7f") - broken
    return valid > broken * 2 or (valid >= 3 and valid >= broken)


def _mixed(data: bytes, name: str) -> Decoded:
    codec = "utf-8" if name.startswith("utf-8") else name
    lines = data.split(b"\n")
    broken: list[int] = []
    texts: list[str | None] = []
    for index, line in enumerate(lines):
        try:
            texts.append(line.decode(codec))
        except UnicodeDecodeError:
            texts.append(None)
            broken.append(index)
    other = best_code_page(b"\n".join(lines[index] for index in broken), single_byte_only=codec != "utf-8")
    for index in broken:
        try:
            texts[index] = lines[index].decode(other)
        except UnicodeDecodeError:
            texts[index] = lines[index].decode("latin-1" if other == "cp1252" else codec, errors="replace")
    return Decoded("\n".join(text or "" for text in texts), name, False, other, [index + 1 for index in broken])


def _sample_of_high_bytes(data: bytes) -> bytes:
    """The head of the file, or the lines that hold bytes above 127 where the head has few of them."""
    head = data[:_SAMPLE_BYTES]
    if len(data) <= _SAMPLE_BYTES or sum(byte > 127 for byte in head) > 200:
        return head
    lines: list[bytes] = []
    size = 0
    for line in data.split(b"\n"):
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size > _SAMPLE_BYTES:
                break
    return b"\n".join(lines)


def _wide_without_bom(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: the zero bytes sit on the same side of every character."""
    head = data[:4096]
    head = head[: len(head) // 4 * 4]
    if len(head) < 4 or b"\0" not in head:
        return None
    zeros = [head[start::4].count(0) / (len(head) // 4) for start in range(4)]
    if zeros[1] > 0.9 and zeros[2] > 0.9 and zeros[3] > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[2] > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    for name, here, there in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if here > 0.3 and there < 0.05 and _decodes(head, name):
            return name
    return None


def _decodes(data: bytes, name: str) -> bool:
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 2
    return "\n" in text or "\r" in text or len(data) < 200


def _iso2022(data: bytes) -> Decoded | None:
    if b"\x1b$" not in data:
        return None
    for name in ("iso2022_jp_2", "iso2022_kr"):
        try:
            return Decoded(data.decode(name), name)
        except UnicodeDecodeError:
            continue
    return None


def _few_foreign_lines(data: bytes) -> list[int]:
    lines = data.split(b"\n") if len(data) < 4 * _SAMPLE_BYTES else []
    found = [number for number, line in enumerate(lines, 1) if not line.isascii()]
    return found if len(found) <= max(2, len(lines) // 50) else []


def _without_nul(decoded: Decoded) -> Decoded:
    if "\0" not in decoded.text:
        return decoded
    lines = [number for number, line in enumerate(decoded.text.split("\n"), 1) if "\0" in line]
    return replace(decoded, text=decoded.text.replace("\0", ""), nul_lines=lines)

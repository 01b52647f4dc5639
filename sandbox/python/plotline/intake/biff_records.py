"""The records of an Excel 2 to 2003 workbook (BIFF 2 to 8): the stream cut into records, and the texts in them."""

import struct
from collections.abc import Iterator

CONTINUE = 0x3C
_CODE_PAGES = {
    367: "ascii", 437: "cp437", 720: "cp720", 737: "cp737", 775: "cp775", 850: "cp850", 852: "cp852", 855: "cp855", 857: "cp857", 858: "cp858",
    860: "cp860", 861: "cp861", 862: "cp862", 863: "cp863", 864: "cp864", 865: "cp865", 866: "cp866", 869: "cp869", 874: "cp874", 932: "cp932",
    936: "gbk", 949: "cp949", 950: "cp950", 1200: "utf-16-le", 1361: "johab", 10000: "mac_roman", 10001: "shift_jis", 10002: "big5", 10003: "euc_kr",
    10006: "mac_greek", 10007: "mac_cyrillic", 10008: "gb2312", 10029: "mac_latin2", 10079: "mac_iceland", 10081: "mac_turkish", 32768: "mac_roman",
    32769: "cp1252",
}  # fmt: skip
_CODE_PAGES |= {number: f"cp{number}" for number in range(1250, 1259)}
_RICH, _PHONETIC, _WIDE = 8, 4, 1


def code_page(number: int) -> str:
    """Python's name of a code page as workbooks number them; Windows' western one where it is unknown."""
    return _CODE_PAGES.get(number, "cp1252")


def records(data: bytes, start: int = 0) -> Iterator[tuple[int, int, list[bytes]]]:
    """(kind, offset, pieces) of every record from `start`; the pieces are its body and those of the CONTINUE records after it."""
    at, end = start, len(data)
    kind, offset, pieces = -1, 0, list[bytes]()
    while at + 4 <= end:
        found, size = struct.unpack_from("<HH", data, at)
        body = data[at + 4 : at + 4 + size]
        if found == CONTINUE and kind >= 0:
            pieces.append(body)
        else:
            if kind >= 0:
                yield kind, offset, pieces
            kind, offset, pieces = found, at, [body]
        at += 4 + size
    if kind >= 0:
        yield kind, offset, pieces


class Pieces:
    """Reads through the pieces of one record. Raises `struct.error` or `EOFError` at their end."""

    def __init__(self, pieces: list[bytes], at: int = 0) -> None:
        self._pieces, self._piece, self._at = pieces, 0, at

    def take(self, size: int) -> bytes:
        """Bytes that may stretch over several pieces."""
        out = b""
        while len(out) < size:
            left = min(self._left(), size - len(out))
            out += self._pieces[self._piece][self._at : self._at + left]
            self._at += left
        return out

    def number(self, form: str) -> int:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]

    def text(self, length: int) -> str:
        """A BIFF 8 text of `length` characters with its flags before it. Each piece it goes on in begins with flags anew."""
        flags = self.number("B")
        runs = self.number("H") if flags & _RICH else 0
        extra = self.number("I") if flags & _PHONETIC else 0
        out = []
        while length:
            if self._at >= len(self._pieces[self._piece]):
                self._next()
                flags = self.number("B")
            width = 2 if flags & _WIDE else 1
            count = min(length, max(1, (len(self._pieces[self._piece]) - self._at) // width))
            out.append(self.take(count * width).decode("utf-16-le" if width == 2 else "latin-1", "replace"))
            length -= count
        self.take_up_to(runs * 4 + extra)
        return "".join(out)

    def take_up_to(self, size: int) -> None:
        """Passes over bytes, as many of them as there are."""
        try:
            self.take(size)
        except EOFError:
            pass

    def _left(self) -> int:
        while self._at >= len(self._pieces[self._piece]):
            self._next()
        return len(self._pieces[self._piece]) - self._at

    def _next(self) -> None:
        if self._piece + 1 >= len(self._pieces):
            raise EOFError("the record ends too early")
        self._piece, self._at = self._piece + 1, 0


def unicode_text(pieces: list[bytes], at: int, length_form: str = "H") -> str:
    """A BIFF 8 text whose length stands at `at` in one byte (`B`) or two (`H`)."""
    reader = Pieces(pieces, at)
    return reader.text(reader.number(length_form))


def byte_text(body: bytes, at: int, length_form: str, encoding: str) -> str:
    """A text of BIFF 2 to 5: its length and bytes in the workbook's code page."""
    length, = struct.unpack_from(f"<{length_form}", body, at)
    start = at + struct.calcsize(f"<{length_form}")
    return body[start : start + length].decode(encoding, "replace")


def shared_texts(pieces: list[bytes]) -> list[str]:
    """The SST record: every distinct text of the workbook, as many as it still holds."""
    reader = Pieces(pieces, 4)
    out: list[str] = []
    try:
        for _ in range(reader.number("I")):
            out.append(reader.text(reader.number("H")))
    except (struct.error, EOFError):
        pass  # a damaged table: cells name the texts that it lacks
    return out


def rk_number(value: int) -> int | float:
    """A number packed into 30 bits: whole or the upper half of a float, perhaps a hundredth of it."""
    number: int | float
    if value & 2:
        number = value >> 2 if value < 0x80000000 else (value >> 2) - (1 << 30)
    else:
        number, = struct.unpack("<d", struct.pack("<II", 0, value & 0xFFFFFFFC))
        number = whole(number)
    return whole(number / 100) if value & 1 else number


def whole(number: float) -> int | float:
    """The number as int where nothing is lost by that."""
    return int(number) if -(2**53) < number < 2**53 and number.is_integer() else number

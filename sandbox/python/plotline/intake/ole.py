"""OLE compound files: the names of the streams and the bytes of one.

Sector chains of a damaged file may run in circles; every chain here visits a sector once, so no file can make it loop.
"""

import struct

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA
"""Numbers above this one mark ends and free sectors."""
_DIRECTORY_ENTRY = 128
_STREAM, _ROOT = 2, 5


class Compound:
    """The compound file in `data`. Raises ValueError where its header or directory cannot be read."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith(SIGNATURE) or len(data) < 512:
            raise ValueError("not a compound file")
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if not 7 <= shift <= 16 or not 2 <= mini_shift <= shift:
            raise ValueError("sector sizes out of range")
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        directory, = struct.unpack_from("<I", data, 48)
        self._cutoff, mini_table = struct.unpack_from("<II", data, 56)
        more, = struct.unpack_from("<I", data, 68)
        self._table = self._allocation(more)
        self._mini_table = _numbers(self._chain(mini_table))
        self._entries: dict[str, tuple[int, int]] = {}
        self._mini_stream = b""
        content = self._chain(directory)
        for offset in range(0, len(content) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            length, kind = struct.unpack_from("<HB", content, offset + 64)
            name = content[offset : offset + max(0, min(length, 64) - 2)].decode("utf-16-le", errors="replace")
            start, size = struct.unpack_from("<II", content, offset + 116)
            if kind == _ROOT and not self._mini_stream:
                self._mini_stream = self._chain(start)
            elif kind == _STREAM:
                self._entries.setdefault(name.lower(), (start, size))
        if not self._entries:
            raise ValueError("the directory is empty")

    @property
    def names(self) -> set[str]:
        """The streams' names in lower case, without their folders."""
        return set(self._entries)

    def read(self, name: str) -> bytes:
        """The bytes of a stream, as many as the file still holds. Raises KeyError."""
        start, size = self._entries[name.lower()]
        if size >= self._cutoff:
            return self._chain(start)[:size]
        pieces = []
        for sector in _walk(start, self._mini_table):
            pieces.append(self._mini_stream[sector * self._mini_size : (sector + 1) * self._mini_size])
        return b"".join(pieces)[:size]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._data[start : start + self._size]

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(number) for number in _walk(start, self._table))

    def _allocation(self, more: int) -> list[int]:
        """The allocation table, from the header's list of its sectors and the lists that follow it."""
        sectors = list(struct.unpack_from("<109I", self._data, 76))
        seen: set[int] = set()
        while more < _LAST_SECTOR and more not in seen:
            seen.add(more)
            numbers = _numbers(self._sector(more))
            if not numbers:
                break
            sectors += numbers[:-1]
            more = numbers[-1]
        limit = len(self._data) // self._size + 1
        used = dict.fromkeys(number for number in sectors if number < limit)
        return [entry for number in used for entry in _numbers(self._sector(number))]


def _numbers(data: bytes) -> list[int]:
    count = len(data) // 4
    return list(struct.unpack_from(f"<{count}I", data))


def _walk(start: int, table: list[int]) -> list[int]:
    """The sectors of a chain in order, each at most once."""
    seen: dict[int, None] = {}
    while start < len(table) and start not in seen:
        seen[start] = None
        start = table[start]
    return list(seen)
